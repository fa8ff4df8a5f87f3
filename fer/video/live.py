"""Frames in, tracked faces out, never waiting for the model.

    every frame        faces move with the optical flow                              LiveAnalyzer.process, a few ms
    in the background  the newest frame is searched for faces now and then, and
                       known faces get new probabilities a dozen times a second      LiveEngine, one thread for all

The engine belongs to a process, an analyzer to a viewer. Each viewer has at most one task waiting, and tasks are done
in the order they came, so the model's time is shared evenly; whoever waits goes on with what was seen last.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fer.faces import UNSURE_BELOW, Detection, Face
from fer.images import check_rgb
from fer.recognition.recognizer import Recognizer
from fer.video.flow import follow, small_gray
from fer.video.history import History
from fer.video.rates import RateMeter
from fer.video.tracking import FaceTracker, TrackedFace

DETECTOR_SHARE = 0.25
"""The share of one core that the detector takes at most, for all viewers; where it is slower it searches less often."""
LATE_SECONDS = 0.2
"""Where a task takes longer, waiting included, the machine has too much to do, and fewer frames are asked for."""
MAX_FRAME_PAUSE = 0.1
"""Even then ten frames a second are processed, if the machine can."""


@dataclass(frozen=True)
class LiveSettings:
    """What a viewer may set while the video plays."""

    detections_per_second: float = 3.0
    """How often the picture is searched for faces; less often where the machine is too slow."""
    updates_per_second: float = 15.0
    """How often the expressions of known faces are looked at."""
    smallest_face: float = 0.125
    """Height of the smallest face that is looked for, as a share of the picture's shorter side. Less is slower."""
    smoothing_seconds: float = 0.5
    """Time constant of the average over time; 0 shows each moment as it is."""
    threshold: float = UNSURE_BELOW
    """A face whose confidence is lower is called unsure, 0..1."""
    mirror: bool = True
    """Whether people see themselves as in a mirror."""
    show_boxes: bool = True
    show_labels: bool = True
    show_bars: bool = True

    def __post_init__(self) -> None:
        if not (self.detections_per_second > 0 and self.updates_per_second > 0):
            raise ValueError("detections and updates per second must be more than 0")
        if not 0 < self.smallest_face <= 1 or not 0 <= self.threshold <= 1 or not self.smoothing_seconds >= 0:
            raise ValueError("expected smallest_face in 0..1, threshold in 0..1 and smoothing of 0 seconds or more")


class LiveEngine:
    """The model and the one thread that it runs in, for all viewers of a process."""

    def __init__(self, recognizer: Recognizer, executor: Executor | None = None) -> None:
        """Share a recognizer.

        Args:
            recognizer: what finds and names.
            executor: where the model runs; a thread of its own if not given. With `AtOnce` each task is done before the
                frame comes back: for files, where no frame may be left out, and for tests.
        """
        self.recognizer = recognizer
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="live-model")
        self._present: dict[int, float] = {}
        self._lock = threading.Lock()

    def submit(self, task: Callable[[], "Observation"]) -> "Future[Observation]":
        """Have a task done when its turn comes."""
        return self._executor.submit(task)

    def viewers(self, viewer: int, seconds: float) -> int:
        """Note that a viewer is there, and return how many have been there in the last two seconds."""
        with self._lock:
            self._present[viewer] = seconds
            self._present = {other: last for other, last in self._present.items() if last > seconds - 2}
            return len(self._present)


class AtOnce(Executor):
    """Does each task before `submit` returns."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]  # noqa: D102
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


@dataclass(frozen=True)
class Snapshot:
    """The newest frame, for whoever looks at it next."""

    image: np.ndarray
    gray: np.ndarray
    seconds: float
    places: dict[int, Detection]


@dataclass(frozen=True)
class Observation:
    """What the model saw in a frame: all faces, if the detector ran, else new probabilities of known ones."""

    snapshot: Snapshot
    found: list[Face] | None
    named: dict[int, tuple[float, ...]]
    detector_seconds: float = 0.0


class LiveAnalyzer:
    """One viewer's video. `process` is called by one thread; everything else may be called by any."""

    def __init__(self, engine: LiveEngine, settings: LiveSettings | None = None) -> None:
        """Start with nobody in view."""
        self.settings = settings or LiveSettings()  # replaced as a whole, so that a reader never sees a half
        self.history = History()
        self.frames = RateMeter()
        self.detections = RateMeter()
        self.updates = RateMeter()
        self.frame_pause = 0.0
        """Seconds to leave between frames, so that the model gets its turn on a busy machine."""
        self.viewers = 1
        """How many share the model."""
        self.delay_seconds = 0.0
        """How old the frame was that the last expressions were seen in."""
        self.engine = engine
        self._tracker = FaceTracker()
        self._lock = threading.Lock()
        self._snapshot: Snapshot | None = None
        self._task: Future[Observation] | None = None
        self._searched = -np.inf
        self._update_due = -np.inf
        self._detector_seconds = 0.0
        self._asked = 0.0

    @property
    def people(self) -> int:
        """How many different people have been in view."""
        return self._tracker.people

    def process(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        """Say who is where in a frame and what they show.

        Args:
            image: RGB uint8 (H, W, 3), kept for a moment and not changed. The size may change from frame to frame.
            seconds: when it was taken; must not go back.

        Returns:
            The faces in view, in pixels of this frame, ordered by their numbers.

        Raises:
            ImageError: the array is no RGB picture.
            Exception: what the model raised, once; the next frame goes on.
        """
        check_rgb(image)
        settings, gray = self.settings, small_gray(image)
        picture_wh = image.shape[1], image.shape[0]
        before = self._snapshot
        if before is not None and before.image.shape != image.shape:
            self._tracker.rescale(image.shape[1] / before.image.shape[1], image.shape[0] / before.image.shape[0])
        if before is not None and before.gray.shape == gray.shape:
            self._tracker.move(before.gray, gray, seconds, picture_wh)
        self._publish(image, gray, seconds)
        self.frames.count(seconds)
        try:
            self._take_in(gray, seconds, picture_wh, settings)  # of the last frames
            self._ask(seconds, settings)
            self._take_in(gray, seconds, picture_wh, settings)  # of this one, from an engine that answers at once
        finally:
            self._publish(image, gray, seconds)
        faces = self._tracker.faces()
        self.history.add(faces, seconds)
        return faces

    def _publish(self, image: np.ndarray, gray: np.ndarray, seconds: float) -> None:
        with self._lock:
            self._snapshot = Snapshot(image, gray, seconds, self._tracker.places())

    def _ask(self, seconds: float, settings: LiveSettings) -> None:
        """Give the model the next task, if it is time and the last one is done."""
        if self._task is not None:
            return
        self.viewers = self.engine.viewers(id(self), seconds)
        pause = max(1 / settings.detections_per_second, self._detector_seconds / DETECTOR_SHARE * self.viewers)
        search = seconds >= self._searched + pause
        if search or (seconds >= self._update_due and self._tracker.places()):
            if search:
                self._searched = seconds
            # From when it was due, not from now: else every wait for the next frame would lower the rate.
            self._update_due = max(self._update_due + 1 / settings.updates_per_second, seconds)
            self._asked = seconds
            self._task = self.engine.submit(lambda: self._look(search, settings))

    def _look(self, search: bool, settings: LiveSettings) -> Observation:
        """Run the model on the frame that is the newest when the turn has come; in the engine's thread."""
        with self._lock:
            snapshot = self._snapshot
        assert snapshot is not None  # a frame was published before anything was asked
        recognizer = self.engine.recognizer
        if search:
            began = time.perf_counter()
            detections = recognizer.detect(snapshot.image, settings.smallest_face)
            took = time.perf_counter() - began
            return Observation(snapshot, recognizer.classify(snapshot.image, detections), {}, took)
        faces = recognizer.classify(snapshot.image, list(snapshot.places.values()))
        named = {number: face.probabilities for number, face in zip(snapshot.places, faces, strict=True)}
        return Observation(snapshot, None, named)

    def _take_in(self, gray: np.ndarray, seconds: float, picture_wh: tuple[int, int], settings: LiveSettings) -> None:
        """Use what the model has seen meanwhile, in a frame that is a little older than this one."""
        if self._task is None or not self._task.done():
            return
        task, self._task = self._task, None
        seen = task.result()
        self.delay_seconds = seconds - seen.snapshot.seconds
        # Slower at once, faster little by little.
        self.frame_pause += 0.02 if seconds - self._asked > LATE_SECONDS else -0.005
        self.frame_pause = min(max(self.frame_pause, 0.0), MAX_FRAME_PAUSE)
        self.updates.count(seconds)
        if seen.found is None:
            self._tracker.named(seen.named, seconds, settings.smoothing_seconds)
            return
        self.detections.count(seconds)
        self._detector_seconds = seen.detector_seconds
        if seen.snapshot.image.shape[1::-1] != picture_wh:  # the resolution has changed since
            self._searched = -np.inf
            return
        self._tracker.found(self._brought_forward(seen, gray, picture_wh), seconds, settings.smoothing_seconds)

    def _brought_forward(self, seen: Observation, gray: np.ndarray, picture_wh: tuple[int, int]) -> list[Face]:
        """Return the faces found in an older frame of the same size at their places now."""
        found, then = seen.found or [], seen.snapshot
        if then.gray is gray or not found:
            return found
        places = follow(then.gray, gray, found, picture_wh)
        return [
            replace(face, box=place.box, landmarks=place.landmarks) if place else face
            for face, place in zip(found, places, strict=True)
        ]
