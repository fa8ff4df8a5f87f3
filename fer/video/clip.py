"""Analyze a video file frame by frame, with hindsight; the results are the same every time."""

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing

import numpy as np

from fer.errors import VideoError
from fer.recognition.recognizer import Recognizer
from fer.video.follow import Follower
from fer.video.hindsight import AHEAD_SECONDS, Hindsight
from fer.video.io.files import TimedFrame, VideoFile
from fer.video.neutral import median_baselines
from fer.video.peaks import Peaks
from fer.video.recorder import Recorder
from fer.video.reunion import Reunion
from fer.video.settings import ClipOptions, VideoSettings
from fer.video.timeline import Timeline
from fer.video.tracking import TrackedFace, within

_ROUNDING_SECONDS = 1e-3
"""Matroska and WebM store times in whole milliseconds."""


Take = Callable[[TimedFrame, list[TrackedFace]], object]
"""Called with a frame and its faces, in pixels of its image; a frame that was not analyzed has those of the last one
that was."""


class ClipAnalysis:
    """The analysis of a video file."""

    def __init__(self, file: VideoFile, recognizer: Recognizer, options: ClipOptions | None = None) -> None:
        """Take an open file.

        Args:
            file: opened with `fer.video.settings.MAX_SIDE_PX`, and not read yet.
            recognizer: see `Recognizer.for_video`.
            options: what to analyze.

        Raises:
            VideoError: the options ask for own neutrals, but the model does not know the average neutral face.
        """
        self.file, self.options = file, options or ClipOptions()
        self.settings = VideoSettings(
            smallest_face=self.options.smallest_face,
            threshold=recognizer.info.unsure_below if self.options.threshold is None else self.options.threshold,
            smoothing_seconds=0.0,  # hindsight smooths without lag
            mirror=False,
        )
        """How people are tracked, and how to draw them."""
        if self.options.median_neutral and not recognizer.info.neutral:
            raise VideoError(
                "expected a model that knows the average neutral face, to subtract each person's own neutral, found "
                "one that does not. Turn that off, or use another model, such as the built-in one."
            )
        self.seconds = 0.0
        """The position in the video."""
        self.seen_all = False
        """Whether the whole video was analyzed and a second pass delivers the frames."""
        self._recognizer, self._follower = recognizer, Follower()
        self._reunion = Reunion() if self.options.rejoin else None
        self._hindsight = Hindsight()
        self._peaks = Peaks()
        self._recorder = Recorder(recognizer.info.labels, neutral=recognizer.info.neutral)
        self._waiting: deque[tuple[int, TimedFrame, list[TrackedFace] | None]] = deque()
        self._shown: list[TrackedFace] = []
        self._complete = False
        self._ends = 0.0

    @property
    def frames(self) -> int:
        """Number of frames analyzed so far."""
        return self._recorder.frames

    @property
    def people(self) -> int:
        """Number of people seen so far."""
        return self._reunion.people if self._reunion else self._follower.people

    @property
    def end_seconds(self) -> float | None:
        """Where the analysis will end, in seconds of the video; None if the file does not say how long it is."""
        known = [end for end in (self.file.seconds_expected, self.options.to_seconds) if end]
        return min(known, default=None)

    def run(self, take: Take | None, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Analyze the video frame by frame.

        Args:
            take: called with each frame of the chosen part in order, half a second later. Median faces are known only
                at the end: then the frames are delivered in a second pass, without the model.
            goes_on: called after each frame of the file. If it returns False, the frames up to there are still passed
                to `take`, except with median faces.

        Raises:
            VideoError: the video cannot be opened again.
        """
        self._look_through(None if self.options.median_neutral else take, goes_on)
        if self.options.median_neutral:
            seen = self.timeline()
            self._recorder.baselines = median_baselines(seen.rows, seen.neutral)
            if take and self._complete:
                self.seen_all = True
                self._give_again(take, goes_on)

    def _look_through(self, take: Take | None, goes_on: Callable[[], bool]) -> None:
        for number, frame, wanted in _frames(self.file, self.options):
            if frame.seconds >= _begins(self.options):
                self._waiting.append((number, frame, self._look(frame) if wanted else None))
            self.seconds, self._ends = frame.seconds, self.file.ends
            self._give(take, frame.seconds - AHEAD_SECONDS)
            if not goes_on():
                self._give(take, math.inf)
                return
        self._give(take, math.inf)
        self._complete = True

    def _give_again(self, take: Take, goes_on: Callable[[], bool]) -> None:
        """Deliver all frames, with their faces as the whole video shows them."""
        with closing(VideoFile(self.file.path, max(self.file.first_image.shape))) as file:
            for frame, faces in told_frames(file, self.options, self.timeline()):
                self.seconds = frame.seconds
                if faces is not None:
                    take(frame, faces)
                if not goes_on():
                    return

    def _look(self, frame: TimedFrame) -> list[TrackedFace]:
        faces = self._follower.see(self._recognizer, frame.image, frame.seconds, self.settings)
        if self._reunion:
            faces = self._reunion.named(frame.image, faces, frame.seconds)
        self._hindsight.see(faces, frame.seconds)
        return faces

    def _give(self, take: Take | None, until: float) -> None:
        """Record and deliver the frames up to a time, now that what follows is known."""
        while self._waiting and self._waiting[0][1].seconds <= until:
            number, frame, faces = self._waiting.popleft()
            if faces is not None:
                self._shown = self._hindsight.shown(faces, frame.seconds)
                self._recorder.add(number, frame.seconds, self.in_file(frame.image, self._shown))
                self._peaks.note(frame.image, frame.seconds, self._shown)
            if take:
                take(frame, self._shown)

    def in_file(self, image: np.ndarray, faces: Sequence[TrackedFace]) -> list[TrackedFace]:
        """Convert faces from pixels of an image, which may have been shrunk, to pixels of the file."""
        return within(faces, image.shape[1::-1], self.file.size_wh)

    def timeline(self) -> Timeline:
        """Return the timeline so far; part of a video is a result, too."""
        ends = self.options.from_seconds
        if self._waiting:
            ends = self._waiting[0][1].seconds
        elif self.frames:
            ends = min(self._ends, self.options.end)
        return self._recorder.timeline(
            ends,
            name=self.file.path.name,
            size_wh=self.file.size_wh,
            peaks=self._peaks.moments,
            complete=self._complete,
            unsure_below=self.settings.threshold,
            # Do not reveal the folder.
            problem=self.file.problem.replace(str(self.file.path), self.file.path.name),
        )


def told_frames(
    file: VideoFile, options: ClipOptions, seen: Timeline
) -> Iterator[tuple[TimedFrame, list[TrackedFace] | None]]:
    """Yield a video's frames up to where it was analyzed, each with its faces in pixels of its image.

    Frames that were not analyzed have the faces of the frame before; frames before the chosen part have None.

    Args:
        file: the video, freshly opened.
        options: the options of the analysis.
        seen: its timeline; names, merges and hidden people may be applied.
    """
    ends = math.inf if seen.complete else seen.ends - _ROUNDING_SECONDS
    faces: list[TrackedFace] = []
    for number, frame, wanted in _frames(file, options):
        if frame.seconds >= ends:
            return
        if wanted:
            first, end = np.searchsorted(seen.rows["frame"], (number, number + 1))
            faces = within(seen.faces(range(first, end)), file.size_wh, frame.image.shape[1::-1])
        yield frame, faces if frame.seconds >= _begins(options) else None


def _begins(options: ClipOptions) -> float:
    return options.from_seconds - _ROUNDING_SECONDS


def _frames(file: VideoFile, options: ClipOptions) -> Iterator[tuple[int, TimedFrame, bool]]:
    """Yield frames up to the end of the chosen part, each with its number and whether to analyze it."""
    first, due = None, options.from_seconds
    for number, frame in enumerate(file.frames()):
        if frame.seconds >= options.end - _ROUNDING_SECONDS:
            return
        wanted = frame.seconds >= _begins(options)
        if wanted:
            first = number if first is None else first
            wanted = (number - first) % options.every == 0
        if wanted and options.per_second:
            wanted = frame.seconds >= due - _ROUNDING_SECONDS
            # Counted from when it was due, not from now: otherwise each wait for the next frame would lower the rate.
            due = max(due + 1 / options.per_second, frame.seconds) if wanted else due
        yield number, frame, wanted
