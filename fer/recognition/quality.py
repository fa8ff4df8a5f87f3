"""Reasons that make a face hard to read, in words, so that nobody trusts a guess."""

import numpy as np

from fer.faces import NOT_HUMAN, UNSURE_BELOW, Detection, Face
from fer.model.preprocessing import LYING_DEGREES, roll_degrees

SMALL_BELOW_PX = 40
"""Height of the box. The network was trained on faces of 48 pixels."""
DARK_BELOW = 50
BRIGHT_ABOVE = 215
"""Mean luma of the face, 0..255."""
TURNED_ABOVE = 0.3
"""Distance of the nose from the midpoint between the eyes, as a share of the eye distance; 0.5 or more in a profile."""
NOT_HUMAN_MEANS = "on a second look, the detector is not sure that this is a face"


def concerns(face: Face, unsure_below: float = UNSURE_BELOW) -> dict[str, str]:
    """Return the reasons not to trust a reading: keyword → explanation. Empty if there are none.

    A face is unsure if its confidence is below `unsure_below`, 0..1.
    """
    found = {}
    if face.box.height < SMALL_BELOW_PX:
        found["small"] = f"{face.box.height:.0f} pixels high; faces of at least {SMALL_BELOW_PX} are easier to read"
    if face.luma is not None and face.luma < DARK_BELOW:
        found["dark"] = "more light on the face would help"
    elif face.luma is not None and face.luma > BRIGHT_ABOVE:
        found["overexposed"] = "less light on the face would help"
    if abs(roll_degrees(face)) > LYING_DEGREES:
        found["sideways"] = "the picture seems to be sideways or upside down; rotating it would help"
    if abs(yaw_ratio(face)) > TURNED_ABOVE:
        found["turned away"] = "a frontal face is easier to read"
    if not face.looks_human:
        found[NOT_HUMAN] = NOT_HUMAN_MEANS
    if face.confidence < unsure_below:
        found["unsure"] = "no expression stands out"
    elif face.is_mixed:
        found["mixed"] = "two expressions are about equally likely"
    return found


def mean_luma(pixels: np.ndarray) -> float:
    """Return the brightness of a face, 0..255, from a network input: uint8 (1, S, S) in gray or (3, S, S) in RGB."""
    channels = pixels.mean(axis=(1, 2))
    return float(channels[0] if len(channels) == 1 else channels @ np.array([0.299, 0.587, 0.114]))


def yaw_ratio(detection: Detection) -> float:
    """Return how far the nose is to the right of the midpoint between the eyes, along their line, in eye distances.

    0 for a frontal face, or without landmarks.
    """
    if len(detection.landmarks) < 3:
        return 0.0
    (x1, y1), (x2, y2), (x, y) = detection.landmarks[:3]
    across, down = x2 - x1, y2 - y1
    squared = across**2 + down**2
    return ((x - (x1 + x2) / 2) * across + (y - (y1 + y2) / 2) * down) / squared if squared else 0.0
