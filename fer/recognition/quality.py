"""What makes a face hard to read, said in words, so that nobody trusts a guess."""

import numpy as np

from fer.faces import UNSURE_BELOW, Detection, Face
from fer.model.preprocessing import LYING_DEGREES, roll_degrees

SMALL_BELOW_PX = 40
"""Of the box's height. The network was trained on faces of 48 pixels."""
DARK_BELOW = 50
BRIGHT_ABOVE = 215
"""Mean luma of the face, 0..255."""
TURNED_ABOVE = 0.3
"""How far the nose lies from the middle between the eyes, as a share of their distance; a profile has 0.5 or more."""
HUMAN_FROM = 0.99
"""Of `Detection.score_again`; `scripts/nonhuman.py` measures what that tells apart."""


def concerns(face: Face, unsure_below: float = UNSURE_BELOW) -> dict[str, str]:
    """Say what speaks against trusting a prediction: a word for each concern → what it means. Empty: nothing does.

    It is called unsure with a confidence under `unsure_below`, 0..1.
    """
    found = {}
    if face.box.height < SMALL_BELOW_PX:
        found["small"] = f"{face.box.height:.0f} pixels high, {SMALL_BELOW_PX} or more read better"
    if face.luma is not None and face.luma < DARK_BELOW:
        found["dark"] = "more light on the face reads better"
    elif face.luma is not None and face.luma > BRIGHT_ABOVE:
        found["overexposed"] = "less light on the face reads better"
    if abs(roll_degrees(face)) > LYING_DEGREES:
        found["sideways"] = "the picture seems to lie on its side or to stand on its head; turned it reads better"
    if abs(yaw_ratio(face)) > TURNED_ABOVE:
        found["turned away"] = "a face seen from the front reads better"
    if not looks_human(face):
        found["may not be a human face"] = "seen from beside or nearer, little of a face remains"
    if face.confidence < unsure_below:
        found["unsure"] = "no expression stands out"
    elif face.is_mixed:
        found["mixed"] = "two expressions are about as likely"
    return found


def looks_human(detection: Detection) -> bool:
    """Whether the detector, looking again, still sees the face of a person; True where it did not look again."""
    return detection.score_again is None or detection.score_again >= HUMAN_FROM


def mean_luma(pixels: np.ndarray) -> float:
    """Return how bright a face is, 0..255, of what the network sees: uint8 (1, S, S) in gray or (3, S, S) in RGB."""
    channels = pixels.mean(axis=(1, 2))
    return float(channels[0] if len(channels) == 1 else channels @ np.array([0.299, 0.587, 0.114]))


def yaw_ratio(detection: Detection) -> float:
    """Return how far the nose lies to the right of the middle between the eyes, along their line, in eye distances.

    0 in a face seen from the front, or where there are no landmarks.
    """
    if len(detection.landmarks) < 3:
        return 0.0
    left, right, nose = (np.array(point) for point in detection.landmarks[:3])
    across = right - left
    squared = float(across @ across)
    return float((nose - (left + right) / 2) @ across) / squared if squared else 0.0
