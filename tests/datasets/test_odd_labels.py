"""Labels that are invalid, or that somebody should check."""

from pathlib import Path

import pytest

from fer.datasets import open_dataset
from fer.datasets.report import report
from fer.errors import DatasetError
from tests.datasets.pictures import pattern, write_picture


def _folders(home: Path, *names: str, pictures: int = 12) -> Path:
    for number, name in enumerate(names):
        for picture in range(pictures):
            write_picture(home / name / f"{picture}.png", pattern(100 * number + picture, 40))
    return home


def test_folders_with_the_same_meaning_are_one_expression(tmp_path: Path) -> None:
    dataset = open_dataset(_folders(tmp_path, "0_angry", "anger", "happy_faces", "HappyFaces"))
    assert dataset.labels == ("anger", "happiness")
    assert dataset.votes.sum(axis=0).tolist() == [24, 24]


@pytest.mark.parametrize(
    "system", ["@eaDir", "__MACOSX", ".DS_Store", "#recycle", "$RECYCLE.BIN", "System Volume Information"]
)
def test_hidden_system_folders_are_no_expressions(tmp_path: Path, system: str) -> None:
    _folders(tmp_path, "happy", "sad", system, f"happy/{system}", pictures=2)
    (tmp_path / "Thumbs.db").write_bytes(b"")
    (tmp_path / "sad" / ".DS_Store").write_bytes(b"")
    dataset = open_dataset(tmp_path)
    assert dataset.labels == ("happiness", "sadness") and len(dataset) == 4
    assert len(dataset.notes) == 3  # how it was read, which words are which labels, what was cut; nothing was ignored


@pytest.mark.parametrize("names", [("0", "1", "2"), ("happy", "sad", "7"), ("---", "sad"), ("è∞é╤x", "angry")])
def test_names_that_are_no_words_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(DatasetError, match="happy"):
        open_dataset(_folders(tmp_path, *names, pictures=1))


def test_a_folder_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    _folders(tmp_path, "happy", "sad\udcff", pictures=1)  # a byte that is not UTF-8
    with pytest.raises(DatasetError, match="udcff"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("happy",), ["happiness"]),
        (("tired", "awake"), ["tired", "awake"]),
        (("happy", "not happy"), ["not happy", "happiness"]),
    ],
)
def test_odd_labels_are_reported(tmp_path: Path, names: tuple[str, ...], said: list[str]) -> None:
    warnings = report(open_dataset(_folders(tmp_path, *names, pictures=20))).warnings
    asked = [warning for warning in warnings if all(word in warning for word in said) and "training" not in warning]
    assert len(asked) == 1


def test_known_and_own_labels_together_are_fine(tmp_path: Path) -> None:
    found = report(open_dataset(_folders(tmp_path, "happy", "tired", pictures=20)))
    assert found.warnings == ()


def test_unknown_people_are_reported(tmp_path: Path) -> None:
    unknown = report(open_dataset(_folders(tmp_path / "unknown", "happy", "sad")))
    for person in range(4):
        for word in ("happy", "sad"):
            write_picture(tmp_path / "known" / word / f"subject{person}_{word}.png", pattern(person, 24))
    known = report(open_dataset(tmp_path / "known"))
    assert known.subjects == {"train": 2, "validation": 1, "test": 1} and known.subjects_across == 0
    assert len(unknown.notes) == len(known.notes) + 1 and not unknown.subjects
