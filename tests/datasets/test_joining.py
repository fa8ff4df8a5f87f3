"""Several data sets as one."""

import re
from pathlib import Path

import numpy as np
import pytest

from fer.datasets import open_dataset, open_datasets
from fer.datasets.dataset import FaceDataset
from fer.datasets.joining import join
from fer.errors import DatasetError
from fer.labels import FERPLUS
from tests.datasets.pictures import pattern, write_picture


def _labeled(
    labels: tuple[str, ...], classes: list[int], splits: list[str], seeds: list[int], subjects: list[str] | None = None
) -> FaceDataset:
    return FaceDataset(
        "own",
        labels,
        np.eye(len(labels), dtype=np.float32)[classes],
        np.array(splits),
        [pattern(seed) for seed in seeds],
        subjects=np.array(subjects or [""] * len(classes)),
        notes=("of own",),
    )


def _rated() -> FaceDataset:
    votes = np.array([[0, 8, 0, 0, 0, 0, 0, 1, 1, 0], [1, 0, 0, 0, 0, 0, 0, 0, 0, 9]], np.float32)
    return FaceDataset(
        "rated", FERPLUS, votes[:, :8], np.array(["train", "test"]), [pattern(1), pattern(2)], votes[:, 8:]
    )


def test_labels_are_merged_by_meaning_in_the_order_of_ferplus() -> None:
    one = _labeled(("tired", "happiness", "Bored"), [0, 1, 2], ["train"] * 3, [1, 2, 3])
    two = _labeled(("fear", "bored", "joy", "neutral"), [0, 1, 2, 3], ["train"] * 4, [4, 5, 6, 7])
    joined = join([one, two])
    assert joined.labels == ("neutral", "happiness", "fear", "tired", "Bored")
    words = [joined.labels[label] for label in joined.truth(np.arange(7))]
    assert words == ["tired", "happiness", "Bored", "fear", "Bored", "happiness", "neutral"]
    assert (joined.name, joined.notes) == ("own + own", ("of own", "of own"))
    assert [np.array_equal(joined.picture(row)[..., 0], pattern(row + 1)) for row in range(7)] == [True] * 7


def test_votes_and_single_labels_count_side_by_side() -> None:
    joined = join([_rated(), _labeled(("happiness", "tired"), [1, 0], ["train", "test"], [3, 4])])
    assert joined.is_rated
    assert joined.labels == (*FERPLUS, "tired")
    assert joined.rows("all", "majority").tolist() == [0, 2, 3]
    assert joined.rows("all", "argmax").tolist() == [0, 2, 3]
    assert joined.distributions(np.array([0, 2, 3])).tolist() == np.eye(9)[[1, 8, 1]].tolist()
    assert joined.other_votes.tolist() == [[1, 0], [0, 9], [0, 0], [0, 0]]


def test_other_votes_of_two_data_sets_have_separate_columns() -> None:
    joined = join([_rated(), _rated()])
    assert joined.other_votes.shape[1] == 4
    assert joined.other_votes[-1].tolist() == [0, 0, 0, 9]


def test_people_of_two_data_sets_differ_and_unknown_ones_stay_unknown() -> None:
    one = _labeled(("fear", "anger"), [0, 1], ["train", "train"], [1, 2], ["S010", "S011"])
    two = _labeled(("fear", "anger"), [0, 1], ["train", "train"], [3, 4], ["S010", ""])
    assert join([one, two]).subjects.tolist() == ["1/S010", "1/S011", "2/S010", ""]


def test_pictures_used_for_test_in_another_data_set_are_left_out() -> None:
    one = _labeled(("fear",), [0] * 5, ["train", "train", "train", "validation", "test"], [1, 2, 3, 4, 5])
    two = _labeled(("fear",), [0] * 5, ["test", "validation", "train", "test", "train"], [1, 2, 3, 4, 5])
    joined = join([one, two])
    assert joined.splits.tolist() == ["train", "test", "test", "validation", "train", "test"]
    assert np.array_equal(joined.picture(0)[..., 0], pattern(3))
    assert joined.notes[-1].startswith("4 pictures ")


def test_duplicates_within_one_data_set_keep_their_splits() -> None:
    one = _labeled(("fear",), [0, 0], ["train", "test"], [1, 1])
    two = _labeled(("fear",), [0], ["train"], [2])
    assert len(join([one, two])) == 3


def test_a_single_data_set_is_unchanged() -> None:
    one = _rated()
    assert join([one]) is one


def test_several_paths_are_opened_as_one(tmp_path: Path) -> None:
    for number, name in enumerate(("angry", "happy")):
        write_picture(tmp_path / "mine" / name / "1.png", pattern(number))
    joined = open_datasets(["synthetic:80", tmp_path / "mine"])
    drawn = open_datasets(["synthetic:80"])
    assert drawn.name == open_dataset("synthetic:80").name
    assert joined.name.split(" + ") == [drawn.name, "mine"]
    assert len(joined) == 82
    assert joined.labels == FERPLUS


def test_no_path_and_one_path_twice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        open_datasets([])
    with pytest.raises(DatasetError, match=re.escape(str(tmp_path))):
        open_datasets([str(tmp_path), f"{tmp_path}/"])
