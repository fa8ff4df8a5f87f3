"""Settings for analyzing live videos and video files."""

import math
from dataclasses import dataclass

from fer.errors import VideoError
from fer.faces import UNSURE_BELOW

MAX_SIDE_PX = 1920
"""Larger pictures are shrunk to this when decoded: four times as fast for 4K, and faces large enough to read still have
enough pixels."""


@dataclass(frozen=True)
class VideoSettings:
    """How people are tracked and drawn; a viewer may change this while the video plays."""

    detections_per_second: float = 3.0
    """How often the picture is searched for faces; less often if the machine is too slow."""
    updates_per_second: float = 15.0
    """How often known faces are read."""
    smallest_face: float = 0.125
    """Height of the smallest face to look for, as a share of the picture's shorter side. Smaller is slower."""
    smoothing_seconds: float = 0.5
    """Time constant of the average over time; 0 turns averaging off."""
    threshold: float = UNSURE_BELOW
    """A face whose confidence is lower is called unsure, 0..1."""
    mirror: bool = True
    """Whether the picture is mirrored."""
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
    """Which part of a video file is analyzed, and how."""

    from_seconds: float = 0.0
    to_seconds: float | None = None
    """None: the end."""
    every: int = 1
    """1: every frame is analyzed, 2: every other frame, …"""
    per_second: float | None = None
    """Largest number of frames per second to analyze; None: all."""
    smallest_face: float = VideoSettings.smallest_face
    """Height of the smallest face to look for, as a share of the picture's shorter side. Smaller is slower."""
    threshold: float | None = None
    """A face whose confidence is lower is called unsure in the annotated video, 0..1; None: the model's threshold."""
    rejoin: bool = True
    """Whether people who return keep their number, see `Reunion`."""
    median_neutral: bool = False
    """Whether each person's median face is used as their own neutral, see `median_baselines`."""

    def __post_init__(self) -> None:
        if not 0 <= self.from_seconds < self.end:
            raise VideoError(
                f"expected a part of the video that starts before it ends, got {self.from_seconds:g} s to "
                f"{self.end:g} s. Choose an earlier start or a later end."
            )
        if self.every < 1 or not (self.per_second is None or self.per_second > 0):
            raise VideoError(
                f"expected to analyze every 1st, 2nd, … frame and more than 0 per second, got every {self.every} and "
                f"{self.per_second} per second. Give larger numbers."
            )
        if not 0 < self.smallest_face <= 1:
            raise VideoError(
                f"expected the smallest face as a share of the shorter side, above 0 and at most 1, got "
                f"{self.smallest_face:g}. Give a share in that range."
            )

    @property
    def end(self) -> float:
        """Where the analysis ends, in seconds; infinite for the end of the video."""
        return math.inf if self.to_seconds is None else self.to_seconds
