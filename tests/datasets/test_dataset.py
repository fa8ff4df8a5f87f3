"""Which pictures count, what their truth is, and how they are prepared."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fer.datasets.dataset import FaceDataset, prepare_faces, some_faces
from fer.errors import DatasetError, ImageError
from fer.images import encode_png
from fer.labels import FERPLUS
from fer.model.preprocessing import Preprocessing

# neutral happiness surprise sadness anger disgust fear contempt | unknown NF
VOTES = {
    "six of ten": (6, 4, 0, 0, 0, 0, 0, 0, 0, 0),
    "exactly half": (5, 5, 0, 0, 0, 0, 0, 0, 0, 0),
    "half, the rest slips": (5, 1, 1, 1, 1, 1, 0, 0, 0, 0),
    "mostly unknown": (0, 4, 0, 0, 0, 0, 0, 0, 6, 0),
    "as often no face": (0, 0, 0, 5, 0, 0, 0, 0, 0, 5),
    "nobody agrees": (1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    "four, three, three": (0, 0, 3, 4, 3, 0, 0, 0, 0, 0),
    "three, two and slips": (0, 2, 0, 0, 3, 1, 1, 1, 1, 1),
    "more than unknown": (1, 0, 1, 0, 0, 0, 4, 0, 3, 1),
    "a slip that ties": (0, 0, 0, 0, 0, 4, 0, 4, 1, 1),
    "no votes": (0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
}
NAMES = list(VOTES)


def _rated(votes: npt.ArrayLike | None = None, splits: list[str] | None = None) -> FaceDataset:
    table = np.array(list(VOTES.values()) if votes is None else votes, np.float32)
    return FaceDataset(
        name="ten raters",
        labels=FERPLUS,
        votes=table[:, :8],
        other_votes=table[:, 8:],
        splits=np.array(splits or ["test"] * len(table)),
        pictures=np.zeros((len(table), 24, 24), np.uint8),
    )


def _labeled(classes: list[int], pictures: list[np.ndarray | Path]) -> FaceDataset:
    one_hot = np.eye(3, dtype=np.float32)[classes]
    return FaceDataset("own", ("fear", "anger", "tired"), one_hot, np.array(["train"] * len(classes)), pictures)


# ---------------------------------------------------------------------------------------------- which pictures count


def test_a_majority_has_more_than_half_of_the_counted_votes() -> None:
    counting = [NAMES[row] for row in _rated().rows("all", "majority")]
    assert counting == ["six of ten", "half, the rest slips", "three, two and slips", "more than unknown"]


def test_the_top_vote_may_be_tied_but_not_beaten_by_another_choice() -> None:
    left_out = set(NAMES) - {NAMES[row] for row in _rated().rows("all", "argmax")}
    assert left_out == {"mostly unknown", "no votes"}


def test_single_votes_are_ignored_unless_there_are_no_others() -> None:
    votes, other = _rated().counted_votes()
    row = NAMES.index("three, two and slips")
    assert votes[row].tolist() == [0, 2, 0, 0, 3, 0, 0, 0]
    assert other[row].tolist() == [0, 0]
    row = NAMES.index("nobody agrees")
    assert votes[row].tolist() == [1] * 8
    assert other[row].tolist() == [1, 1]


def test_counting_changes_no_votes() -> None:
    dataset = _rated()
    dataset.counted_votes()
    assert np.array_equal(np.hstack([dataset.votes, dataset.other_votes]), list(VOTES.values()))


def test_the_truth_is_the_top_vote_and_the_first_of_equals() -> None:
    dataset = _rated()
    truth = [FERPLUS[label] for label in dataset.truth(np.arange(len(dataset)))]
    assert truth[:5] == ["neutral", "neutral", "neutral", "happiness", "sadness"]
    assert truth[5:10] == ["neutral", "sadness", "anger", "fear", "disgust"]


def test_the_distribution_is_the_share_of_counted_votes_for_labels() -> None:
    dataset = _rated()
    rows = np.array([NAMES.index(name) for name in ("six of ten", "three, two and slips", "more than unknown")])
    shares = dataset.distributions(rows)
    assert shares.dtype == np.float32
    assert shares == pytest.approx(
        np.array([[0.6, 0.4, 0, 0, 0, 0, 0, 0], [0, 0.4, 0, 0, 0.6, 0, 0, 0], [0, 0, 0, 0, 0, 0, 1, 0]])
    )


@pytest.mark.parametrize("rule", ["majority", "argmax"])
def test_every_row_that_counts_has_a_distribution(rule: str) -> None:
    dataset = _rated()
    shares = dataset.distributions(dataset.rows("all", rule))
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(shares)))


@pytest.mark.parametrize("rule", ["majority", "argmax"])
def test_a_single_label_per_picture_always_counts(rule: str) -> None:
    dataset = _labeled([2, 0, 1], [np.zeros((24, 24), np.uint8)] * 3)
    assert not dataset.is_rated
    assert dataset.rows("all", rule).tolist() == [0, 1, 2]
    assert dataset.truth(np.array([0, 2])).tolist() == [2, 1]
    assert dataset.distributions(np.array([0])).tolist() == [[0, 0, 1]]
    assert dataset.other_votes.shape == (3, 0)


def test_rows_of_a_split() -> None:
    dataset = _rated([[9, 0, 0, 0, 0, 0, 0, 0, 0, 0]] * 5, ["test", "train", "validation", "train", "test"])
    assert dataset.rows("train").tolist() == [1, 3]
    assert dataset.rows("validation").tolist() == [2]
    assert dataset.rows("test").tolist() == [0, 4]
    assert dataset.rows().tolist() == [0, 1, 2, 3, 4]


def test_an_unknown_split_or_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(DatasetError, match=r"train, validation, test.*'dev'"):
        _rated().rows("dev")
    with pytest.raises(DatasetError, match=r"majority.*argmax.*'most'"):
        _rated().rows("all", "most")


def test_a_data_set_without_pictures_is_refused() -> None:
    with pytest.raises(DatasetError, match="ten raters"):
        _rated(np.empty((0, 10)))


@pytest.mark.slow
def test_the_published_votes_give_the_published_counts(shared_faces: Path) -> None:
    """FER+ papers test on 3,137 pictures; 25,045 and 3,191 are the majority counts of the other splits."""
    with (shared_faces / "faces.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    words = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
    table = [[float(line[choice]) for choice in (*FERPLUS, "unknown", "NF")] for line in lines]
    dataset = _rated(table, [words[line["usage"]] for line in lines])
    majority = [len(dataset.rows(split, "majority")) for split in ("train", "validation", "test")]
    assert majority == [25_045, 3_191, 3_137]
    assert len(dataset.rows("train", "argmax")) == 28_385


# ---------------------------------------------------------------------------------------------- pictures


def test_every_picture_comes_as_rgb(tmp_path: Path) -> None:
    gray = np.random.default_rng(0).integers(0, 256, (24, 30), np.uint8)
    color = np.random.default_rng(1).integers(0, 256, (24, 30, 3), np.uint8)
    (tmp_path / "face.png").write_bytes(encode_png(color))
    dataset = _labeled([0, 0, 0], [gray, color, tmp_path / "face.png"])
    assert np.array_equal(dataset.picture(0), np.stack([gray] * 3, axis=-1))
    assert np.array_equal(dataset.picture(1), color)
    assert np.array_equal(dataset.picture(2), color)


def test_people_are_unknown_by_default() -> None:
    assert _rated().subjects.tolist() == [""] * len(VOTES)


def test_a_subset_has_everything_of_its_rows(tmp_path: Path) -> None:
    (tmp_path / "angry").mkdir()
    (tmp_path / "angry" / "face.png").write_bytes(encode_png(np.full((24, 24, 3), 9, np.uint8)))
    dataset = _labeled([2, 0, 1], [np.zeros((24, 24), np.uint8), tmp_path / "angry" / "face.png", tmp_path])
    dataset = replace(dataset, subjects=np.array(["A", "B", "C"]), splits=np.array(["train", "test", "train"]))
    part = dataset.take(np.array([1, 0]))
    assert len(part) == 2
    assert part.subjects.tolist() == ["B", "A"]
    assert part.splits.tolist() == ["test", "train"]
    assert part.truth(np.arange(2)).tolist() == [0, 2]
    assert part.other_votes.shape == (2, 0)
    assert part.picture(0).max() == 9
    assert [part.name_of(row) for row in range(2)] == ["angry/face.png", "picture 2"]


def test_a_missing_folder_is_not_a_broken_picture(tmp_path: Path) -> None:
    dataset = _labeled([0, 1], [np.zeros((24, 24), np.uint8), tmp_path / "gone" / "1.png"])
    with pytest.raises(DatasetError, match=r"/gone .*own"):
        prepare_faces(dataset, np.arange(2), Preprocessing())


def test_prepared_faces_are_the_shrunk_pictures_in_order() -> None:
    pictures = list(np.random.default_rng(0).integers(0, 256, (4, 30, 24), np.uint8))
    dataset, preprocessing = _labeled([0, 1, 2, 0], pictures), Preprocessing(size_px=16)
    prepared = prepare_faces(dataset, np.array([1, 3]), preprocessing)
    assert prepared.rows.tolist() == [1, 3]
    assert prepared.broken == ()
    assert prepared.pixels.dtype == np.uint8
    for pixels, row in zip(prepared.pixels, (1, 3), strict=True):
        assert np.array_equal(pixels, preprocessing.shrink(dataset.picture(row)))


def test_calibration_takes_training_pictures_only() -> None:
    pictures = [np.full((16, 16), shade, np.uint8) for shade in (0, 50, 100, 150, 200, 250)]
    splits = np.array(["train", "validation", "test"] * 2)
    dataset = replace(_labeled([0, 1, 2, 0, 1, 2], pictures), splits=splits)
    faces = some_faces(dataset, Preprocessing(size_px=16), 512)
    assert faces.shape == (2, 1, 16, 16) and {*faces[:, 0, 0, 0].tolist()} == {0, 150}
    assert len(some_faces(dataset, Preprocessing(size_px=16), 1)) == 1
    with pytest.raises(DatasetError):
        some_faces(replace(dataset, splits=np.full(6, "test")), Preprocessing(), 512)


def test_broken_pictures_are_left_out_and_named(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    white = np.full((24, 24), 255, np.uint8)
    dataset = _labeled([0, 1, 2, 0], [tmp_path / "text.png", white, tmp_path / "gone.png", white // 2])
    seen: list[tuple[int, int]] = []
    prepared = prepare_faces(dataset, np.arange(4), Preprocessing(), lambda *done: seen.append(done))
    assert prepared.rows.tolist() == [1, 3]
    assert prepared.pixels[:, 0, 0, 0].tolist() == [255, 127]
    assert ["text.png" in prepared.broken[0], "gone.png" in prepared.broken[1]] == [True, True]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    with pytest.raises(ImageError, match="gone"):
        dataset.picture(2)


def test_only_broken_pictures_are_an_error(tmp_path: Path) -> None:
    dataset = _labeled([0, 1], [tmp_path / "one.png", tmp_path / "two.png"])
    with pytest.raises(DatasetError, match=r"\b2 .*own .*one\.png"):
        prepare_faces(dataset, np.arange(2), Preprocessing())


def test_no_rows_give_no_faces() -> None:
    prepared = prepare_faces(_labeled([0], [np.zeros((24, 24), np.uint8)]), np.array([], int), Preprocessing())
    assert prepared.pixels.shape == (0, 1, 48, 48)
    assert prepared.rows.tolist() == []
