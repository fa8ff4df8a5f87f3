"""Class folders, with and without split folders above them, valid and broken."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.datasets import folders
from fer.datasets.dataset import FaceDataset, prepare_faces
from fer.errors import DatasetError
from fer.model.preprocessing import Preprocessing


def _write(folder: Path, count: int, brightness: int = 100) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        Image.fromarray(np.full((24, 24, 3), brightness, np.uint8)).save(folder / f"{number:03d}.png")


def _files(dataset: FaceDataset, split: str) -> set[Path]:
    return {Path(str(dataset.pictures[row])) for row in dataset.rows(split)}


# ---------------------------------------------------------------------------------------------- labels


def test_upper_case_makes_no_other_label(tmp_path: Path) -> None:
    _write(tmp_path / "train" / "Bored", 2, 10)
    _write(tmp_path / "train" / "tired", 2, 20)
    _write(tmp_path / "val" / "bored", 1, 30)
    assert folders.open_path(tmp_path).labels == ("Bored", "tired")


def test_class_folders_beside_split_folders_are_refused(tmp_path: Path) -> None:
    _write(tmp_path / "angry", 2, 10)
    _write(tmp_path / "test" / "angry", 2, 20)
    with pytest.raises(DatasetError, match=r"test\b.*angry"):
        folders.open_path(tmp_path)


def test_new_pictures_hardly_move_the_old_ones(tmp_path: Path) -> None:
    _write(tmp_path / "happy", 100, 10)
    before = folders.open_path(tmp_path)
    held_out = {p.name for p, s in zip(before.pictures, before.splits, strict=True) if s != "train"}
    assert len(held_out) == 20
    (tmp_path / "happy" / "one more.png").write_bytes((tmp_path / "happy").iterdir().__next__().read_bytes())
    after = folders.open_path(tmp_path)
    assert len(held_out - {p.name for p, s in zip(after.pictures, after.splits, strict=True) if s != "train"}) <= 1


def test_the_names_of_the_folders_are_the_labels(tmp_path: Path) -> None:
    _write(tmp_path / "tired", 2, 10)
    _write(tmp_path / "Wide Awake", 3, 20)
    assert folders.matches(tmp_path)
    dataset = folders.open_path(tmp_path)
    assert dataset.name == tmp_path.name
    assert dataset.labels == ("Wide Awake", "tired")
    assert np.bincount(dataset.truth(np.arange(5))).tolist() == [3, 2]
    assert [int(dataset.picture(row)[0, 0, 0]) for row in range(5)] == [
        10 + 10 * (v == 0) for v in dataset.truth(np.arange(5))
    ]


def test_known_synonyms_are_merged_into_our_labels(tmp_path: Path) -> None:
    for name, count in (("Angry", 1), ("anger", 2), ("HAPPY", 3), ("sleepy", 1)):
        _write(tmp_path / name, count)
    dataset = folders.open_path(tmp_path)
    assert dataset.labels == ("anger", "happiness", "sleepy")
    assert dataset.votes.sum(axis=0).tolist() == [3, 3, 1]


def test_hidden_and_other_files_are_no_pictures(tmp_path: Path) -> None:
    for name in ("happy", "sad"):
        _write(tmp_path / name, 2)
    (tmp_path / "happy" / "notes.txt").write_text("not a picture")
    (tmp_path / "happy" / ".thumb.png").write_bytes(b"")
    (tmp_path / "happy" / "album.png").mkdir()
    _write(tmp_path / ".cache", 2)
    _write(tmp_path / "__MACOSX", 2)
    (tmp_path / "empty").mkdir()
    dataset = folders.open_path(tmp_path)
    assert dataset.labels == ("happiness", "sadness")
    assert len(dataset) == 4


# ---------------------------------------------------------------------------------------------- splits


@pytest.mark.parametrize("word", ["val", "valid", "validation", "dev", "Validation"])
def test_split_folders_are_kept(word: str, tmp_path: Path) -> None:
    for split, count in (("train", 5), (word, 2), ("test", 3)):
        for name in ("happy", "sad"):
            _write(tmp_path / split / name, count)
    dataset = folders.open_path(tmp_path)
    assert [len(dataset.rows(split)) for split in ("train", "validation", "test")] == [10, 4, 6]
    assert {file.parts[-3] for file in _files(dataset, "validation")} == {word}


def test_without_split_folders_a_tenth_each_is_held_out(tmp_path: Path) -> None:
    _write(tmp_path / "happy", 30)
    _write(tmp_path / "sad", 20)
    dataset = folders.open_path(tmp_path)
    parts = [_files(dataset, split) for split in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [40, 5, 5]
    assert len(set.union(*parts)) == 50
    for part in parts[1:]:
        assert sorted(file.parent.name for file in part) == ["happy"] * 3 + ["sad"] * 2


def test_the_same_pictures_are_held_out_every_time(tmp_path: Path) -> None:
    _write(tmp_path / "happy", 12)
    _write(tmp_path / "sad", 12)
    first, second = (folders.open_path(tmp_path) for _ in range(2))
    assert first.splits.tolist() == second.splits.tolist()
    assert first.pictures == second.pictures


def test_validation_is_cut_from_train_if_only_it_is_missing(tmp_path: Path) -> None:
    for split, count in (("train", 20), ("test", 4)):
        for name in ("happy", "sad"):
            _write(tmp_path / split / name, count)
    dataset = folders.open_path(tmp_path)
    assert [len(dataset.rows(split)) for split in ("train", "validation", "test")] == [36, 4, 8]
    assert {file.parts[-3] for file in _files(dataset, "validation")} == {"train"}
    assert {file.parts[-3] for file in _files(dataset, "test")} == {"test"}


def test_a_train_folder_alone_gives_all_three(tmp_path: Path) -> None:
    for name in ("happy", "sad"):
        _write(tmp_path / "training" / name, 10)
    dataset = folders.open_path(tmp_path)
    assert [len(dataset.rows(split)) for split in ("train", "validation", "test")] == [16, 2, 2]


def test_a_test_folder_alone_stays_a_test(tmp_path: Path) -> None:
    for name in ("happy", "sad"):
        _write(tmp_path / "test" / name, 10)
    assert set(folders.open_path(tmp_path).splits) == {"test"}


def test_a_class_of_two_pictures_keeps_them_for_training(tmp_path: Path) -> None:
    _write(tmp_path / "happy", 10)
    _write(tmp_path / "sad", 2)
    dataset = folders.open_path(tmp_path)
    sad = dataset.votes[:, dataset.labels.index("sadness")] == 1
    assert dataset.splits[sad].tolist() == ["train", "train"]


# ---------------------------------------------------------------------------------------------- broken


def test_one_expression_is_enough_to_evaluate(tmp_path: Path) -> None:
    _write(tmp_path / "happy", 3)
    _write(tmp_path / "joy", 3)
    assert folders.open_path(tmp_path).labels == ("happiness",)


def test_folders_without_pictures_are_not_taken_for_classes(tmp_path: Path) -> None:
    assert not folders.matches(tmp_path)
    for name in ("happy", "sad"):
        (tmp_path / name).mkdir()
    assert not folders.matches(tmp_path)
    assert not folders.matches(tmp_path / "nowhere")


def test_a_broken_picture_is_left_out_and_named(tmp_path: Path) -> None:
    _write(tmp_path / "happy", 3)
    _write(tmp_path / "sad", 3)
    (tmp_path / "sad" / "001.png").write_bytes(b"not a picture")
    (tmp_path / "sad" / "002.png").write_bytes((tmp_path / "sad" / "000.png").read_bytes()[:60])
    prepared = prepare_faces(folders.open_path(tmp_path), np.arange(6), Preprocessing(size_px=24))
    assert prepared.rows.tolist() == [0, 1, 2, 3]
    assert ["001.png" in prepared.broken[0], "002.png" in prepared.broken[1]] == [True, True]
