"""The masks of facial parts match a drawn face."""

import numpy as np
import pytest

from fer.datasets.drawing import draw_portrait
from fer.faces import Box
from fer.model.preprocessing import Preprocessing
from fer.recognition.detector import FaceDetector
from fer.recognition.explain import TYPICAL_LANDMARKS, facial_parts


def center(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask).mean(axis=0)[::-1] / len(mask)


def test_parts_are_in_the_order_of_a_face() -> None:
    parts = {name: center(mask) for name, mask in facial_parts(TYPICAL_LANDMARKS, 96).items()}
    heights = [parts[f"the {name}"][1] for name in ("forehead", "brows", "eyes", "nose", "mouth", "chin")]
    assert heights == sorted(heights) and len(set(heights)) == 6
    assert parts["the left cheek"][0] < parts["the nose"][0] < parts["the right cheek"][0]


def test_parts_move_and_grow_with_the_face() -> None:
    smaller = 0.2 + 0.5 * TYPICAL_LANDMARKS
    parts, others = facial_parts(TYPICAL_LANDMARKS, 400), facial_parts(smaller, 400)
    for name in ("the brows", "the eyes", "the nose", "the mouth"):
        assert center(others[name]) == pytest.approx(0.2 + 0.5 * center(parts[name]), abs=0.005)
        assert others[name].sum() / parts[name].sum() == pytest.approx(0.25, abs=0.01)


def test_a_part_outside_the_crop_is_left_out() -> None:
    lower = TYPICAL_LANDMARKS + np.array([0, 0.15])
    assert "the chin" not in facial_parts(lower, 48)
    assert "the mouth" in facial_parts(lower, 48)


@pytest.mark.parametrize("landmarks", [np.empty((0, 2)), TYPICAL_LANDMARKS[:2]])
def test_without_landmarks_typical_places_are_used(landmarks: np.ndarray) -> None:
    parts, usual = facial_parts(landmarks, 48), facial_parts(TYPICAL_LANDMARKS, 48)
    assert all(np.array_equal(parts[name], usual[name]) for name in usual)


def test_the_detectors_landmarks_are_in_their_parts() -> None:
    image, box = draw_portrait("happiness", np.random.default_rng(4))
    (found,) = FaceDetector().detect(image)
    assert found.box.center == pytest.approx(Box(*box).center, abs=25)
    landmarks = Preprocessing().landmarks_in_crop(found)
    parts = facial_parts(landmarks, 200)
    for (x, y), name in zip(landmarks, ("eyes", "eyes", "nose", "mouth", "mouth"), strict=True):
        assert parts[f"the {name}"][int(200 * y), int(200 * x)]
        assert not parts["the surroundings"][int(200 * y), int(200 * x)]


def test_coinciding_landmarks_are_no_error() -> None:
    parts = facial_parts(np.full((5, 2), 0.5), 48)
    assert 0 < parts["the mouth"].sum() < 48 * 48 / 4


def test_a_profile_keeps_its_visible_parts() -> None:
    """The eyes of a profile nearly coincide, so the unit is the distance to the mouth."""
    profile = TYPICAL_LANDMARKS * np.array([0.1, 1]) + np.array([0.45, 0])
    assert facial_parts(profile, 48)["the eyes"].sum() >= 0.5 * facial_parts(TYPICAL_LANDMARKS, 48)["the eyes"].sum()
