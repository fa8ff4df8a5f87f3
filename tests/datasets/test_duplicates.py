"""Duplicates are found however they were saved, and different pictures are not confused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from fer.datasets.dataset import FaceDataset
from fer.datasets.drawing import draw_face
from fer.datasets.duplicates import connected_groups, find_copies, small_version, small_versions
from fer.labels import FERPLUS
from tests.datasets.pictures import pattern


def _small(*pictures: np.ndarray) -> np.ndarray:
    return np.stack([small_version(np.stack([picture] * 3, axis=-1)) for picture in pictures])


def _saved_as_jpeg(picture: Image.Image) -> Image.Image:
    import io

    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=40)
    return Image.open(buffer)


CHANGES = {
    "the same": lambda picture: picture,
    "saved anew": _saved_as_jpeg,
    "brighter": lambda picture: ImageEnhance.Brightness(picture).enhance(1.15),
    "less contrast": lambda picture: ImageEnhance.Contrast(picture).enhance(0.6),
    "half the size": lambda picture: picture.resize((48, 48), Image.Resampling.BOX),
    "cropped a little": lambda picture: picture.crop((1, 1, 96, 96)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_modified_duplicate_is_found(change: str) -> None:
    faces = [draw_face(FERPLUS[number % 8], np.random.default_rng(number), size_px=96) for number in range(12)]
    gray = [Image.fromarray(face).convert("L") for face in faces]
    small = _small(*(np.array(face) for face in gray), np.array(CHANGES[change](gray[7])))
    assert find_copies(small).tolist() == [[7, 12]]


def test_different_pictures_are_no_duplicates() -> None:
    assert len(find_copies(_small(*(pattern(seed) for seed in range(300))))) == 0


def test_pairs_are_found_across_blocks_with_the_lower_index_first() -> None:
    pictures = [pattern(seed, 32) for seed in range(2500)]
    pictures[2400], pictures[1500] = pictures[3], pictures[3]
    pairs = {tuple(pair) for pair in find_copies(np.stack(pictures)).tolist()}
    assert pairs == {(3, 1500), (3, 2400), (1500, 2400)}


def test_plain_gray_pictures_are_no_duplicates() -> None:
    flat = np.full((48, 48), 90, np.uint8)
    assert find_copies(_small(flat, flat, np.zeros_like(flat), pattern(1))).tolist() == []
    assert find_copies(_small(flat)).shape == (0, 2)


def test_broken_pictures_are_black_and_no_duplicates(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"no picture")
    pictures: list[np.ndarray | Path] = [pattern(1), tmp_path / "1.png", tmp_path / "1.png"]
    dataset = FaceDataset("own", ("fear",), np.ones((3, 1), np.float32), np.array(["train"] * 3), pictures)
    seen: list[tuple[int, int]] = []
    small = small_versions(dataset, lambda *done: seen.append(done))
    assert small[1:].max() == 0
    assert find_copies(small).tolist() == []
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_chain_of_duplicates_is_one_group() -> None:
    group = connected_groups(np.array([[0, 2], [2, 4], [1, 3]]), 6)
    assert group[0] == group[2] == group[4]
    assert group[1] == group[3]
    assert len({group[0], group[1], group[5]}) == 3
    assert len(set(connected_groups(np.empty((0, 2), int), 4).tolist())) == 4
