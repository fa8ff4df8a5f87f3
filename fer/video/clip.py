"""A video file: each frame is looked at before the next one, with hindsight; the results are the same every time."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from fer.faces import Box
from fer.images import shrink_to_fit
from fer.recognition.recognizer import Recognizer
from fer.video.follow import Follower
from fer.video.hindsight import AHEAD_SECONDS, Hindsight
from fer.video.io.files import TimedFrame, VideoFile
from fer.video.reunion import Reunion
from fer.video.settings import ClipOptions, VideoSettings
from fer.video.timeline import Moment, Recorder, Timeline
from fer.video.tracking import TrackedFace

THUMBNAIL_PX = 144
_ROUNDING_SECONDS = 1e-3
"""Matroska and WebM know whole milliseconds only."""
_PEAK_STEP = 0.02
"""A thumbnail is made anew when the confidence has grown by this: each takes half a millisecond."""


@dataclass(frozen=True, eq=False)
class ClipFrame:
    """A frame of a file, now that what came after it is known."""

    number: int
    """In the file, from 0."""
    source: TimedFrame
    faces: list[TrackedFace]
    """In pixels of the image; of a frame that was not looked at, those seen last."""
    seen: bool
    """Whether it was looked at."""

    @property
    def image(self) -> np.ndarray:
        """RGB uint8 (H, W, 3)."""
        return self.source.image

    @property
    def seconds(self) -> float:
        """When it is shown."""
        return self.source.seconds


class ClipAnalysis:
    """A video file on its way through the model. Whoever iterates over `steps` may stop at any frame."""

    def __init__(self, file: VideoFile, recognizer: Recognizer, options: ClipOptions | None = None) -> None:
        """Get ready.

        Args:
            file: opened with `fer.video.settings.MAX_SIDE_PX`, not read yet.
            recognizer: what finds and names, see `Recognizer.for_video`.
            options: what to look at.
        """
        self.file, self.options = file, options or ClipOptions()
        self.settings = VideoSettings(
            smallest_face=self.options.smallest_face,
            threshold=recognizer.info.unsure_below if self.options.threshold is None else self.options.threshold,
            smoothing_seconds=0.0,  # hindsight does it without a lag
            mirror=False,
        )
        """How people are followed, and may be drawn."""
        self.seconds = 0.0
        """How far it has come, in the video's time."""
        self._recognizer, self._follower = recognizer, Follower()
        self._reunion = Reunion() if self.options.rejoin else None
        self._hindsight, self._peaks = Hindsight(), _Peaks()
        self._recorder = Recorder(recognizer.info.labels)
        self._waiting: deque[ClipFrame] = deque()
        self._shown: list[TrackedFace] = []
        self._complete = False
        self._step = 1 / file.frames_per_second
        self._due = self.options.from_seconds

    @property
    def frames(self) -> int:
        """How many were looked at."""
        return self._recorder.frames

    @property
    def people(self) -> int:
        """How many were seen."""
        return self._reunion.people if self._reunion else self._follower.people

    @property
    def end_seconds(self) -> float | None:
        """Where it will end, in the video's time; None if the file does not say how long it is."""
        known = [end for end in (self.file.seconds_expected, self.options.to_seconds) if end]
        return min(known, default=None)

    def run(self, take: Callable[[ClipFrame], object], goes_on: Callable[[], bool]) -> None:
        """Look at frame after frame.

        Args:
            take: is given each frame of the wanted part in order, half a second later.
            goes_on: is asked after each frame of the file; what still waits for frames after it is left out then.

        Raises:
            ImageError: the detector failed.
        """
        for known in self.steps():
            for frame in known:
                take(frame)
            if not goes_on():
                return

    def steps(self) -> Iterator[list[ClipFrame]]:
        """Look at frame after frame; yield, for each that was read, those of which all is known now.

        Raises:
            ImageError: the detector failed.
        """
        inside = 0
        for number, frame in enumerate(self.file.frames()):
            if frame.seconds >= self.options.end:
                break
            if frame.seconds >= self.options.from_seconds:
                seen = self._is_looked_at(inside, frame.seconds)
                faces = self._look(frame.image, frame.seconds) if seen else []
                self._waiting.append(ClipFrame(number, frame, faces, seen))
                inside += 1
            self._step = frame.seconds - self.seconds or self._step
            self.seconds = frame.seconds
            yield list(self._known(frame.seconds - AHEAD_SECONDS))
        rest = list(self._known(self.options.end))
        self._complete = True
        yield rest

    def _is_looked_at(self, number: int, seconds: float) -> bool:
        """Whether the options want the frame of this number, counted from where looking began."""
        if number % self.options.every:
            return False
        if self.options.per_second:
            if seconds < self._due - _ROUNDING_SECONDS:
                return False
            # From when it was due, not from now: else every wait for the next frame would lower the rate.
            self._due = max(self._due + 1 / self.options.per_second, seconds)
        return True

    def _look(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        faces = self._follower.see(self._recognizer, image, seconds, self.settings)
        if self._reunion:
            faces = self._reunion.named(image, faces, seconds)
        self._hindsight.see(faces, seconds)
        return faces

    def _known(self, until: float) -> Iterator[ClipFrame]:
        """Keep and yield what was seen up to a moment, now that what came after it is known."""
        while self._waiting and self._waiting[0].seconds <= until:
            frame = self._waiting.popleft()
            if frame.seen:
                self._shown = self._hindsight.shown(frame.faces, frame.seconds)
                self._recorder.add(frame.number, frame.seconds, self.in_file(frame.image, self._shown))
                self._peaks.look(frame.image, self._shown, frame.seconds)
            yield replace(frame, faces=self._shown)

    def in_file(self, image: np.ndarray, faces: Sequence[TrackedFace]) -> list[TrackedFace]:
        """Return faces of an image, which may have been shrunk, in pixels of the file."""
        scale = max(self.file.size_wh) / max(image.shape[:2])
        if scale == 1:
            return list(faces)
        return [
            replace(
                face,
                box=Box(*(scale * value for value in face.box.xyxy)),
                landmarks=tuple((scale * x, scale * y) for x, y in face.landmarks),
            )
            for face in faces
        ]

    def timeline(self) -> Timeline:
        """Return what was seen up to now; parts of a video are results, too."""
        ends = self.options.from_seconds
        if self._waiting:
            ends = self._waiting[0].seconds
        elif self.frames:  # the last frame is shown as long as the one before
            ends = min(self.seconds + self._step, self.options.end)
        return self._recorder.timeline(
            ends,
            name=self.file.path.name,
            size_wh=self.file.size_wh,
            peaks=self._peaks.moments(),
            complete=self._complete,
            problem=self.file.problem.replace(
                str(self.file.path), self.file.path.name
            ),  # folders are nobody's business
        )


class _Peaks:
    """Keeps a small picture of each person's most confident moment of each expression."""

    def __init__(self) -> None:
        self._moments: dict[tuple[int, str], Moment] = {}

    def look(self, image: np.ndarray, faces: Sequence[TrackedFace], seconds: float) -> None:
        for face in faces:
            key = face.track_id or 0, face.label
            before = self._moments.get(key)
            if before is None or face.confidence > before.confidence + _PEAK_STEP:
                self._moments[key] = Moment(*key, seconds, face.confidence, _thumbnail(image, face))

    def moments(self) -> tuple[Moment, ...]:
        return tuple(self._moments.values())


def _thumbnail(image: np.ndarray, face: TrackedFace) -> bytes:
    """Return the head as JPEG: a square of 1.5 × the face's height, as far as it is in the picture."""
    (x, y), half = face.box.center, 0.75 * face.box.height
    part = image[max(round(y - half), 0) : round(y + half), max(round(x - half), 0) : round(x + half)]
    small = shrink_to_fit(np.ascontiguousarray(part), THUMBNAIL_PX)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return data.tobytes()
