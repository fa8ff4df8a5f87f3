"""Means over bins match torch's area interpolation, for whole pictures, their tiles and many crops at once."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from fer.recognition.mtcnn import IntegralImage


def interpolated(image: np.ndarray, size_hw: tuple[int, int]) -> np.ndarray:
    pixels = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
    return ((interpolate(pixels, size=size_hw, mode="area") - 127.5) / 128).numpy()


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (75, 101, 3), dtype=np.uint8)


@pytest.mark.parametrize("size_hw", [(75, 101), (37, 50), (38, 51), (12, 17), (1, 1), (150, 130)])
def test_a_picture_in_another_size(image: np.ndarray, size_hw: tuple[int, int]) -> None:
    found = IntegralImage(image).resized(size_hw, slice(0, size_hw[0]), slice(0, size_hw[1]))
    assert found.dtype == np.float32 and found.flags.c_contiguous
    assert found == pytest.approx(interpolated(image, size_hw), abs=1e-6)


def test_a_tile_is_a_part_of_the_whole(image: np.ndarray) -> None:
    tile = IntegralImage(image).resized((40, 60), slice(7, 31), slice(12, 60))
    assert tile == pytest.approx(interpolated(image, (40, 60))[:, :, 7:31, 12:60], abs=1e-6)


@pytest.mark.parametrize("size_px", [24, 48])
def test_crops_shrunk_and_enlarged(image: np.ndarray, size_px: int) -> None:
    boxes = np.array([(0, 0, 101, 75), (3, 5, 33, 36), (60, 20, 101, 71), (10, 10, 11, 12), (7, 0, 55, 48)])
    found = IntegralImage(image).crops(boxes, size_px)
    assert found.shape == (5, 3, size_px, size_px) and found.flags.c_contiguous
    for crop, (x1, y1, x2, y2) in zip(found, boxes, strict=True):
        assert crop == pytest.approx(interpolated(image[y1:y2, x1:x2], (size_px, size_px))[0], abs=1e-6)


@pytest.mark.slow
def test_sums_that_overflow_have_correct_differences() -> None:
    white = np.full((4000, 4500, 3), 255, np.uint8)
    white[3000:, 4000:] = 10
    integral = IntegralImage(white)
    crops = integral.crops(np.array([(0, 0, 3000, 3000), (4100, 3100, 4400, 3900)]), 24)
    assert crops[0] == pytest.approx(127.5 / 128, abs=1e-6)
    assert crops[1] == pytest.approx(-117.5 / 128, abs=1e-6)
