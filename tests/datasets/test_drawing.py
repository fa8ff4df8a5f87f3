"""Drawn faces: the same seed gives the same face, and the expression is visible in the picture."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from fer.datasets.drawing import EXPRESSIONS, draw_face, draw_portrait
from fer.labels import FERPLUS


def _random(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


def _brightness(expression: str, seed: int) -> npt.NDArray[np.float64]:
    """The full expression of one person, gray, (96, 96) float64."""
    face = draw_face(expression, _random(seed), size_px=96, strength=1.0)
    return cv2.cvtColor(face, cv2.COLOR_RGB2GRAY).astype(np.float64)


def test_there_is_a_movement_for_every_label() -> None:
    assert set(EXPRESSIONS) == set(FERPLUS)


@pytest.mark.parametrize("expression", FERPLUS)
@pytest.mark.parametrize("size_px", [16, 48, 224])
def test_a_face_is_a_square_rgb_picture(expression: str, size_px: int) -> None:
    face = draw_face(expression, _random(), size_px=size_px)
    assert face.shape == (size_px, size_px, 3)
    assert face.dtype == np.uint8
    assert face.std() > 10


def test_the_largest_size_works() -> None:
    assert draw_face("fear", _random(), size_px=1024).shape == (1024, 1024, 3)


def test_the_same_seed_gives_the_same_face_and_another_seed_another() -> None:
    first, again, other = (draw_face("anger", _random(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_one_generator_gives_different_faces() -> None:
    random = _random()
    assert not np.array_equal(draw_face("anger", random), draw_face("anger", random))


@pytest.mark.parametrize("expression", FERPLUS)
def test_strength_zero_is_the_neutral_face_of_that_person(expression: str) -> None:
    neutral = draw_face("neutral", _random())
    assert np.array_equal(draw_face(expression, _random(), strength=0.0), neutral)


@pytest.mark.parametrize("expression", [name for name in FERPLUS if name != "neutral"])
def test_a_stronger_expression_is_farther_from_neutral(expression: str) -> None:
    neutral, half, full = (
        draw_face(expression, _random(), size_px=96, strength=strength).astype(float) for strength in (0, 0.5, 1)
    )
    assert 0 < np.abs(half - neutral).mean() < np.abs(full - neutral).mean()


@pytest.mark.slow
def test_a_smile_lifts_the_mouths_corners_and_sadness_lowers_them() -> None:
    def mouth_line(expression: str, columns: slice) -> float:
        """The mean height of the darkest pixel below the nose: the line between the lips, in pixels from the top."""
        rows = range(66, 86)
        mouths = [_brightness(expression, seed)[rows.start : rows.stop, columns] for seed in range(60)]
        return float(np.mean([rows.start + mouth.argmin(axis=0).mean() for mouth in mouths]))

    def corners_below_the_middle_px(expression: str) -> float:
        left, middle, right = (
            mouth_line(expression, columns) for columns in (slice(34, 37), slice(46, 50), slice(59, 62))
        )
        return (left + right) / 2 - middle

    assert corners_below_the_middle_px("happiness") < corners_below_the_middle_px("neutral") - 1
    assert corners_below_the_middle_px("sadness") > corners_below_the_middle_px("neutral") + 1


def test_surprise_opens_the_mouth() -> None:
    openings = [
        _brightness("neutral", seed)[72:84, 44:52].mean() - _brightness("surprise", seed)[72:84, 44:52].mean()
        for seed in range(20)
    ]
    assert np.mean(openings) > 15


def test_a_portrait_returns_the_box_of_its_face() -> None:
    image, (x1, y1, x2, y2) = draw_portrait("happiness", _random(), width_px=320, height_px=240, face_height_px=100)
    assert image.shape == (240, 320, 3)
    assert image.dtype == np.uint8
    assert y2 - y1 == pytest.approx(100)
    assert 0 <= x1 < x2 <= 320
    assert 0 <= y1 < y2 <= 240


def _edges(count: int, seed: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Draw faces and describe them by the directions of their edges: (count, 1152), labels (count,)."""
    random, classes = _random(seed), np.arange(count) % len(FERPLUS)
    rows = []
    for label in classes:
        gray = cv2.cvtColor(draw_face(FERPLUS[label], random), cv2.COLOR_RGB2GRAY).astype(np.float32)
        across, down = cv2.Sobel(gray, cv2.CV_32F, 1, 0), cv2.Sobel(gray, cv2.CV_32F, 0, 1)
        direction = (np.arctan2(down, across) / (np.pi / 4)).round().astype(int) % 8
        energy = np.sqrt(np.hypot(across, down))[..., None] * np.eye(8, dtype=np.float32)[direction]
        rows.append(cv2.resize(energy, (12, 12), interpolation=cv2.INTER_AREA).ravel())
    features = np.array(rows, dtype=np.float64)
    return features / np.linalg.norm(features, axis=1, keepdims=True), classes


@pytest.mark.slow
def test_the_expression_of_a_stranger_can_be_learned() -> None:
    """Ridge regression on edges, trained on 1200 faces, distinguishes the expressions of 400 others."""
    features, classes = _edges(1200, seed=1)
    strangers, truth = _edges(400, seed=2)
    mean = features.mean(axis=0)
    centered = features - mean
    targets = np.eye(len(FERPLUS))[classes] - 1 / len(FERPLUS)
    weights = np.linalg.solve(centered.T @ centered + 0.3 * np.eye(features.shape[1]), centered.T @ targets)
    accuracy = float((((strangers - mean) @ weights).argmax(axis=1) == truth).mean())
    assert accuracy > 0.8, f"0.885 was measured, chance is 0.125, got {accuracy:.3f}"
