"""A random person, and the facial movements of each expression.

After the Facial Action Coding System (Ekman, Friesen and Hager 2002).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer.datasets.drawing.canvas import Color, mix

_SKINS = np.array(
    [(86, 56, 44), (118, 76, 54), (152, 100, 70), (186, 128, 90), (214, 162, 124), (232, 186, 152), (246, 212, 188)]
)
_HAIRS = np.array(
    [(28, 24, 26), (40, 30, 28), (66, 44, 32), (96, 64, 42), (136, 70, 40), (190, 148, 92), (150, 148, 148)]
)
_IRISES = np.array([(52, 34, 26), (74, 48, 30), (88, 70, 40), (70, 96, 76), (74, 104, 136)])


class Person:
    """What does not depend on the expression. Ratios are relative to an average face, colors RGB, 0..255."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Create a random person, with the variety of hair, skin, build and age of real people."""
        tone = rng.random() * (len(_SKINS) - 1)
        # Dark skin rarely goes with fair hair or blue eyes; the tables run from dark to fair.
        fairness = 0.35 + 0.65 * tone / (len(_SKINS) - 1)
        darker = int(tone)
        man = rng.random() < 0.5
        hair = _HAIRS[int(rng.random() * fairness * len(_HAIRS))] + rng.normal(0, 8)
        iris = _IRISES[int(rng.random() * fairness * len(_IRISES))]
        # 0 shaved, 1 short, 2 parted fringe, 3 long, 4 curly.
        self.haircut = int(rng.choice(5, p=(0.15, 0.4, 0.25, 0.05, 0.15) if man else (0.02, 0.13, 0.2, 0.45, 0.2)))
        self.skin = mix(_color(_SKINS[darker]), _color(_SKINS[darker + 1]), tone - darker)
        self.hair, self.iris = _color(hair), _color(iris)
        self.clothes = _color(rng.uniform(50, 190) + rng.normal(0, 35, 3))
        self.eye_distance = 0.37 * rng.normal(1, 0.03)  # between the pupils, in face units
        self.eye_size = rng.normal(1, 0.07)
        self.gaze = rng.normal(0, 0.008)  # sideways offset of the pupils, in face units
        self.brow_thickness = rng.uniform(0.8, 1.5) if man else rng.uniform(0.5, 1.0)
        self.brow_height = rng.normal(0, 0.01)  # above an average brow, in face units, like the next one
        self.rest_curve = rng.normal(-0.006, 0.005)  # how far the corners of the mouth hang at rest
        self.head_width = rng.normal(0.415, 0.014)
        self.jaw_roundness = rng.uniform(0.72, 0.95)
        self.nose_width = rng.normal(1, 0.1)
        self.mouth_width = rng.normal(1, 0.06)
        self.lip_thickness = rng.normal(1, 0.15) * (0.9 if man else 1.15)
        self.age = rng.random()  # 0..1: how deep the folds of skin are
        self.beard = max(0.0, rng.uniform(-1.2, 1)) * man  # 0 none .. 1 dense
        self.glasses = rng.random() < 0.18
        self.shows_teeth = float(rng.random() < 0.6)  # whether the lips part in a smile or in anger
        self.one_side = -1.0 if rng.random() < 0.5 else 1.0  # the half of the picture in which one-sided units move
        self.light_side = rng.uniform(-1, 1)  # the side that the light comes from


def _color(values: npt.NDArray[np.float64]) -> Color:
    red, green, blue = np.clip(values, 0, 255).tolist()
    return (red, green, blue)


@dataclass(frozen=True)
class ActionUnits:
    """The strength of each movement: 0 at rest, 1 in full. "One-sided" units move one half of the face."""

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
    lips_part: float = 0.0  # AU25, only for people who show their teeth
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
