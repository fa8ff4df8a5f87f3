"""Drawn faces as a data set: certain labels, all splits, always the same faces."""

from pathlib import Path

import numpy as np
import pytest

from fer.datasets.dataset import FaceDataset
from fer.datasets.synthetic import is_synthetic, open_synthetic
from fer.errors import DatasetError
from fer.labels import FERPLUS


def _content(dataset: FaceDataset, count: int = 80) -> list[bytes]:
    return [dataset.picture(row).tobytes() for row in range(count)]


@pytest.fixture(scope="module")
def eighty() -> FaceDataset:
    return open_synthetic(Path("synthetic:80"))


def test_every_split_has_every_expression_equally_often(eighty: FaceDataset) -> None:
    for split, count in (("train", 8), ("validation", 1), ("test", 1)):
        rows = eighty.rows(split, "majority")
        assert np.bincount(eighty.truth(rows)).tolist() == [count] * len(FERPLUS)


def test_the_faces_are_rgb_and_all_different(eighty: FaceDataset) -> None:
    pictures = [eighty.picture(row) for row in range(80)]
    assert {(picture.shape, picture.dtype.name) for picture in pictures} == {((48, 48, 3), "uint8")}
    assert len(set(_content(eighty))) == 80


def test_the_faces_are_reproducible(eighty: FaceDataset) -> None:
    again = open_synthetic(Path("synthetic:80"))
    assert _content(again) == _content(eighty)
    assert np.array_equal(again.splits, eighty.splits)


def test_more_faces_start_with_the_same_ones(eighty: FaceDataset) -> None:
    more = open_synthetic(Path("synthetic:96"))
    assert len(more) == 96
    assert _content(more) == _content(eighty)


@pytest.mark.parametrize("count", [0, 1, 79])
def test_too_few_are_refused(count: int) -> None:
    with pytest.raises(DatasetError, match=f"80 .*{count}.*synthetic:1000"):
        open_synthetic(Path(f"synthetic:{count}"))


def test_only_the_exact_word_matches() -> None:
    assert is_synthetic(Path("synthetic"))
    assert is_synthetic(Path("synthetic:500"))
    for other in ("synthetic:", "synthetic:many", "synthetic:-5", "synthetics", "data/synthetic"):
        assert not is_synthetic(Path(other))


def test_a_real_folder_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "synthetic").mkdir()
    monkeypatch.chdir(tmp_path)
    assert not is_synthetic(Path("synthetic"))
