"""Recordings of the webcam page, written to disk while the camera runs.

A separate thread writes, so that the video never waits for the disk. If the process dies, only the last seconds are
lost. In the result's folder:

    timeline.npz     the timeline, written every `KEEP_SECONDS`
    picture.mp4      the annotated video, if pictures are kept, in fragments that can be played while it grows
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np

from fer.errors import FerError, VideoError
from fer.results.content import PICTURE_NAME
from fer.results.result import COMPLETE, PICTURES, RUNNING, WEBCAM, Result
from fer.results.store import ResultStore
from fer.results.summary import summary_of_timeline
from fer.results.timeline import write_timeline
from fer.video.io.mp4 import Mp4Writer
from fer.video.job import TIMELINE_NAME
from fer.video.live import LiveAnalyzer
from fer.video.peaks import Peaks
from fer.video.timeline import Timeline
from fer.video.tracking import TrackedFace

KEEP_SECONDS, TELL_SECONDS = 2.0, 15.0
"""How often the timeline is written, and how often the row in the list of results is updated."""
SILENT_SECONDS = 10.0
"""Without frames for this long, the tab is taken to be closed; another frame resumes the recording."""
_MOST_PEAKS = 200


class Recording:
    """The recording of one viewer's camera. It becomes a result when the first person is seen."""

    def __init__(self, store: ResultStore, owner: str, name: str, analyzer: LiveAnalyzer, model: str = "") -> None:
        """Prepare a recording; nothing is written yet.

        Args:
            store: the store that keeps it.
            owner: the owner of the result.
            name: the name of the result.
            analyzer: analyzes the frames and records the timeline.
            model: the readable name of the model.
        """
        self.result: Result | None = None
        self.problem = ""
        """Why the last attempt to write failed, or ""; it is repeated."""
        self.video_problem = ""
        """Why the annotated video ends early, or ""."""
        self._store, self._analyzer = store, analyzer
        self._add: Callable[[], Result | None] = lambda: store.add(owner, WEBCAM, name, state=RUNNING, model=model)
        self._peaks = Peaks(_MOST_PEAKS)
        self._with_video = store.settings.keep == PICTURES
        self._video: Mp4Writer | None = None
        self._last = self._told = float(-np.inf)
        self._thread: threading.Thread | None = None
        self._is_open = False
        """Whether there are frames that are not written yet."""
        self._ended = threading.Event()
        self._lock = threading.Lock()

    def take(self, image: np.ndarray, drawn: np.ndarray, faces: Sequence[TrackedFace]) -> None:
        """Accept a frame that was just recorded; see `fer.video.stream.Keep`."""
        self._last = time.monotonic()
        if self._ended.is_set() or not self._analyzer.people:
            return
        self._is_open = True
        self._peaks.note(image, self._analyzer.recorder.seconds, faces)
        with self._lock:
            if self._video:
                self._written(lambda video: video.write(drawn, self._analyzer.recorder.seconds))
        if self._thread is None:
            self._thread = threading.Thread(target=self._keep_on, daemon=True, name="recording")
            self._thread.start()

    def end(self) -> None:
        """Write the rest, or try once more; later frames are ignored."""
        self._ended.set()
        if thread := self._thread:
            thread.join()
        if self._is_open:
            self._end_video()
            self._attempt(partial(self._keep, COMPLETE))
            self._is_open = bool(self.problem)

    def seen(self) -> Timeline:
        """Return the timeline so far."""
        seen, threshold = self._analyzer, self._analyzer.settings.threshold
        return seen.recorder.timeline(peaks=self._peaks.moments, size_wh=seen.size_wh, unsure_below=threshold)

    def _keep_on(self) -> None:
        try:
            self._told, state = float(-np.inf), RUNNING
            self._attempt(self._begin)
            while state == RUNNING and not self._ended.wait(KEEP_SECONDS):
                state = COMPLETE if time.monotonic() - self._last > SILENT_SECONDS else RUNNING
                self._attempt(partial(self._keep, state))
        finally:
            self._thread = None  # the next frame starts a new one

    def _attempt(self, act: Callable[[], object]) -> None:
        """Do something that is repeated after a failure; give up if the result was deleted."""
        try:
            act()
            self.problem = ""
        except (FerError, OSError) as error:
            self.problem = str(error)
            with suppress(FerError):
                if self.result and self._store.get(self.result.id, self.result.owner) is None:
                    self._give_up()

    def _give_up(self) -> None:
        self._ended.set()
        self._end_video()

    def _begin(self) -> None:
        """Create the result, its folder and its video if they do not exist yet."""
        self.result = self.result or self._add()
        if self.result is None:  # the settings keep nothing
            self._give_up()
            return
        if not self._folder.is_dir():
            self._store.update(self.result.id, self.result.owner)  # fails if the result was deleted with its folder
            self._folder.mkdir(mode=0o700)
        if self._with_video and self._video is None and not self._ended.is_set():
            self._video = Mp4Writer(self._folder / f"{PICTURE_NAME}.mp4", in_parts=True)

    @property
    def _folder(self) -> Path:
        assert self.result is not None
        return self._store.folder(self.result)

    def _keep(self, state: str) -> None:
        """Write the timeline and, every `TELL_SECONDS`, update the row.

        Raises:
            ResultsError: the result was deleted, or cannot be written.
            OSError: the disk is full.
        """
        self._begin()
        if self.result is None:
            return
        seen = self.seen()
        write_timeline(self._folder / TIMELINE_NAME, seen, durable=state == COMPLETE)
        if state == COMPLETE or time.monotonic() - self._told > TELL_SECONDS:
            figures, content = summary_of_timeline(seen, self._analyzer.settings.threshold)
            result = self.result
            self.result = self._store.update(result.id, result.owner, content=content, state=state, figures=figures)
            self._told = time.monotonic()

    def _written(self, act: Callable[[Mp4Writer], object]) -> None:
        """Write to the video; after a failure the recording continues without it."""
        try:
            assert self._video is not None
            act(self._video)
        except VideoError as error:
            self.video_problem, self._video, self._with_video = str(error), None, False

    def _end_video(self) -> None:
        with self._lock:
            if self._video:
                self._written(lambda video: video.__exit__(None, None, None))
            self._video = None
