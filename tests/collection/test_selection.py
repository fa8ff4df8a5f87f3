"""Faces are filtered and sorted as requested."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from fer.collection.selection import (
    BY_NAME,
    LEAST_SURE,
    NO_FACE,
    SUREST,
    UNSURE,
    annotated_zip,
    entries_of,
    groups_of,
    pictures_of,
    select,
)
from fer.faces import Box, Face
from fer.results.journal import Finished, PictureTask
from fer.results.pictures import PictureResult

LABELS = ("anger", "happiness")


def face(happiness: float) -> Face:
    return Face(Box(0, 0, 9, 9), (), 1.0, labels=LABELS, probabilities=(1 - happiness, happiness))


def finished(name: str, *shares: float, error: str | None = None, output: Path | None = None) -> Finished:
    thumbnails = tuple(f"{name} {number}" for number in range(len(shares) or 1))
    return Finished(
        PictureTask(Path(name), name, output), PictureResult(name, tuple(map(face, shares)), error), thumbnails
    )


COLLECTION = [
    finished("a", 0.9, 0.2),
    finished("b"),
    finished("c", 0.6),
    finished("d", error="broken"),
]
ENTRIES = entries_of(COLLECTION)


def test_a_row_for_each_face_and_for_each_picture_without_one() -> None:
    assert [entry.name for entry in ENTRIES] == ["a · face 1", "a · face 2", "b", "c"]
    assert [entry.called(0.5) for entry in ENTRIES] == ["happiness", "anger", NO_FACE, "happiness"]
    assert [entry.thumbnail for entry in ENTRIES] == ["a 0", "a 1", "b 0", "c 0"]


def test_faces_are_grouped_by_their_reading() -> None:
    def groups(unsure_below: float) -> dict[str, str]:
        found = groups_of(ENTRIES, LABELS, unsure_below)
        return {name: " ".join(entry.finished.picture.name for entry in group) for name, group in found.items()}

    assert groups(0.6) == {"anger": "a", "happiness": "a c", NO_FACE: "b"}
    assert list(groups(0.61).items()) == [("anger", "a"), ("happiness", "a"), (UNSURE, "c"), (NO_FACE, "b")]
    assert list(groups_of(ENTRIES, ["anger"], 0.5)) == ["anger", NO_FACE, "happiness"], "labels of another model"
    assert groups(0.85) == {"happiness": "a", UNSURE: "a c", NO_FACE: "b"}


@pytest.mark.parametrize(
    ("wanted", "unsure_below", "order", "expected"),
    [
        ([], 0.5, BY_NAME, "a1 a2 b0 c1"),
        ([], 0.5, SUREST, "a1 a2 c1 b0"),
        ([], 0.5, LEAST_SURE, "c1 a2 a1 b0"),
        (["happiness"], 0.5, BY_NAME, "a1 c1"),
        (["happiness"], 0.7, BY_NAME, "a1"),
        ([UNSURE], 0.85, LEAST_SURE, "c1 a2"),
        ([NO_FACE, "anger"], 0.5, BY_NAME, "a2 b0"),
        ([UNSURE], 0.5, BY_NAME, ""),
    ],
)
def test_filter_and_order(wanted: list[str], unsure_below: float, order: str, expected: str) -> None:
    chosen = select(ENTRIES, wanted, unsure_below, order)
    assert " ".join(f"{entry.finished.picture.name}{entry.number}" for entry in chosen) == expected


def test_faces_with_two_different_readings() -> None:
    sad, same = (replace(face(0.9), opinions=((0.1, 0.9), said)) for said in ((0.7, 0.3), (0.2, 0.8)))
    entries = entries_of([replace(finished("e"), result=PictureResult("e", (same, sad))), *COLLECTION])
    assert [(entry.finished.picture.name, entry.number) for entry in select(entries, [], 0.5, BY_NAME, True)] == [
        ("e", 2)
    ]


def test_pictures_of_faces_are_listed_once() -> None:
    assert pictures_of(ENTRIES) == COLLECTION[:3]


def test_copies_of_one_name_in_two_folders_are_both_packed(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.jpg").write_text(str(number))
    copies = [finished(f"{n}/photo.png", output=tmp_path / f"{n}.jpg") for n in (1, 2, 3)]  # the third does not exist
    with zipfile.ZipFile(io.BytesIO(annotated_zip(copies))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            "1/photo-faces.jpg": b"1",
            "2/photo-faces.jpg": b"2",
        }
