"""Boxes and faces: validation, ranking and serialization."""

import dataclasses
import json
import math
import re

import pytest

from fer.faces import Box, Detection, Face, describe, difference, percent, reading_order, scaled, turned

BOX = Box(10, 20, 40, 60)
EYES = ((18.0, 35.0), (32.0, 35.0))


def _face(**probabilities: float) -> Face:
    return Face(BOX, EYES, 0.99, labels=tuple(probabilities), probabilities=tuple(probabilities.values()))


def test_a_box_knows_its_size_and_its_center() -> None:
    assert BOX.xyxy == (10, 20, 40, 60)
    assert (BOX.width, BOX.height) == (30, 40)
    assert BOX.center == (25, 40)


@pytest.mark.parametrize("xyxy", [(5, 0, 5, 9), (0, 9, 5, 9), (6, 0, 5, 9), (0, 10, 5, 9)])
def test_a_box_without_an_area_is_refused(xyxy: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"x1.*y1"):
        Box(*xyxy)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_box_of_infinite_numbers_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        Box(0, 0, value, 9)


def test_boxes_and_faces_are_equal_by_their_numbers_and_can_be_keys() -> None:
    assert Box(10, 20, 40, 60) == BOX
    face, twin, other = _face(fear=0.6, anger=0.4), _face(fear=0.6, anger=0.4), _face(fear=0.4, anger=0.6)
    assert face == twin
    assert {face, twin, other} == {face, other}
    assert Detection(BOX, EYES, 0.99) != face


def test_faces_are_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        _face(fear=1.0).score = 0.5  # type: ignore[misc]


def test_the_most_probable_label_comes_first_and_ties_keep_the_order_of_the_labels() -> None:
    face = _face(neutral=0.2, happiness=0.3, fear=0.2, anger=0.3)
    assert face.ranked() == [("happiness", 0.3), ("anger", 0.3), ("neutral", 0.2), ("fear", 0.2)]
    assert face.label == "happiness"
    assert face.confidence == 0.3


@pytest.mark.parametrize(("labels", "probabilities"), [(("fear",), (0.5, 0.5)), (("fear", "anger"), (1.0,)), ((), ())])
def test_a_face_needs_one_probability_for_each_label(labels: tuple[str, ...], probabilities: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=f"{len(probabilities)} .*{len(labels)} labels"):
        Face(BOX, EYES, 0.99, labels=labels, probabilities=probabilities)


def test_only_one_is_a_hundred_percent() -> None:
    assert [percent(share) for share in (0.0, 0.923, 0.9949, 0.997, 1.0)] == ["0 %", "92 %", "99 %", ">99 %", "100 %"]
    assert [percent(share, 1) for share in (0.9994, 0.9997, 1.0)] == ["99.9 %", ">99.9 %", "100.0 %"]


def test_an_expression_is_mixed_from_60_percent_of_the_first() -> None:
    assert _face(fear=0.5, anger=0.3, neutral=0.2).is_mixed
    assert not _face(fear=0.5, anger=0.29, neutral=0.21).is_mixed
    assert not _face(fear=1.0).is_mixed


def test_a_face_in_words() -> None:
    assert describe(_face(happiness=0.917, fear=0.083)) == "happiness 92 %"
    assert describe(_face(fear=0.11, surprise=0.41, happiness=0.48)) == "happiness 48 %, surprise 41 %"


def test_a_face_survives_json() -> None:
    record = json.loads(json.dumps(_face(fear=0.75, anger=0.25).to_dict()))
    assert record == {
        "box": [10, 20, 40, 60],
        "landmarks": [[18, 35], [32, 35]],
        "score": 0.99,
        "label": "fear",
        "confidence": 0.75,
        "probabilities": {"fear": 0.75, "anger": 0.25},
    }


def test_track_and_brightness_are_stored_if_known() -> None:
    face = dataclasses.replace(_face(fear=1.0), track_id=0, luma=0.0, score_again=0.0)
    assert face.to_dict()["track_id"] == face.to_dict()["luma"] == 0
    assert Face.from_dict(face.to_dict()) == face
    assert Face.from_dict(_face(fear=1.0).to_dict()) == _face(fear=1.0)


def test_both_readings_are_stored_and_their_difference_is_described() -> None:
    alone = _face(neutral=0.6, anger=0.4)
    assert "opinions" not in alone.to_dict() and alone.differing is None and difference(alone) == ""
    face = dataclasses.replace(alone, opinions=((0.7, 0.3), (0.2, 0.8)))
    assert face.to_dict()["opinions"] == {
        "raters": {"neutral": 0.7, "anger": 0.3}, "label": {"neutral": 0.2, "anger": 0.8}
    }  # fmt: skip
    assert Face.from_dict(json.loads(json.dumps(face.to_dict()))) == face
    assert face.said == face.differing == ("neutral", "anger")
    assert re.search("neutral.*anger", difference(face))
    agreeing = dataclasses.replace(alone, opinions=((0.7, 0.3), (0.6, 0.4)))
    assert (agreeing.said, agreeing.differing, difference(agreeing)) == (("neutral", "neutral"), None, "")


def _at(*middles_and_sides: tuple[float, float, float]) -> list[Detection]:
    return [Detection(Box(x - s / 2, y - s / 2, x + s / 2, y + s / 2), (), 1.0) for x, y, s in middles_and_sides]


@pytest.mark.parametrize(
    "places",
    [
        pytest.param([(50, 50, 40), (150, 70, 40), (250, 40, 40), (50, 150, 40), (150, 130, 40)], id="two rows"),
        pytest.param([(100, 280, 170), (350, 250, 150), (550, 316, 120), (60, 465, 58), (180, 483, 50)], id="sizes"),
        pytest.param([(400, 20, 20), (300, 60, 20), (200, 100, 20), (100, 140, 20)], id="a staircase"),
        pytest.param([(10, 50, 20), (10, 100, 20), (10, 150, 20)], id="a column"),
        pytest.param([], id="nobody"),
    ],
)
def test_faces_are_read_by_rows_whatever_order_they_come_in(places: list[tuple[float, float, float]]) -> None:
    faces = _at(*places)
    for start in range(len(faces) + 1):
        assert reading_order(faces[start:] + faces[:start]) == faces


def test_people_of_one_row_differ_in_height() -> None:
    tall, small, behind = _at((300, 100, 60), (100, 140, 60), (200, 30, 60))
    assert reading_order([small, behind, tall]) == [behind, small, tall]


def test_a_face_is_rotated_and_scaled_with_its_picture() -> None:
    face = _face(fear=0.6, anger=0.4)
    once = turned(face, 1, (100, 80))
    assert once.box == Box(20, 60, 60, 90)
    assert once.landmarks == ((35.0, 82.0), (35.0, 68.0))
    assert (once.probabilities, once.score) == (face.probabilities, face.score)
    assert turned(once, -1, (80, 100)) == turned(once, 3, (80, 100)) == turned(face, 4, (100, 80)) == face
    assert turned(face, 2, (100, 80)).box == Box(60, 20, 90, 60)
    assert scaled(face, 2.0).box == Box(20, 40, 80, 120)
    assert scaled(face, 2.0).landmarks == ((36.0, 70.0), (64.0, 70.0))
