"""A video file that is looked at in the background: it goes on while pages come and go, and ends when it is told to.

It is a thread and not a process, as the model is in memory already and its lock is shared with photos and webcams.
"""

import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from fer.errors import FerError, VideoError
from fer.recognition.recognizer import Recognizer
from fer.video.clip import MAX_SIDE_PX, ClipAnalysis, ClipOptions
from fer.video.io.files import VideoFile
from fer.video.io.mp4 import Mp4Writer
from fer.video.io.sound import Sound
from fer.video.stream import Draw
from fer.video.timeline import ClipResult

AT_ONCE = 2
"""So many videos are looked at at the same time in a process; the next ones wait."""
ABSENCE_SECONDS = 120.0
"""A video whose viewer has been away for so long is given up: the tab was closed."""
_LOOK_SECONDS = 0.2

_turns = threading.BoundedSemaphore(AT_ONCE)


@dataclass(frozen=True)
class Progress:
    """How far a video is."""

    share: float | None
    """0..1; None while it waits, and where the file does not say how long it is."""
    seconds_left: float | None
    """None until that can be said."""
    video_seconds: float
    """How far it has come in the video's time."""
    frames: int
    people: int
    speed: float
    """Seconds of video in a second."""
    waiting: bool = False
    """Whether other videos come first."""


class ClipJob:
    """One video on its way; everything may be asked by any thread."""

    def __init__(
        self,
        path: Path,
        recognizer: Recognizer,
        options: ClipOptions,
        draw: Draw,
        present: Callable[[], bool] = lambda: True,
    ) -> None:
        """Start.

        Args:
            path: of the video.
            recognizer: see `Recognizer.for_video`.
            options: what of it to look at.
            draw: what annotates the video.
            present: whether the viewer is still there.
        """
        self.result: ClipResult | None = None
        """What was seen, when it is done; a part of it if it was cancelled or failed on the way."""
        self.error = ""
        """Why it ended, if that was not to be expected."""
        self._folder = tempfile.TemporaryDirectory(prefix="fer-video-", ignore_cleanup_errors=True)
        self.video = Path(self._folder.name) / f"{path.stem[:80]}-faces.mp4"
        """The annotated video, when it is done; is removed by `close`, or with the job."""
        self._path, self._recognizer, self._options, self._draw = path, recognizer, options, draw
        self._present, self._here_seconds = present, time.monotonic()
        self._stop, self._done = threading.Event(), threading.Event()
        self._analysis: ClipAnalysis | None = None
        self._began: tuple[float, float] | None = None
        self._thread = threading.Thread(target=self._run, name="clip", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether nothing more comes."""
        return self._done.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether somebody has ended it."""
        return self._stop.is_set()

    def cancel(self) -> None:
        """End it with the frame that it is at; what was seen is kept, but for the last half second."""
        self._stop.set()

    def close(self) -> None:
        """End it and remove the annotated video."""
        self.cancel()
        self.wait()
        self._folder.cleanup()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is done, at most so long; return whether it is."""
        return self._done.wait(seconds)

    def progress(self) -> Progress:
        """Say how far it is."""
        analysis, began = self._analysis, self._began
        if analysis is None or began is None:
            return Progress(None, None, 0.0, 0, 0, 0.0, waiting=True)
        at, start = analysis.seconds, analysis.options.from_seconds
        seen, elapsed = max(at - began[1], 0.0), time.monotonic() - began[0]
        speed = seen / elapsed if elapsed > 0 else 0.0
        end = analysis.end_seconds
        if end is None or at < start:
            return Progress(None, None, at, analysis.frames, analysis.people, speed)
        share = min(max((at - start) / max(end - start, 1e-6), 0.0), 1.0)
        left = (end - at) / speed if speed > 0 and elapsed > 1 else None
        return Progress(share, left, at, analysis.frames, analysis.people, speed)

    def _run(self) -> None:
        try:
            while not self._turn():
                if self._ended():
                    return
            try:
                self._look()
            finally:
                _turns.release()
        except Exception as error:  # otherwise the thread would end without a word
            self.error = _text(error)
        finally:
            self._done.set()

    def _turn(self) -> bool:
        return _turns.acquire(timeout=_LOOK_SECONDS)

    def _ended(self) -> bool:
        if self._present():
            self._here_seconds = time.monotonic()
        elif time.monotonic() - self._here_seconds > ABSENCE_SECONDS:
            self._stop.set()
        return self._stop.is_set()

    def _look(self) -> None:
        try:
            with (
                closing(VideoFile(self._path, MAX_SIDE_PX)) as file,
                Mp4Writer(self.video, Sound.of(self._path, file.starts)) as writer,
            ):
                analysis = ClipAnalysis(file, self._recognizer, self._options, writer, self._draw)
                self._began = time.monotonic(), 0.0
                self._analysis = analysis
                try:
                    self._follow(analysis)
                except VideoError:  # the annotated video cannot be written
                    raise
                except Exception as error:  # the video is kept up to there
                    self.error = _text(error)
                if not self.cancelled:  # at once means at once, and frames of 4K take long to write
                    analysis.finish()
        finally:
            if self._analysis:
                self.result = self._analysis.result()

    def _follow(self, analysis: ClipAnalysis) -> None:
        for seconds in analysis.steps():
            if seconds < self._options.from_seconds:  # decoding alone is faster: not the speed of what follows
                self._began = time.monotonic(), seconds
            if self._ended():
                return


def _text(error: Exception) -> str:
    return str(error) if isinstance(error, FerError | OSError) else f"{type(error).__name__}: {error}"
