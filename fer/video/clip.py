"""Video files: every frame is looked at before the next one, and the results are the same each time."""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from fer.errors import VideoError
from fer.images import shrink_to_fit
from fer.recognition.recognizer import Recognizer
from fer.video.hindsight import AHEAD_SECONDS, Hindsight
from fer.video.io.files import VideoFile
from fer.video.io.mp4 import Mp4Writer
from fer.video.live import AtOnce, LiveAnalyzer, LiveEngine, LiveSettings, Observation
from fer.video.reunion import Reunion
from fer.video.stream import Draw
from fer.video.timeline import ClipResult, Moment, Recorder
from fer.video.tracking import TrackedFace

MAX_SIDE_PX = 1920
"""Larger pictures are shrunk to this when they are decoded: four times as fast for 4K, and every face that shows an
expression still has pixels enough."""
THUMBNAIL_PX = 144
_ROUNDING_SECONDS = 1e-3
"""Matroska and WebM know whole milliseconds only."""
_PEAK_STEP = 0.02
"""A thumbnail is made anew when the confidence has grown by this: each takes half a millisecond."""


class ClipAnalyzer(LiveAnalyzer):
    """A live analyzer without the hurry: the times of the frames decide when the model runs, not those of the clock."""

    def __init__(self, recognizer: Recognizer, settings: LiveSettings | None = None) -> None:
        """Start with nobody in view."""
        super().__init__(LiveEngine(recognizer, AtOnce()), settings)

    def _look(self, search: bool, settings: LiveSettings) -> Observation:
        # A live analyzer searches less often where the detector is slow, so that results would depend on the machine.
        return replace(super()._look(search, settings), detector_seconds=0.0)


@dataclass(frozen=True)
class ClipOptions:
    """What of a video is looked at, and how."""

    from_seconds: float = 0.0
    to_seconds: float = math.inf
    every: int = 1
    """1: every frame is looked at, 2: every other one, …"""
    per_second: float | None = None
    """At most so many frames a second are looked at."""
    smallest_face: float = LiveSettings.smallest_face
    """Height of the smallest face that is looked for, as a share of the picture's shorter side. Less is slower."""
    threshold: float | None = None
    """A face whose confidence is lower is called unsure in the annotated video, 0..1; None: the model's own."""
    rejoin: bool = True
    """Whether people who come back keep their numbers where clothes and hair tell, see `Reunion`."""

    def __post_init__(self) -> None:
        if not 0 <= self.from_seconds < self.to_seconds:
            raise VideoError(
                f"expected a part of the video that begins before it ends, got {self.from_seconds:g} s to "
                f"{self.to_seconds:g} s."
            )
        if self.every < 1 or not (self.per_second is None or self.per_second > 0):
            raise VideoError(
                f"expected to look at every 1st, 2nd, … frame and at more than 0 a second, got every {self.every} and "
                f"{self.per_second} a second."
            )
        if not 0 < self.smallest_face <= 1:
            raise VideoError(f"expected the smallest face as a share in 0..1, got {self.smallest_face:g}.")


class ClipAnalysis:
    """A video file on its way through the model. Whoever iterates over `steps` may stop at any frame."""

    def __init__(
        self,
        file: VideoFile,
        recognizer: Recognizer,
        options: ClipOptions | None = None,
        writer: Mp4Writer | None = None,
        draw: Draw | None = None,
    ) -> None:
        """Get ready.

        Args:
            file: opened with `MAX_SIDE_PX`, not read yet.
            recognizer: what finds and names, see `Recognizer.for_video`.
            options: what to look at.
            writer: where the annotated video goes; whoever made it finishes it.
            draw: what annotates, needed with a writer.
        """
        self.file, self.options = file, options or ClipOptions()
        self._writer, self._draw = writer, draw
        self._settings = LiveSettings(
            smallest_face=self.options.smallest_face,
            threshold=recognizer.info.unsure_below if self.options.threshold is None else self.options.threshold,
            smoothing_seconds=0.0,  # hindsight does it without a lag
            mirror=False,
        )
        self._analyzer = ClipAnalyzer(recognizer, self._settings)
        self._reunion = Reunion() if self.options.rejoin else None
        self._recorder = Recorder(recognizer.info.labels)
        self._peaks = _Peaks()
        self._hindsight = Hindsight()
        self._waiting: deque[_Seen] = deque()
        self._shown: list[TrackedFace] = []
        self._complete = False
        self.seconds = 0.0
        """How far it has come, in the video's time."""
        self._step = 1 / file.frames_per_second
        self._due = self.options.from_seconds

    @property
    def frames(self) -> int:
        """How many were looked at."""
        return self._recorder.frames

    @property
    def people(self) -> int:
        """How many were seen."""
        return self._reunion.people if self._reunion else self._analyzer.people

    @property
    def end_seconds(self) -> float | None:
        """Where it will end, in the video's time; None if the file does not say how long it is."""
        known = [end for end in (self.file.seconds_expected, self.options.to_seconds) if end and end < math.inf]
        return min(known, default=None)

    def steps(self) -> Iterator[float]:
        """Look at frame after frame; yield the time of each, of those that are left out as well.

        Whoever stops may call `finish`, before the writer's own; else the last half second is left out.

        Raises:
            ImageError: the detector failed.
            VideoError: the annotated video cannot be written.
        """
        inside = 0
        for number, frame in enumerate(self.file.frames()):
            if frame.seconds >= self.options.to_seconds:
                break
            if frame.seconds >= self.options.from_seconds:
                if self._is_looked_at(inside, frame.seconds):
                    faces = self._look(frame.image, frame.seconds)
                    self._waiting.append(_Seen(frame.image, number, frame.seconds, faces))
                elif self._writer:
                    self._waiting.append(_Seen(frame.image, number, frame.seconds, None))
                while self._waiting and self._waiting[0].seconds <= frame.seconds - AHEAD_SECONDS:
                    self._take(self._waiting.popleft())
                inside += 1
            self._step = frame.seconds - self.seconds or self._step
            self.seconds = frame.seconds
            yield frame.seconds
        self.finish()
        self._complete = True

    def finish(self) -> None:
        """Take in what still waits for frames after it, as if none came; may be called twice.

        Raises:
            VideoError: the annotated video cannot be written.
        """
        while self._waiting:
            self._take(self._waiting.popleft())

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
        faces = self._analyzer.process(image, seconds)
        if self._reunion:
            faces = self._reunion.named(image, faces, seconds)
        self._hindsight.see(faces, seconds)
        return faces

    def _take(self, seen: "_Seen") -> None:
        """Keep and draw what was seen in a frame, now that what came after it is known."""
        if seen.faces is not None:
            self._shown = self._hindsight.shown(seen.faces, seen.seconds)
            self._recorder.add(
                seen.number, seen.seconds, self._shown, max(self.file.size_wh) / max(seen.image.shape[:2])
            )
            self._peaks.look(seen.image, self._shown, seen.seconds)
        if self._writer and self._draw:
            self._writer.write(self._draw(seen.image, self._shown, self._settings), seen.seconds)

    def result(self) -> ClipResult:
        """Return what was seen up to now; parts of a video are results, too."""
        ends = self.options.from_seconds
        if self._waiting:
            ends = self._waiting[0].seconds
        elif self.frames:  # the last frame is shown as long as the one before
            ends = min(self.seconds + self._step, self.options.to_seconds)
        return self._recorder.result(
            self.file.path.name,
            self.file.size_wh,
            ends,
            self._peaks.moments(),
            self._complete,
            self.file.problem.replace(str(self.file.path), self.file.path.name),  # folders are nobody's business
        )


@dataclass(frozen=True, eq=False)
class _Seen:
    """A frame that waits for those after it."""

    image: np.ndarray
    number: int
    seconds: float
    faces: list[TrackedFace] | None
    """None where the frame was not looked at."""


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

    def moments(self) -> list[Moment]:
        return list(self._moments.values())


def _thumbnail(image: np.ndarray, face: TrackedFace) -> bytes:
    """Return the head as JPEG: a square of 1.5 × the face's height, as far as it is in the picture."""
    (x, y), half = face.box.center, 0.75 * face.box.height
    part = image[max(round(y - half), 0) : round(y + half), max(round(x - half), 0) : round(x + half)]
    small = shrink_to_fit(np.ascontiguousarray(part), THUMBNAIL_PX)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return data.tobytes()
