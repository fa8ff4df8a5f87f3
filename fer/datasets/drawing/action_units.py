"""The facial movements of each expression (Facial Action Coding System; Ekman, Friesen and Hager 2002)."""

from dataclasses import astuple, dataclass

import numpy as np
import numpy.typing as npt

from fer.labels import FERPLUS


@dataclass(frozen=True)
class ActionUnits:
    """How far each movement goes: 0 is at rest, 1 is the full movement. "One-sided" units move one half of the face."""

    inner_brow_raiser: float = 0.0  # AU1
    outer_brow_raiser: float = 0.0  # AU2
    brow_lowerer: float = 0.0  # AU4
    upper_lid_raiser: float = 0.0  # AU5
    cheek_raiser: float = 0.0  # AU6
    lid_tightener: float = 0.0  # AU7
    nose_wrinkler: float = 0.0  # AU9
    upper_lip_raiser: float = 0.0  # AU10
    lip_corner_puller: float = 0.0  # AU12
    one_sided_corner_puller: float = 0.0  # R12A
    one_sided_dimpler: float = 0.0  # R14A
    lip_corner_depressor: float = 0.0  # AU15
    lip_stretcher: float = 0.0  # AU20
    lip_tightener: float = 0.0  # AU23
    lips_part: float = 0.0  # AU25, only of persons who show their teeth
    jaw_drop: float = 0.0  # AU26


EXPRESSIONS: dict[str, ActionUnits] = {
    "neutral": ActionUnits(),
    "happiness": ActionUnits(cheek_raiser=1, lip_corner_puller=1, lips_part=1),
    "surprise": ActionUnits(inner_brow_raiser=0.9, outer_brow_raiser=1, upper_lid_raiser=0.9, jaw_drop=1),
    "sadness": ActionUnits(inner_brow_raiser=1, brow_lowerer=0.4, lip_corner_depressor=1),
    "anger": ActionUnits(brow_lowerer=1, upper_lid_raiser=0.3, lid_tightener=0.7, lip_tightener=1, lips_part=0.8),
    "disgust": ActionUnits(
        brow_lowerer=0.5, cheek_raiser=0.4, nose_wrinkler=1, upper_lip_raiser=1, lip_corner_depressor=0.6
    ),
    "fear": ActionUnits(
        inner_brow_raiser=1,
        outer_brow_raiser=0.4,
        brow_lowerer=0.6,
        upper_lid_raiser=1,
        lip_stretcher=1,
        jaw_drop=0.3,
    ),
    "contempt": ActionUnits(one_sided_corner_puller=1, one_sided_dimpler=1, lid_tightener=0.2),
}
"""The full movement of each label of `fer.labels.FERPLUS`."""


def movement_of(expression: str) -> npt.NDArray[np.float64]:
    """Return the expression's action units, (n,) float64, in the order of the fields."""
    if expression not in EXPRESSIONS:
        raise ValueError(f"unknown expression {expression!r}; known are {', '.join(FERPLUS)}")
    return np.array(astuple(EXPRESSIONS[expression]))
