"""The picture with the heat map."""

import numpy as np
import pytest

from fer.draw.picture import HEAT_PX, heat_picture, viridis

CROP = np.full((60, 60, 3), 128, np.uint8)
HEAT = np.zeros((3, 3), np.float32)
HEAT[2, 1] = 1.0


def test_the_map_is_bright_where_it_is_high() -> None:
    picture = heat_picture(CROP, HEAT)
    assert picture.shape == (HEAT_PX, HEAT_PX, 3) and picture.dtype == np.uint8
    luma = picture.astype(float) @ (0.299, 0.587, 0.114)
    row, column = np.unravel_index(luma.argmax(), luma.shape)
    assert row / HEAT_PX > 2 / 3 and 1 / 3 < column / HEAT_PX < 2 / 3
    assert luma[:100].max() < luma.max() / 2


def test_the_face_can_be_seen_under_the_map() -> None:
    lit = CROP.copy()
    lit[:, :30] = 250
    picture = heat_picture(lit, np.full((3, 3), 0.5, np.float32)).astype(float)
    assert picture[:, :100].mean() > picture[:, -100:].mean() + 30


@pytest.mark.parametrize("side", [20, 900])
def test_crops_of_any_size_give_the_same_size(side: int) -> None:
    picture = heat_picture(np.zeros((side, side, 3), np.uint8), np.ones((7, 7), np.float32))
    assert picture.shape == (HEAT_PX, HEAT_PX, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) == 1


def test_the_colors_become_brighter_step_by_step() -> None:
    luma = viridis(np.linspace(0, 1, 32)[None])[0].astype(float) @ (0.299, 0.587, 0.114)
    assert (np.diff(luma) > 0).all()
