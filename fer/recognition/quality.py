"""What makes a face hard to read, said in words, so that nobody trusts a guess."""

import numpy as np

from fer.faces import UNSURE_BELOW, Detection, Face

SMALL_BELOW_PX = 40
"""Of the box's height. The network was trained on faces of 48 pixels."""
DARK_BELOW = 50
BRIGHT_ABOVE = 215
"""Mean luma of the crop, 0..255."""
TURNED_ABOVE = 0.3
"""How far the nose lies from the middle between the eyes, as a share of their distance; a profile has 0.5 or more."""


def concerns(face: Face, crop: np.ndarray, unsure_below: float = UNSURE_BELOW) -> list[str]:
    """Say what speaks against trusting a prediction; an empty list where nothing does.

    Args:
        face: the prediction.
        crop: what `Preprocessing.crop` cut out, RGB uint8 (side, side, 3).
        unsure_below: confidence under which the prediction is called unsure, 0..1.
    """
    found = []
    if face.box.height < SMALL_BELOW_PX:
        found.append(f"small: {face.box.height:.0f} pixels high, {SMALL_BELOW_PX} or more read better")
    luma = float((crop @ np.array([0.299, 0.587, 0.114])).mean())
    if luma < DARK_BELOW:
        found.append("dark: more light on the face reads better")
    elif luma > BRIGHT_ABOVE:
        found.append("overexposed: less light on the face reads better")
    if abs(yaw_ratio(face)) > TURNED_ABOVE:
        found.append("turned away: a face seen from the front reads better")
    if face.confidence < unsure_below:
        found.append("unsure: no expression stands out")
    elif face.is_mixed:
        found.append("mixed: two expressions are about as likely")
    return found


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
