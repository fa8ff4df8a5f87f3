"""Whole photos are told from crops of faces."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.datasets import open_dataset
from fer.evaluation.crops import warn_of_whole_photos


@pytest.mark.parametrize(("place", "is_whole"), [((0, 0, 512, 512), True), ((160, 40, 290, 190), False)])
def test_of_whole_photos_the_face_is_small(
    tmp_path: Path, astronaut: np.ndarray, place: tuple[int, int, int, int], is_whole: bool
) -> None:
    for word in ("happy", "sad"):
        (tmp_path / word).mkdir()
        for number in range(2):
            Image.fromarray(astronaut).crop(place).save(tmp_path / word / f"{number}.png")
    warnings = warn_of_whole_photos(open_dataset(tmp_path))
    assert len(warnings) == is_whole
    assert all("4 of the 4 " in text and "docs/training.md" in text for text in warnings)


def test_small_pictures_are_crops() -> None:
    assert warn_of_whole_photos(open_dataset(Path("synthetic:80"))) == []
