"""Track the people in a video, from frames, their times, and what the model finds in them.

There are no threads, and no clock decides anything: the caller passes the times, and runs the model when it is due.

    clip   runs the model on each frame of a file before reading the next one
    live   continues while the model runs, and uses its findings when they are ready
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from fer.faces import Detection, Face
from fer.images import check_rgb
from fer.video.flow import follow, small_gray
from fer.video.settings import VideoSettings
from fer.video.tracking import FaceTracker, TrackedFace, overlap

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer

Draw = Callable[[np.ndarray, Sequence[TrackedFace], VideoSettings], np.ndarray]
"""(RGB uint8 (H, W, 3), faces, settings) → another such picture."""
Task = Literal["search", "update"]
"""Find all faces in a frame and read them, or read only the faces that are known."""
SAME_OVERLAP = 0.5
"""A detected face that overlaps somebody's place this much (intersection over union) is theirs."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A frame, and the places of the people in it by number, see `FaceTracker.places`."""

    image: np.ndarray
    gray: np.ndarray
    seconds: float
    places: dict[int, Detection]


@dataclass(frozen=True, eq=False)
class Observation:
    """What the model found in a frame: all faces if it searched, otherwise new readings of known people by number."""

    snapshot: Snapshot
    found: list[Face] | None
    named: dict[int, Face]
    detector_seconds: float = 0.0


def observe(recognizer: "Recognizer", snapshot: Snapshot, task: Task, smallest_face: float) -> Observation:
    """Run the model on a frame; a search has the detector look again at people who are new."""
    if task == "search":
        began = time.perf_counter()
        known = [place.box for place in snapshot.places.values() if place.score_again is not None]
        detections = [
            face
            if any(overlap(face.box, box) >= SAME_OVERLAP for box in known)
            else recognizer.look_again(snapshot.image, face)
            for face in recognizer.detect(snapshot.image, smallest_face)
        ]
        took = time.perf_counter() - began
        return Observation(snapshot, recognizer.classify(snapshot.image, detections), {}, took)
    faces = recognizer.classify(snapshot.image, list(snapshot.places.values()))
    return Observation(snapshot, None, dict(zip(snapshot.places, faces, strict=True)))


class Follower:
    """Track the people in one video. Times are seconds of one clock that never goes back. Not thread-safe."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        """The newest frame; replaced as a whole, so that other threads never see it half-changed."""
        self._tracker = FaceTracker()
        self._searched = self._update_due = -np.inf

    @property
    def people(self) -> int:
        """Number of different people seen so far."""
        return self._tracker.people

    def faces(self) -> list[TrackedFace]:
        """Return the faces in view, in pixels of the newest frame, ordered by number."""
        return self._tracker.faces()

    def see(
        self, recognizer: "Recognizer", image: np.ndarray, seconds: float, settings: VideoSettings
    ) -> list[TrackedFace]:
        """Add a frame, run the model on it if that is due, and return the faces in view.

        Raises:
            ImageError: the array is not an RGB picture.
        """
        snapshot = self.move(image, seconds)
        if task := self.due(seconds, settings):
            seen = observe(recognizer, snapshot, task, settings.smallest_face)
            self.take_in(seen, seconds, settings.smoothing_seconds)
        return self.faces()

    def move(self, image: np.ndarray, seconds: float) -> Snapshot:
        """Add a frame: people move with the optical flow.

        Args:
            image: RGB uint8 (H, W, 3), kept for a moment and not changed. The size may change from frame to frame.
            seconds: when it was taken; must not go back.

        Raises:
            ImageError: the array is not an RGB picture.
        """
        check_rgb(image)
        gray, before = small_gray(image), self.snapshot
        width, height = image.shape[1::-1]
        if before is not None and before.image.shape != image.shape:
            self._tracker.rescale(width / before.image.shape[1], height / before.image.shape[0])
        if before is not None and before.gray.shape == gray.shape:
            self._tracker.move(before.gray, gray, seconds, (width, height))
        self.snapshot = Snapshot(image, gray, seconds, self._tracker.places())
        return self.snapshot

    def due(self, seconds: float, settings: VideoSettings, shortest_pause_seconds: float = 0.0) -> Task | None:
        """Return what the model should do now, if anything; that counts as started.

        Args:
            seconds: now.
            settings: how often to search, and to read known faces.
            shortest_pause_seconds: the shortest pause between two searches, if they would load the machine too much.
        """
        search = seconds >= self._searched + max(1 / settings.detections_per_second, shortest_pause_seconds)
        if not search and not (seconds >= self._update_due and self._tracker.places()):
            return None
        if search:
            self._searched = seconds
        # Counted from when it was due, not from now: otherwise each wait for the next frame would lower the rate.
        self._update_due = max(self._update_due + 1 / settings.updates_per_second, seconds)
        return "search" if search else "update"

    def take_in(self, seen: Observation, seconds: float, smoothing_seconds: float) -> None:
        """Use what the model found, in the newest frame or in a slightly older one."""
        now = self.snapshot
        assert now is not None  # the observation is of a frame that was added
        if seen.found is None:
            self._tracker.named(seen.named, seconds, smoothing_seconds)
        elif seen.snapshot.image.shape != now.image.shape:  # the resolution has changed since
            self._searched = -np.inf
            return
        else:
            self._tracker.found(_brought_forward(seen.found, seen.snapshot, now), seconds, smoothing_seconds)
        self.snapshot = replace(now, places=self._tracker.places())


def _brought_forward(found: list[Face], then: Snapshot, now: Snapshot) -> list[Face]:
    """Move the faces found in a frame to their places in a later one of the same size."""
    if then.gray is now.gray or not found:
        return found
    places = follow(then.gray, now.gray, found, (now.image.shape[1], now.image.shape[0]))
    return [
        replace(face, box=place.box, landmarks=place.landmarks) if place else face
        for face, place in zip(found, places, strict=True)
    ]
