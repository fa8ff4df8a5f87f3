"""Reasons not to trust a reading, on made-up faces."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fer.faces import HUMAN_FROM, Box, Detection, Face
from fer.recognition.quality import (
    BRIGHT_ABOVE,
    DARK_BELOW,
    SMALL_BELOW_PX,
    concerns,
    mean_luma,
    yaw_ratio,
)

EYES_LEVEL = ((40.0, 40.0), (80.0, 40.0))


def face(
    *, height_px: float = 100, nose: tuple[float, float] = (60, 60), probabilities: tuple[float, ...] = (0.9, 0.1)
) -> Face:
    landmarks = (*EYES_LEVEL, nose, (45.0, 80.0), (75.0, 80.0))
    return Face(Box(0, 0, 100, height_px), landmarks, 1.0, labels=("a", "b"), probabilities=probabilities)


def test_a_good_face_raises_no_concern() -> None:
    assert concerns(face()) == concerns(replace(face(), luma=128.0)) == {}


@pytest.mark.parametrize(("height_px", "is_small"), [(SMALL_BELOW_PX - 1, True), (SMALL_BELOW_PX, False)])
def test_small(height_px: float, is_small: bool) -> None:
    found = concerns(face(height_px=height_px))
    assert list(found) == (["small"] if is_small else [])
    assert all(str(figure) in text for text in found.values() for figure in (height_px, SMALL_BELOW_PX))


@pytest.mark.parametrize(
    ("shade", "word"),
    [(0, "dark"), (DARK_BELOW - 1, "dark"), (DARK_BELOW + 1, None), (BRIGHT_ABOVE - 1, None), (255, "overexposed")],
)
def test_light(shade: int, word: str | None) -> None:
    assert list(concerns(replace(face(), luma=float(shade)))) == ([word] if word else [])


def test_brightness_is_luma() -> None:
    """Pure green is brighter than pure blue; swapped channels would only be invisible for red and blue."""
    colors = np.zeros((3, 3, 8, 8), np.uint8)
    colors[range(3), range(3)] = 255
    assert [mean_luma(color) for color in colors] == pytest.approx([0.299 * 255, 0.587 * 255, 0.114 * 255])
    assert mean_luma(np.array([[[10, 20], [30, 60]]], np.uint8)) == 30


@pytest.mark.parametrize(("nose_x", "is_turned"), [(60, False), (71, False), (73, True), (47, True), (49, False)])
def test_turned_away(nose_x: float, is_turned: bool) -> None:
    """Eyes 40 px apart: an offset of 0.3 of that, on either side of their midpoint at 60, is frontal."""
    assert bool(concerns(face(nose=(nose_x, 60)))) is is_turned


@pytest.mark.parametrize(
    ("roll_degrees", "words"), [(0, []), (45, []), (90, ["sideways"]), (-90, ["sideways"]), (180, ["sideways"])]
)
def test_sideways(roll_degrees: float, words: list[str]) -> None:
    cos, sin = math.cos(math.radians(roll_degrees)), math.sin(math.radians(roll_degrees))
    points = tuple((cos * x - sin * y, sin * x + cos * y) for x, y in face().landmarks)
    assert list(concerns(replace(face(), landmarks=points))) == words


@pytest.mark.parametrize(("score", "words"), [(None, 0), (1.0, 0), (HUMAN_FROM, 0), (HUMAN_FROM - 0.01, 1), (0.0, 1)])
def test_not_human_whatever_the_confidence(score: float | None, words: int) -> None:
    assert list(concerns(replace(face(), score_again=score))) == ["may not be a human face"][:words]


def test_unsure_and_mixed_exclude_each_other() -> None:
    assert list(concerns(face(probabilities=(0.55, 0.45)))) == ["mixed"]
    unsure = Face(face().box, face().landmarks, 1.0, labels=("a", "b", "c"), probabilities=(0.4, 0.3, 0.3))
    assert list(concerns(unsure)) == ["unsure"]


def test_the_unsure_threshold_can_be_chosen() -> None:
    assert list(concerns(face(), unsure_below=0.91)) == ["unsure"]
    assert concerns(face(), unsure_below=0.9) == {}


def test_concerns_add_up() -> None:
    found = concerns(replace(face(height_px=20, nose=(80, 60), probabilities=(0.5, 0.5)), luma=10.0))
    assert list(found) == ["small", "dark", "turned away", "mixed"]


@pytest.mark.parametrize("roll_degrees", [0, 30, -90, 180])
def test_yaw_does_not_depend_on_the_tilt_of_the_head(roll_degrees: float) -> None:
    cos, sin = math.cos(math.radians(roll_degrees)), math.sin(math.radians(roll_degrees))
    points = [(cos * x - sin * y, sin * x + cos * y) for x, y in (*EYES_LEVEL, (70.0, 65.0))]
    assert yaw_ratio(Detection(Box(0, 0, 1, 1), tuple(points), 1.0)) == pytest.approx(10 / 40)


@pytest.mark.parametrize("landmarks", [(), EYES_LEVEL, ((5.0, 5.0),) * 5])
def test_yaw_is_zero_without_landmarks(landmarks: tuple[tuple[float, float], ...]) -> None:
    assert yaw_ratio(Detection(Box(0, 0, 1, 1), landmarks, 1.0)) == 0
