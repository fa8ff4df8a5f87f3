"""What may be set before a video is looked at, or while it plays."""

import math
from dataclasses import dataclass

from fer.errors import VideoError
from fer.faces import UNSURE_BELOW

MAX_SIDE_PX = 1920
"""Larger pictures are shrunk to this when they are decoded: four times as fast for 4K, and every face that shows an
expression still has pixels enough."""


@dataclass(frozen=True)
class VideoSettings:
    """How people are followed and drawn; a viewer may change it while the video plays."""

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


@dataclass(frozen=True)
class ClipOptions:
    """What of a video file is looked at, and how."""

    from_seconds: float = 0.0
    to_seconds: float | None = None
    """None: the end."""
    every: int = 1
    """1: every frame is looked at, 2: every other one, …"""
    per_second: float | None = None
    """At most so many frames a second are looked at."""
    smallest_face: float = VideoSettings.smallest_face
    """Height of the smallest face that is looked for, as a share of the picture's shorter side. Less is slower."""
    threshold: float | None = None
    """A face whose confidence is lower is called unsure in the annotated video, 0..1; None: the model's own."""
    rejoin: bool = True
    """Whether people who come back keep their numbers where clothes and hair tell, see `Reunion`."""
    median_neutral: bool = False
    """Whether each person's median face is taken for the own neutral, see `median_baselines`."""

    def __post_init__(self) -> None:
        if not 0 <= self.from_seconds < self.end:
            raise VideoError(
                f"expected a part of the video that begins before it ends, got {self.from_seconds:g} s to "
                f"{self.end:g} s."
            )
        if self.every < 1 or not (self.per_second is None or self.per_second > 0):
            raise VideoError(
                f"expected to look at every 1st, 2nd, … frame and at more than 0 a second, got every {self.every} and "
                f"{self.per_second} a second."
            )
        if not 0 < self.smallest_face <= 1:
            raise VideoError(f"expected the smallest face as a share in 0..1, got {self.smallest_face:g}.")

    @property
    def end(self) -> float:
        """Where looking ends, in seconds; infinite where the whole video is looked at."""
        return math.inf if self.to_seconds is None else self.to_seconds
