"""Analyze a camera or a stream: the newest frame counts, and the model never delays it.

    every frame        faces move with the optical flow                              LiveAnalyzer.process, a few ms
    in the background  the newest frame is searched for faces now and then, and
                       known faces are read a dozen times per second                 LiveEngine, one thread for all

There is one engine per process, and one analyzer per viewer. Each viewer has at most one task waiting, and tasks are
done in order of arrival, so the model's time is shared evenly; meanwhile viewers see the latest readings.

A task reads the faces of one viewer. One batch for several viewers would save a fifth of the network's time at most:
one face takes 2.1 ms, 4 take 7.2 ms and 12 take 20.2 ms (8 bits, one thread).
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fer.errors import VideoError
from fer.video.follow import Follower, Observation, Task, observe
from fer.video.hindsight import held_label
from fer.video.neutral import NEUTRAL_SECONDS, neutral_moment
from fer.video.recorder import Recorder
from fer.video.reunion import Reunion
from fer.video.settings import VideoSettings
from fer.video.tracking import TrackedFace, within

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer

DETECTOR_SHARE = 0.25
"""Largest share of one core for the detector, for all viewers; if it is too slow, it searches less often."""
LATE_SECONDS = 0.2
"""If a task takes longer, including the wait, the machine is overloaded, and fewer frames are processed."""
MAX_FRAME_PAUSE = 0.1
"""Longest pause between frames: an overloaded machine still processes ten frames per second, if it can."""
SAMPLE_SECONDS = 0.2
"""How often a reading is recorded; changes of the label are always recorded."""
MOST_ROWS = 40_000
"""More than two hours of one person."""


class RateMeter:
    """Counts events and measures their rate over the last few seconds."""

    def __init__(self, window_seconds: float = 2.0) -> None:
        self.total = 0
        self._window_seconds = window_seconds
        self._times: deque[float] = deque(maxlen=1000)

    def count(self, seconds: float) -> None:
        """Count an event; times must not go back."""
        self.total += 1
        self._times.append(seconds)

    def per_second(self, seconds: float) -> float:
        """Return the events per second at this time, over the window or since the first event."""
        recent = [time for time in list(self._times) if time > seconds - self._window_seconds]
        elapsed = min(self._window_seconds, seconds - self._times[0]) if recent else 0.0
        return len(recent) / max(elapsed, 0.5)


class LiveEngine:
    """The model and its one thread, shared by all viewers of a process."""

    def __init__(self, recognizer: "Recognizer", executor: Executor | None = None) -> None:
        """Share a recognizer.

        Args:
            recognizer: see `Recognizer.for_video`.
            executor: runs the model; a new thread by default.
        """
        self.recognizer = recognizer
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="live-model")
        self._present: dict[int, float] = {}
        self._lock = threading.Lock()

    def submit(self, task: Callable[[], Observation]) -> Future[Observation]:
        """Run a task when its turn comes."""
        return self._executor.submit(task)

    def viewers(self, viewer: int, seconds: float) -> int:
        """Note that a viewer is present, and return the number of viewers in the last two seconds."""
        with self._lock:
            self._present[viewer] = seconds
            self._present = {other: last for other, last in self._present.items() if last > seconds - 2}
            return len(self._present)


class LiveAnalyzer:
    """Analyzes one viewer's video. Call `process` from one thread only; everything else is thread-safe."""

    def __init__(self, engine: LiveEngine, settings: VideoSettings | None = None) -> None:
        self.settings = settings or VideoSettings()  # replaced as a whole, so that readers never see it half-changed
        info = engine.recognizer.info
        self.recorder = Recorder(info.labels, SAMPLE_SECONDS, MOST_ROWS, info.neutral)
        """The readings since the first frame."""
        self.frames = RateMeter()
        self.detections = RateMeter()
        self.updates = RateMeter()
        self.frame_pause = 0.0
        """Seconds to wait between frames, so that the model gets its turn on a busy machine."""
        self.viewers = 1
        """Number of viewers who share the model."""
        self.delay_seconds = 0.0
        """Age of the frame with the latest readings."""
        self.size_wh = (0, 0)
        """Size of the first frame; faces are recorded in its pixels."""
        self.engine = engine
        self.neutral_problem = ""
        """Why the own neutral that was last requested could not be measured."""
        self._neutral: tuple[int, float] | None = None
        """Whose own neutral is being measured, and the second when that starts."""
        self._held: dict[int, int] = {}
        """Person → index of the shown label, for people with an own neutral."""
        self._lock = threading.Lock()
        self._follower, self._reunion = Follower(), Reunion()
        self._task: Future[Observation] | None = None
        self._detector_seconds = 0.0
        self._asked = 0.0
        self._began: float | None = None

    @property
    def people(self) -> int:
        """Number of different people seen so far."""
        return self._reunion.people

    @property
    def newest(self) -> np.ndarray | None:
        """The newest frame, RGB uint8 (H, W, 3); None before the first."""
        snapshot = self._follower.snapshot
        return None if snapshot is None else snapshot.image

    def ask_neutral(self, person: int) -> None:
        """Measure a person's own neutral in the next three seconds, once earlier readings have faded."""
        self.neutral_problem = ""
        self._neutral = person, self.recorder.seconds + self.settings.smoothing_seconds

    def forget_neutral(self, person: int) -> None:
        """Remove a person's own neutral, and stop measuring it."""
        with self._lock:
            if self._neutral and self._neutral[0] == person:
                self._neutral = None
            self.recorder.baselines = {one: own for one, own in self.recorder.baselines.items() if one != person}

    @property
    def neutral_left(self) -> tuple[int, float] | None:
        """Whose own neutral is being measured, and the seconds left; None if nobody's is."""
        neutral = self._neutral
        return neutral and (neutral[0], max(neutral[1] + NEUTRAL_SECONDS - self.recorder.seconds, 0.0))

    def process(self, image: np.ndarray, seconds: float) -> list[TrackedFace]:
        """Return the people in a frame and their readings.

        Args:
            image: RGB uint8 (H, W, 3), kept for a moment and not changed. The size may change from frame to frame.
            seconds: when it was taken; must not go back.

        Returns:
            the faces in view, in pixels of this frame, ordered by number; own neutrals are subtracted.

        Raises:
            ImageError: the array is not an RGB picture.
            Exception: anything the model raised, once; the next frame works again.
        """
        self._follower.move(image, seconds)
        self.frames.count(seconds)
        settings = self.settings
        self._take_in(seconds, settings)
        self._ask(seconds, settings)
        faces = self._reunion.named(image, self._follower.faces(), seconds)
        if self._began is None:
            self._began, self.size_wh = seconds, (image.shape[1], image.shape[0])
        recorded = within(faces, image.shape[1::-1], self.size_wh)
        self.recorder.add(self.frames.total - 1, seconds - self._began, recorded)
        self._look_for_neutral()
        return self._shown(faces)

    def _look_for_neutral(self) -> None:
        """Measure the own neutral once its three seconds are over."""
        with self._lock:
            if self._neutral is None or self.recorder.seconds < self._neutral[1] + NEUTRAL_SECONDS:
                return
            (person, starts), self._neutral = self._neutral, None
            seen = self.recorder.timeline()
            try:
                own = neutral_moment(seen.rows, person, seen.neutral, starts)
                self.recorder.baselines = {**seen.baselines, person: own}
            except VideoError as error:
                self.neutral_problem = str(error)

    def _shown(self, faces: list[TrackedFace]) -> list[TrackedFace]:
        """Return the faces as they are drawn, own neutrals subtracted; recorded readings stay raw."""
        baselines, before, self._held = self.recorder.baselines, self._held, {}
        shown = []
        for face in faces:
            person = face.track_id or 0
            if baseline := baselines.get(person):
                probabilities = baseline.off(np.array(face.probabilities))
                held = held_label(probabilities, before.get(person))
                self._held[person] = held
                face = replace(face, probabilities=tuple(probabilities.tolist()), held=held, raw=face)
            shown.append(face)
        return shown

    def _ask(self, seconds: float, settings: VideoSettings) -> None:
        """Give the model its next task, if that is due and the last one is done."""
        if self._task is not None:
            return
        self.viewers = self.engine.viewers(id(self), seconds)
        task = self._follower.due(seconds, settings, self._detector_seconds / DETECTOR_SHARE * self.viewers)
        if task:
            self._asked = seconds
            self._task = self.engine.submit(lambda: self._look(task, settings))

    def _look(self, task: Task, settings: VideoSettings) -> Observation:
        """Run the model on the frame that is newest when its turn comes; in the engine's thread."""
        snapshot = self._follower.snapshot
        assert snapshot is not None  # a frame was added before the task
        return observe(self.engine.recognizer, snapshot, task, settings.smallest_face)

    def _take_in(self, seconds: float, settings: VideoSettings) -> None:
        """Use what the model found meanwhile."""
        if self._task is None or not self._task.done():
            return
        task, self._task = self._task, None
        seen = task.result()
        self.delay_seconds = seconds - seen.snapshot.seconds
        # Slow down at once, speed up gradually.
        self.frame_pause += 0.02 if seconds - self._asked > LATE_SECONDS else -0.005
        self.frame_pause = min(max(self.frame_pause, 0.0), MAX_FRAME_PAUSE)
        self.updates.count(seconds)
        if seen.found is not None:
            self.detections.count(seconds)
            self._detector_seconds = seen.detector_seconds
        self._follower.take_in(seen, seconds, settings.smoothing_seconds)
