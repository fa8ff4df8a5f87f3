"""CSV and JSON are read back with the standard library and compared with the faces they came from."""

import csv
import io
import json
from dataclasses import replace

import pytest

from fer.faces import Box, Face
from fer.results.corrections import face_key
from fer.results.pictures import PictureResult, to_csv, to_json

LABELS = ("neutral", "happiness", "anger")
FIRST = ["path", "face", "x1", "y1", "x2", "y2", "score", "label", "confidence"]
HEADER = [*FIRST, *LABELS, "raters_say", "label_says", "concerns"]


def face(x1: float = 1 / 3, *probabilities: float) -> Face:
    return Face(
        Box(x1, 0.1, 100.25, 2e2 / 7),
        ((1.5, 2 / 3), (3.0, 4.0)),
        0.999987654321,
        labels=LABELS,
        probabilities=probabilities or (0.1 + 0.2, 0.6, 0.1 - 1e-17),
    )


def read_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_csv_has_a_line_for_each_face_with_as_many_digits_as_that_of_a_video() -> None:
    results = [
        PictureResult("a.jpg", (face(), face(2.0, 0.2, 0.3, 0.5))),
        PictureResult("nobody.jpg"),
        PictureResult("b.jpg", (face(),)),
    ]
    header, *lines = read_csv(to_csv(results, LABELS, 0.45))
    assert header == HEADER
    assert [(line[0], line[1], line[7]) for line in lines] == [
        ("a.jpg", "1", "happiness"),
        ("a.jpg", "2", "anger"),
        ("b.jpg", "1", "happiness"),
    ]
    expected = [*results[0].faces, *results[2].faces]
    for line, one in zip(lines, expected, strict=True):
        assert tuple(map(float, line[2:6])) == tuple(round(pixel, 1) for pixel in one.box.xyxy)
        written = [float(line[place]) for place in (6, 8, 9, 10, 11)]
        assert written == [round(share, 4) for share in (one.score, one.confidence, *one.probabilities)]


def test_csv_has_the_reasons_not_to_trust_a_face() -> None:
    good = replace(face(), box=Box(0, 0, 90, 90))
    faces = (
        good,
        replace(good, luma=30.0),
        face(),
        replace(face(), probabilities=(0.35, 0.35, 0.3)),
        replace(good, score_again=0.5),
    )
    lines = read_csv(to_csv([PictureResult("a.jpg", faces)], LABELS, 0.5))[1:]
    assert [line[-1] for line in lines] == ["", "dark", "small", "small, unsure", "may not be a human face"]


def test_csv_has_both_readings_of_a_model_with_two_heads() -> None:
    two = replace(face(), opinions=((0.8, 0.1, 0.1), (0.2, 0.1, 0.7)))
    lines = read_csv(to_csv([PictureResult("a.jpg", (two, face()))], LABELS, 0.5))[1:]
    assert [line[-3:-1] for line in lines] == [["neutral", "anger"], ["", ""]]


def test_csv_without_faces_is_a_header() -> None:
    assert read_csv(to_csv([], LABELS, 0.45)) == [HEADER]
    assert read_csv(to_csv([PictureResult("x.jpg", error="broken")], LABELS, 0.45)) == [HEADER]


@pytest.mark.parametrize("path", ['with "quotes", commas.jpg', "two\nlines.jpg", "Ünï/cödé 😀.jpg", " space .jpg", ""])
def test_csv_survives_odd_names(path: str) -> None:
    assert read_csv(to_csv([PictureResult(path, (face(),))], LABELS, 0.45))[1][0] == path


@pytest.mark.parametrize("path", ["=1+1.jpg", "+1.jpg", "-1.jpg", "@sum.jpg", "\t=1.jpg", "\r=1.jpg", "\n=1.jpg"])
def test_csv_disarms_names_that_a_spreadsheet_would_run(path: str) -> None:
    assert read_csv(to_csv([PictureResult(path, (face(),))], LABELS, 0.45))[1][0] == "'" + path


def test_csv_disarms_labels_too() -> None:
    labels = ("=cmd()", "plain")
    one = Face(Box(0, 0, 1, 1), (), 1.0, labels=labels, probabilities=(0.7, 0.3))
    header, line = read_csv(to_csv([PictureResult("a.jpg", (one,))], labels, 0.45))
    assert header[9:11] == ["'=cmd()", "plain"]
    assert line[7] == "'=cmd()"


def test_csv_numbers_below_zero_stay_numbers() -> None:
    negative = Face(Box(-3.5, 0, 1, 1), (), 1.0, labels=("a",), probabilities=(1.0,))
    assert read_csv(to_csv([PictureResult("a.jpg", (negative,))], ("a",), 0.45))[1][2] == "-3.5"


def test_json_keeps_every_number() -> None:
    one = replace(face(), luma=128.5)
    (record,) = json.loads(to_json([PictureResult("a.jpg", (one,))], 0.45))
    assert record == {
        "path": "a.jpg",
        "faces": [
            {
                "box": list(one.box.xyxy),
                "landmarks": [[1.5, 2 / 3], [3.0, 4.0]],
                "score": one.score,
                "label": "happiness",
                "confidence": 0.6,
                "probabilities": dict(zip(LABELS, one.probabilities, strict=True)),
                "luma": 128.5,
                "concerns": ["small"],
            }
        ],
    }
    assert list(record["faces"][0]["probabilities"]) == list(LABELS)


def test_json_has_the_error_of_a_picture() -> None:
    good, bad = json.loads(to_json([PictureResult("a.jpg"), PictureResult("b.jpg", error="damaged")], 0.45))
    assert good == {"path": "a.jpg", "faces": []}
    assert bad == {"path": "b.jpg", "faces": [], "error": "damaged"}


@pytest.mark.parametrize("path", ["Ünï/cödé 😀.jpg", 'q"\\.jpg', "odd\udce4bytes.jpg"])
def test_json_is_ascii_and_survives_odd_names(path: str) -> None:
    text = to_json([PictureResult(path)], 0.45)
    assert text.isascii()
    assert json.loads(text)[0]["path"] == path


def test_json_of_nothing_is_an_empty_list() -> None:
    assert json.loads(to_json([], 0.45)) == []


def test_corrections_are_beside_the_models_reading() -> None:
    results = [PictureResult("a.jpg", (face(), face(2.0, 0.2, 0.3, 0.5)))]
    corrected = {face_key(results[0].faces[1]): "neutral"}
    header, *lines = read_csv(to_csv(results, LABELS, 0.45, corrected))
    assert header == [*HEADER, "corrected_label"] and [line[-1] for line in lines] == ["", "neutral"]
    assert lines[1][7] == "anger"
    first, second = json.loads(to_json(results, 0.45, corrected))[0]["faces"]
    assert second["corrected_label"] == "neutral" and "corrected_label" not in first
    assert read_csv(to_csv(results, LABELS, 0.45, {}))[0] == [*HEADER, "corrected_label"]
