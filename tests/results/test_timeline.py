"""A row for each face and frame, and everything as JSON."""

import csv
import io
import json

import pytest

from fer.labels import FERPLUS
from fer.results.timeline import clip_csv, clip_csv_parts, clip_json
from tests.video.results import clip_result

RESULT = clip_result({1: ["neutral"] * 10 + ["happiness"] * 5, 2: [None] * 5 + ["surprise"] * 5})


def test_the_table_has_a_row_for_each_face_and_frame() -> None:
    rows = list(csv.DictReader(io.StringIO(clip_csv(RESULT))))
    assert len(rows) == 15 + 5
    assert [row["person"] for row in rows[5:8]] == ["1", "2", "1"]
    one = rows[6]
    assert (one["frame"], one["seconds"], one["label"]) == ("5", "0.5", "surprise")
    assert [float(one[name]) for name in ("x1", "y1", "x2", "y2")] == [20, 20, 70, 80]
    assert float(one["confidence"]) == pytest.approx(0.8)
    assert sum(float(one[label]) for label in FERPLUS) == pytest.approx(1, abs=1e-3)


def test_a_long_table_comes_in_parts_that_make_the_same() -> None:
    long = clip_result({1: ["neutral"] * 2500})
    parts = list(clip_csv_parts(long))
    assert len(parts) == 4 and "".join(parts) == clip_csv(long)
    assert len(clip_csv(long).splitlines()) == 2501


def test_a_label_that_is_a_formula_is_none() -> None:
    hostile = clip_result({1: ["neutral"]}, labels=("=1+1", *"abcdefg"))
    assert [row["label"] for row in csv.DictReader(io.StringIO(clip_csv(hostile)))] == ["'=1+1"]


def test_json_says_all_of_it() -> None:
    record = json.loads(clip_json(RESULT))
    assert record["video"] == "clip.mp4" and record["size"] == [640, 480] and record["complete"]
    first, second = record["people"]
    assert first["seconds_by_expression"] == pytest.approx({"neutral": 1.0, "happiness": 0.5})
    assert [(span["label"], span["start"], span["end"]) for span in second["spans"]] == [("surprise", 0.5, 1.0)]
    assert first["derived_tone_mean"] > 0 > second["derived_tone_mean"]
    assert record["transitions"] == [
        {"person": 1, "seconds": pytest.approx(1.0), "before": "neutral", "after": "happiness"}
    ]
    assert {len(column) for column in record["rows"].values()} == {20}
    assert json.loads(clip_json(clip_result({})))["people"] == []
