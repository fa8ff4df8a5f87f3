"""Accuracy on degraded pictures, with a model that reads brightness."""

from functools import partial

import numpy as np
import numpy.typing as npt
import pytest

from fer.datasets.dataset import FaceDataset
from fer.evaluation.figures import Estimate
from fer.evaluation.robustness import Disturbance, brightness, mirrored, robustness
from fer.model.preprocessing import Preprocessing

PREPROCESSING = Preprocessing(size_px=16)
WAYS = (Disturbance("dark", "half", partial(brightness, factor=0.5)), Disturbance("mirrored", "", mirrored))


def _dataset(count: int) -> FaceDataset:
    """Return dark (label 0) and bright (label 1) pictures alternately."""
    pictures = [np.full((20, 20), 60 if number % 2 == 0 else 180, np.uint8) for number in range(count)]
    return FaceDataset(
        "shades", ("dim", "light"), np.eye(2, dtype=np.float32)[np.arange(count) % 2], np.full(count, "test"), pictures
    )


def _is_light(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
    assert pixels.shape[1:] == (1, 16, 16)
    light = pixels.mean(axis=(1, 2, 3)) / 255
    return np.column_stack([1 - light, light])


def test_what_degradations_cost() -> None:
    dataset = _dataset(10)
    seen: list[tuple[int, int]] = []
    found = robustness(
        dataset,
        np.arange(10),
        np.arange(10) % 2,
        PREPROCESSING,
        _is_light,
        disturbances=WAYS,
        progress=lambda *done: seen.append(done),
    )
    assert (found.n, found.of, found.clean) == (10, 10, Estimate(1.0, 1.0, 1.0))
    dark, turned = found.disturbed
    assert (dark.name, dark.setting, dark.n, dark.accuracy.value) == ("dark", "half", 10, 0.5)
    assert dark.difference.value == -0.5
    assert dark.difference.low is not None and -0.9 < dark.difference.low < -0.5
    assert (turned.accuracy.value, turned.difference) == (1.0, Estimate(0.0, 0.0, 0.0))
    assert seen == [(10, 30), (20, 30), (30, 30)]


def test_a_sample_is_reproducible_and_stores_its_population() -> None:
    dataset, rows = _dataset(300), np.arange(0, 300, 3)
    first, second = (
        robustness(dataset, rows, rows % 2, PREPROCESSING, _is_light, sample=40, disturbances=WAYS) for _ in range(2)
    )
    assert (first.n, first.of) == (40, 100)
    assert first == second
    assert first.clean.value == 1, "rows and truth stay together"


def test_a_sample_larger_than_the_data_is_everything() -> None:
    found = robustness(_dataset(6), np.arange(6), np.arange(6) % 2, PREPROCESSING, _is_light, sample=9, disturbances=())
    assert (found.n, found.disturbed) == (6, ())


def test_many_pictures_are_processed_in_parts() -> None:
    dataset = _dataset(600)
    seen: list[int] = []
    found = robustness(
        dataset,
        np.arange(600),
        np.arange(600) % 2,
        PREPROCESSING,
        _is_light,
        disturbances=WAYS,
        progress=lambda done, total: seen.append(done),
    )
    assert found.disturbed[0].accuracy.value == pytest.approx(0.5)
    assert seen == sorted(seen) and seen[-1] == 1800
