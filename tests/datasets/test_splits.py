"""No person, and no duplicate of a picture, is in two splits."""

import re
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from fer.datasets.dataset import FaceDataset
from fer.datasets.splits import complete_splits, folds, groups
from fer.errors import DatasetError
from tests.datasets.pictures import pattern

LABELS = ("anger", "fear", "happiness")


def _people(count: int = 30, pictures: int = 6) -> FaceDataset:
    """Return a data set of this many people, each with two pictures of each label."""
    total = count * pictures
    return FaceDataset(
        "people",
        LABELS,
        np.eye(3, dtype=np.float32)[np.arange(total) % 3],
        np.full(total, ""),
        [np.zeros((8, 8), np.uint8)] * total,
        subjects=np.array([f"S{number:03d}" for number in range(count) for _ in range(pictures)]),
    )


def _unknown(seeds: list[int], classes: list[int] | None = None) -> FaceDataset:
    """Return pictures of unknown people; equal seeds are duplicates."""
    votes = np.eye(3, dtype=np.float32)[classes or [seed % 3 for seed in seeds]]
    return FaceDataset("unknown", LABELS, votes, np.full(len(seeds), ""), [pattern(seed, 32) for seed in seeds])


def _sides(dataset: FaceDataset, of: np.ndarray) -> dict[str, set[str]]:
    sides = defaultdict(set)
    for key, split in zip(of.tolist(), dataset.splits.tolist(), strict=True):
        sides[key].add(split)
    return sides


# Splits


def test_nobody_is_in_two_splits() -> None:
    dataset = complete_splits(_people())
    assert all(len(splits) == 1 for splits in _sides(dataset, dataset.subjects).values())
    sizes = [len(dataset.rows(split)) for split in ("train", "validation", "test")]
    assert sizes == [144, 18, 18]


def test_each_class_is_held_out_even_if_people_stay_together() -> None:
    dataset = complete_splits(_people())
    for split in ("validation", "test"):
        assert np.bincount(dataset.truth(dataset.rows(split)), minlength=3).tolist() == [6, 6, 6]


def test_duplicates_are_in_one_split() -> None:
    seeds = [seed for seed in range(60) for _ in range(1 + seed % 2)]
    dataset = complete_splits(_unknown(seeds))
    assert all(len(splits) == 1 for splits in _sides(dataset, np.array(seeds)).values())
    for split in ("validation", "test"):
        assert np.bincount(dataset.truth(dataset.rows(split)), minlength=3).tolist() == [3, 3, 3]


def test_duplicates_with_different_labels_are_in_one_split() -> None:
    seeds = list(range(40)) + list(range(20))
    dataset = complete_splits(_unknown(seeds, [seed % 2 for seed in range(40)] + [2] * 20))
    assert all(len(splits) == 1 for splits in _sides(dataset, np.array(seeds)).values())
    assert set(dataset.splits) == {"train", "validation", "test"}


def test_a_group_larger_than_the_share_stays_in_train() -> None:
    dataset = complete_splits(_unknown([0] * 15 + list(range(1, 16)), [0] * 30))
    assert set(dataset.splits[:15]) == {"train"}


def test_completing_is_idempotent() -> None:
    for dataset in (_people(), _unknown(list(range(40)))):
        once = complete_splits(dataset)
        assert complete_splits(once).splits.tolist() == once.splits.tolist()
        assert complete_splits(dataset).splits.tolist() == once.splits.tolist()


def test_only_validation_is_cut_if_there_is_a_test_split() -> None:
    dataset = _people()
    given = replace(dataset, splits=np.where(np.arange(len(dataset)) < 60, "test", "train"))
    completed = complete_splits(given)
    assert (completed.splits[:60] == "test").all()
    assert set(completed.splits[60:]) == {"train", "validation"}
    assert all(len(splits) == 1 for splits in _sides(completed, completed.subjects).values())


def test_an_existing_split_is_kept_even_if_it_divides_people() -> None:
    dataset = _people(3)
    own = np.array(["train", "validation", "test"] * 6)
    assert complete_splits(replace(dataset, splits=own)).splits.tolist() == own.tolist()


@pytest.mark.parametrize(("count", "expected"), [(2, {"train"}), (3, {"train", "validation", "test"})])
def test_two_people_are_too_few_to_hold_one_out(count: int, expected: set[str]) -> None:
    assert set(complete_splits(_people(count)).splits) == expected


# Folds


def test_each_picture_is_tested_on_once_and_validated_with_once() -> None:
    parts = folds(_people(), 10)
    assert len(parts) == 10
    for split in ("test", "validation"):
        assert (sum((part.splits == split).astype(int) for part in parts) == 1).all()
    assert (parts[0].splits == "validation").tolist() == (parts[1].splits == "test").tolist()
    assert parts[2].name.startswith("people") and re.findall(r"\d+", parts[2].name) == ["3", "10"]


def test_people_are_in_one_split_of_every_fold() -> None:
    for part in folds(_people(), 5):
        assert all(len(splits) == 1 for splits in _sides(part, part.subjects).values())
        assert np.bincount(part.truth(part.rows("test")), minlength=3).tolist() == [12, 12, 12]


def test_duplicates_are_in_one_split_of_every_fold() -> None:
    seeds = [seed for seed in range(30) for _ in range(1 + seed % 2)]
    for part in folds(_unknown(seeds), 3):
        assert all(len(splits) == 1 for splits in _sides(part, np.array(seeds)).values())


def test_folds_are_the_same_every_time() -> None:
    first, second = folds(_people(), 4), folds(_people(), 4)
    assert [part.splits.tolist() for part in first] == [part.splits.tolist() for part in second]


def test_people_and_duplicates_are_linked_if_only_some_people_are_known() -> None:
    dataset = _unknown([0, 1, 2, 1, 3])
    dataset = replace(dataset, subjects=np.array(["A", "A", "B", "", ""]))
    group = groups(dataset)
    assert group[0] == group[1] == group[3]
    assert len({group[0], group[2], group[4]}) == 3


def test_fewer_people_than_folds_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"\b10 .*people.*\b9\b"):
        folds(_people(9), 10)


def test_fewer_different_pictures_than_folds_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"\b5 .*unknown.*\b4\b"):
        folds(_unknown([0, 1, 2, 3, 3, 3]), 5)


def test_too_few_pictures_of_every_class_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"\b5 .*unknown.*\b2\b"):
        folds(_unknown(list(range(6))), 5)


def test_two_folds_leave_nothing_to_train_on() -> None:
    with pytest.raises(DatasetError, match=r"\b3 .*\b2\b"):
        folds(_people(), 2)
