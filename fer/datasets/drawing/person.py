"""Who is drawn: everything that does not depend on the expression, by chance."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fer.datasets.drawing.canvas import Color, mix


@dataclass(frozen=True)
class Person:
    """What does not depend on the expression. Ratios are relative to an average face; colours are RGB, 0..255."""

    skin: Color
    hair: Color
    iris: Color
    clothes: Color
    haircut: int
    """0 shaved, 1 short, 2 parted fringe, 3 long, 4 curly."""
    eye_distance: float
    """Between the pupils, in face units."""
    eye_size: float
    gaze: float
    """Of the pupils sideways, in face units."""
    brow_thickness: float
    brow_height: float
    """Above an average brow, in face units, as the next one."""
    rest_curve: float
    """How far the mouth's corners hang at rest."""
    head_width: float
    jaw_roundness: float
    nose_width: float
    mouth_width: float
    lip_thickness: float
    age: float
    """0..1: how deep the folds of skin are."""
    beard: float
    """0 none .. 1 dense."""
    glasses: bool
    shows_teeth: float
    """0 or 1: whether the lips part in a smile or in anger."""
    one_side: float
    """-1 or 1: the half of the picture in which one-sided units move."""
    light_side: float
    """-1..1: from where the face is lit."""


_SKINS = np.array(
    [(86, 56, 44), (118, 76, 54), (152, 100, 70), (186, 128, 90), (214, 162, 124), (232, 186, 152), (246, 212, 188)]
)
_HAIRS = np.array(
    [(28, 24, 26), (40, 30, 28), (66, 44, 32), (96, 64, 42), (136, 70, 40), (190, 148, 92), (150, 148, 148)]
)
_IRISES = np.array([(52, 34, 26), (74, 48, 30), (88, 70, 40), (70, 96, 76), (74, 104, 136)])


def random_person(rng: np.random.Generator) -> Person:
    """Draw a person by chance, as different as people are in hair, skin, build and age."""
    tone = rng.random() * (len(_SKINS) - 1)
    # Dark skin rarely goes with fair hair or blue eyes; the tables run from dark to fair.
    fairness = 0.35 + 0.65 * tone / (len(_SKINS) - 1)
    darker = int(tone)
    man = rng.random() < 0.5
    hair = _HAIRS[int(rng.random() * fairness * len(_HAIRS))] + rng.normal(0, 8)
    iris = _IRISES[int(rng.random() * fairness * len(_IRISES))]
    haircut = int(rng.choice(5, p=(0.15, 0.4, 0.25, 0.05, 0.15) if man else (0.02, 0.13, 0.2, 0.45, 0.2)))
    return Person(
        skin=mix(_color(_SKINS[darker]), _color(_SKINS[darker + 1]), tone - darker),
        hair=_color(hair),
        iris=_color(iris),
        clothes=_color(rng.uniform(50, 190) + rng.normal(0, 35, 3)),
        haircut=haircut,
        eye_distance=0.37 * rng.normal(1, 0.03),
        eye_size=rng.normal(1, 0.07),
        gaze=rng.normal(0, 0.008),
        brow_thickness=rng.uniform(0.8, 1.5) if man else rng.uniform(0.5, 1.0),
        brow_height=rng.normal(0, 0.01),
        rest_curve=rng.normal(-0.006, 0.005),
        head_width=rng.normal(0.415, 0.014),
        jaw_roundness=rng.uniform(0.72, 0.95),
        nose_width=rng.normal(1, 0.1),
        mouth_width=rng.normal(1, 0.06),
        lip_thickness=rng.normal(1, 0.15) * (0.9 if man else 1.15),
        age=rng.random(),
        beard=max(0.0, rng.uniform(-1.2, 1)) * man,
        glasses=rng.random() < 0.18,
        shows_teeth=float(rng.random() < 0.6),
        one_side=-1.0 if rng.random() < 0.5 else 1.0,
        light_side=rng.uniform(-1, 1),
    )


def _color(values: npt.NDArray[np.float64]) -> Color:
    red, green, blue = np.clip(values, 0, 255).tolist()
    return (red, green, blue)
