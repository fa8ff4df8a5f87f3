"""Corrections of faces are stored, form a data set, and are deleted on request."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer.datasets import open_dataset
from fer.errors import ResultsError
from fer.faces import Box, Face, moved
from fer.images import read_image
from fer.results.corrections import TABLE_NAME, Corrections, correction_of, face_key, times_right

LABELS = ("neutral", "happiness", "anger")


def face(number: int, *probabilities: float) -> Face:
    return Face(
        Box(number, 2.04, 100, 90),
        ((30, 40), (60, 41)),
        0.9,
        labels=LABELS,
        probabilities=probabilities or (0.2, 0.7, 0.1),
    )


def crop(value: int) -> np.ndarray:
    return np.random.default_rng(value).integers(0, 255, (60, 60, 3), np.uint8)


@pytest.fixture
def kept(tmp_path: Path) -> Corrections:
    return Corrections(tmp_path / "corrections")


def test_a_face_is_recognized_whoever_corrected_it() -> None:
    one = face(1)
    assert face_key(one) == face_key(replace(one, probabilities=(0.1, 0.1, 0.8), score=0.5))
    assert len({face_key(moved(one, lambda x, y, n=n: (x + n / 2, y))) for n in range(9)}) == 9


def test_corrections_are_a_data_set(kept: Corrections) -> None:
    for number in range(30):
        kept.add(correction_of(face(number), LABELS[number % 3], "description sha"), crop(number))
    dataset = open_dataset(kept.folder)
    assert len(dataset) == 30 and set(dataset.labels) == set(LABELS)
    assert {"train", "validation", "test"} == set(dataset.splits)  # some are held out
    first = next(row for row in range(30) if face_key(face(0)) in dataset.name_of(row))
    assert (dataset.picture(first) == crop(0)).all()
    assert dataset.labels[dataset.votes[first].argmax()] == "neutral"
    assert times_right(kept.all(), "sha", LABELS) == (10, 30)
    assert times_right(kept.all(), "other", LABELS) == (0, 0)
    assert times_right(kept.all(), "sha", LABELS[:2]) == (0, 0), "another model with the same weights"


def test_no_label_is_a_formula_in_the_table(kept: Corrections) -> None:
    for number in range(20):
        one = correction_of(replace(face(number), labels=("=cmd", "-x", "@y")), ("=cmd", "-x")[number % 2], "sha")
        kept.add(one, crop(number))
        assert kept.all()[one.key] == one
    for line in csv.reader((kept.folder / TABLE_NAME).read_text().splitlines()):
        assert not any(cell.startswith(("=", "-", "@", "+")) for cell in line)
    assert set(open_dataset(kept.folder).labels) == {"=cmd", "-x"}


def test_the_last_correction_counts_and_can_be_undone(kept: Corrections) -> None:
    assert kept.all() == {}
    kept.remove(["gone"])
    one, two = face(1), face(2)
    kept.add(correction_of(one, "anger", "a"), crop(1))
    kept.add(correction_of(two, "happiness", "a"), crop(2))
    kept.add(correction_of(one, "neutral", "b"), crop(3))
    found = Corrections(kept.folder).all()
    assert {key: one.label for key, one in found.items()} == {face_key(one): "neutral", face_key(two): "happiness"}
    assert [one.was_right for one in found.values()] == [False, True]
    assert (read_image(kept.folder / found[face_key(one)].path) == crop(3)).all()
    kept.remove([face_key(one)])
    assert list(kept.all()) == [face_key(two)] and len(list((kept.folder / "faces").iterdir())) == 1
    kept.remove(kept.all())
    assert kept.all() == {} and not any((kept.folder / "faces").iterdir())


def test_nothing_is_stored_without_consent(kept: Corrections) -> None:
    assert kept.gather is None and not kept.folder.exists()
    kept.set_gather(True)
    assert kept.gather is True
    kept.set_gather(False)
    assert Corrections(kept.folder).gather is False


@pytest.mark.parametrize("table", ["", "path,label\na,b\n", "\0", "path,label,model_label,model,probabilities\na\n"])
def test_a_damaged_table_is_left_unchanged(kept: Corrections, table: str) -> None:
    kept.folder.mkdir()
    (kept.folder / TABLE_NAME).write_text(table)
    with pytest.raises(ResultsError, match=TABLE_NAME):
        kept.add(correction_of(face(1), "anger", ""), crop(1))
    assert (kept.folder / TABLE_NAME).read_text() == table


def test_a_folder_that_cannot_be_created(kept: Corrections) -> None:
    kept.folder.write_text("in the way")
    for do in (lambda: kept.add(correction_of(face(1), "anger", ""), crop(1)), lambda: kept.set_gather(True)):
        with pytest.raises(ResultsError, match="corrections"):
            do()
