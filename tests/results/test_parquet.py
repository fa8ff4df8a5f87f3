"""Tables for any tool: a row for each face, and every picture accounted for."""

import os
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from fer.errors import CollectionError
from fer.faces import Box, Face
from fer.results import parquet
from fer.results.parquet import FACES, PICTURES, write_parquet
from fer.results.pictures import PictureResult

LABELS = ("anger", "score")  # whatever a label is called, no two columns have one name


def face(share: float) -> Face:
    return Face(Box(1, 2, 3, 4), ((1, 2),), 0.9, labels=LABELS, probabilities=(share, 1 - share))


def test_faces_and_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROWS", 2)
    odd = os.fsdecode(b"b\xff.jpg")
    results = [
        PictureResult("a.jpg", (face(0.75), replace(face(0.25), opinions=((0.9, 0.1), (0.2, 0.8))))),
        PictureResult(odd),
        PictureResult("c.jpg", error="c.jpg is empty"),
    ]
    write_parquet(tmp_path / "new", iter(results), LABELS, 0.8)
    faces, pictures = (pd.read_parquet(tmp_path / "new" / name) for name in (FACES, PICTURES))
    assert faces[["path", "face", "label", "confidence"]].to_numpy().tolist() == [
        ["a.jpg", 1, "anger", 0.75],
        ["a.jpg", 2, "score", 0.75],
    ]
    assert faces[["x1", "y1", "x2", "y2", "score"]].to_numpy().tolist() == [[1, 2, 3, 4, 0.9]] * 2
    assert faces["probability_score"].tolist() == [0.25, 0.75]
    assert faces["raters_say"].isna().tolist() == [True, False]
    assert (faces["raters_say"][1], faces["label_says"][1]) == LABELS
    assert faces["concerns"].tolist() == ["small, unsure"] * 2
    assert pictures["path"].tolist() == ["a.jpg", "b\\udcff.jpg", "c.jpg"]
    assert pictures["faces"].tolist() == [2, 0, 0]
    assert pictures["error"].isna().tolist() == [True, True, False] and pictures["error"][2] == "c.jpg is empty"


def test_no_faces_give_tables_without_rows(tmp_path: Path) -> None:
    write_parquet(tmp_path, [], LABELS, 0.45)
    assert len(pd.read_parquet(tmp_path / FACES)) == len(pd.read_parquet(tmp_path / PICTURES)) == 0
    assert "probability_anger" in pd.read_parquet(tmp_path / FACES)


def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CollectionError, match=re.escape(str(tmp_path / "file"))):
        write_parquet(tmp_path / "file", [], LABELS, 0.45)
