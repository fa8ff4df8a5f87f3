"""A row for each face and frame, and everything as JSON."""

import csv
import io
import json
import re
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import numpy.lib.recfunctions as rfn
import pytest

from fer.faces import NOT_HUMAN
from fer.labels import FERPLUS
from fer.recognition.baseline import without_shift
from fer.records import to_json
from fer.results.subtitles import to_srt
from fer.results.timeline import read_timeline, timeline_csv, timeline_json, timeline_text, write_timeline
from fer.video.live import SAMPLE_SECONDS
from fer.video.neutral import neutral_moment
from fer.video.recorder import Recorder
from fer.video.timeline import Correction, Timeline
from tests.video.results import face, timeline_of

OF_FILES = [
    "frame", "seconds", "person", "x1", "y1", "x2", "y2", "score", "label", "confidence", "valence", *FERPLUS,
    "raters_say", "label_says", "concerns", "corrected_label",
]  # fmt: skip
OF_CAMERAS = ["seconds", "lasted", "person", "label", "confidence", *FERPLUS]
RESULT = timeline_of({1: ["neutral"] * 10 + ["happiness"] * 5, 2: [None] * 5 + ["surprise"] * 5})


def test_the_table_has_a_row_for_each_face_and_frame() -> None:
    rows = list(csv.DictReader(io.StringIO("".join(timeline_csv(RESULT)))))
    assert len(rows) == 15 + 5
    assert [row["person"] for row in rows[5:8]] == ["1", "2", "1"]
    one = rows[6]
    assert (one["frame"], one["seconds"], one["label"]) == ("5", "0.5", "surprise")
    assert [float(one[name]) for name in ("x1", "y1", "x2", "y2")] == [120, 20, 170, 80]
    assert float(one["confidence"]) == pytest.approx(0.8)
    assert sum(float(one[label]) for label in FERPLUS) == pytest.approx(1, abs=1e-3)
    assert float(one["valence"]) == pytest.approx(0) and float(rows[-1]["valence"]) > 0.7
    words = timeline_of({1: ["a"]}, labels=tuple("abcdefgh"))
    assert next(csv.DictReader(io.StringIO("".join(timeline_csv(words)))))["valence"] == ""


def test_a_long_table_comes_in_parts() -> None:
    parts = list(timeline_csv(timeline_of({1: ["neutral"] * 2500})))
    assert len(parts) == 4 and len("".join(parts).splitlines()) == 2501


def test_a_label_that_is_a_formula_is_none() -> None:
    hostile = timeline_of({1: ["=1+1"]}, labels=("=1+1", *"abcdefg"))
    (row,) = csv.DictReader(io.StringIO("".join(timeline_csv(hostile))))
    assert row["label"] == "'=1+1" and "'=1+1" in row


def test_json_says_all_of_it() -> None:
    record = json.loads(timeline_json(RESULT))
    assert record["video"] == "clip.mp4" and record["size"] == [640, 480] and record["complete"]
    first, second = record["people"]
    assert first["seconds_by_expression"] == pytest.approx({"neutral": 1.0, "happiness": 0.5})
    assert [(span["label"], span["start"], span["end"]) for span in second["spans"]] == [("surprise", 0.5, 1.0)]
    assert first["valence_mean"] > 0 == second["valence_mean"] and record["valence"]
    assert record["rows"]["valence"][-1] == pytest.approx(0.8 - 0.2 / 7, abs=1e-3)
    assert record["transitions"] == [
        {"person": 1, "seconds": pytest.approx(1.0), "before": "neutral", "after": "happiness"}
    ]
    assert {len(column) for column in record["rows"].values()} == {20}
    assert json.loads(timeline_json(timeline_of({})))["people"] == []


def test_tables_say_what_both_heads_say_and_what_speaks_against_a_reading() -> None:
    seen = timeline_of({1: ["neutral", "happiness"]})
    rows = seen.rows.copy()
    rows["opinions"][1] = np.eye(len(FERPLUS))[[FERPLUS.index("happiness"), FERPLUS.index("anger")]]
    rows["box"][1] = 0, 0, 30, 30
    seen = replace(seen, rows=rows, unsure_below=0.9, name="", corrections=(Correction(1, 1, "fear"),))
    first, second = csv.DictReader(io.StringIO("".join(timeline_csv(seen))))
    told = ("raters_say", "label_says", "concerns", "corrected_label")
    assert [first[name] for name in told] == ["", "", "unsure", ""]
    assert [second[name] for name in told] == ["happiness", "anger", "small, unsure", "fear"]
    record = json.loads(timeline_json(seen))
    assert [[record["samples"][place][name] for name in told] for place in (0, 1)] == [
        [None, None, ["unsure"], None],
        ["happiness", "anger", ["small", "unsure"], "fear"],
    ]
    indices = [None, FERPLUS.index("happiness")], [None, FERPLUS.index("anger")]
    assert [record["rows"][name] for name in told] == [*indices, [["unsure"], ["small", "unsure"]], [None, "fear"]]


def of_a_camera() -> Timeline:
    """Two people for three seconds, as the webcam page keeps them."""
    recorder = Recorder(FERPLUS, SAMPLE_SECONDS, 1000)
    for step in range(91):
        recorder.add(step, step / 30, [face(1, "neutral" if step < 45 else "happiness"), face(2, "anger")])
    return recorder.timeline()


def test_the_table_of_a_camera_has_all_columns_and_loses_no_time() -> None:
    rows = list(csv.DictReader(io.StringIO("".join(timeline_csv(of_a_camera())))))
    assert set(OF_CAMERAS) | set(OF_FILES) == set(rows[0])
    assert sum(float(row["lasted"]) for row in rows) == pytest.approx(2 * 3, abs=0.02)
    assert [float(row["seconds"]) for row in rows] == sorted(float(row["seconds"]) for row in rows)
    assert {(row["person"], row["label"]) for row in rows} == {("1", "neutral"), ("1", "happiness"), ("2", "anger")}
    assert all(row["confidence"] == row[row["label"]] == "0.8" for row in rows)


def test_the_table_of_a_file_has_all_columns_of_a_cameras_too() -> None:
    row = next(csv.DictReader(io.StringIO("".join(timeline_csv(RESULT)))))
    assert set(OF_CAMERAS) | set(OF_FILES) == set(row)
    assert row["lasted"] == "0.1"


def test_json_of_a_camera_has_the_sums_and_every_sample() -> None:
    seen = of_a_camera()
    record = json.loads(timeline_json(seen))
    assert record["seconds"] == pytest.approx(3) and record["labels"] == list(FERPLUS)
    assert record["seconds_by_person"]["1"] == pytest.approx({"neutral": 1.5, "happiness": 1.5}, abs=0.01)
    assert len(record["samples"]) == len(seen.rows)
    assert set(record["samples"][0]) == {
        "seconds", "lasted", "person", "label", "confidence", "probabilities",
        "raters_say", "label_says", "concerns", "corrected_label",
    }  # fmt: skip
    assert set(record["samples"][0]["probabilities"]) == set(FERPLUS)
    assert record["people"][1]["valence_mean"] < 0
    empty = json.loads(timeline_json(Recorder(FERPLUS).timeline()))
    assert (empty["seconds"], empty["seconds_by_person"], empty["samples"]) == (0, {}, [])


USUAL = tuple(np.log([0.72, *[0.04] * 7]))
SAD_AT_REST = timeline_of({1: ["sadness"] * 30, 2: ["anger"] * 5}, neutral=USUAL)
TAKEN_OFF = replace(SAD_AT_REST, baselines={1: neutral_moment(SAD_AT_REST.rows, 1, USUAL, 0.0)})


def test_the_table_has_what_was_read_and_what_is_taken_off() -> None:
    rows = list(csv.DictReader(io.StringIO("".join(timeline_csv(TAKEN_OFF)))))
    before = list(csv.DictReader(io.StringIO("".join(timeline_csv(SAD_AT_REST)))))
    assert set(OF_CAMERAS) | set(OF_FILES) == set(before[0]) < set(rows[0])
    one, two = (next(row for row in rows if row["person"] == person) for person in "12")
    assert (one["label"], one["raw_label"], one["neutral_how"]) == ("neutral", "sadness", "seconds")
    assert [float(one[f"neutral_{name}"]) for name in ("start", "end", "strength")] == [0, 3, 0.75]
    shift = [float(one[f"neutral_shift_{label}"]) for label in FERPLUS]
    raw = [float(one[f"raw_{label}"]) for label in FERPLUS]
    assert [float(one[label]) for label in FERPLUS] == pytest.approx(without_shift(raw, shift), abs=1e-3)
    assert (two["label"], two["raw_label"], two["neutral_how"]) == ("anger", "anger", "")
    for now, then in zip(rows, before, strict=True):
        assert {name: now[f"raw_{name}"] for name in ("label", "confidence", *FERPLUS)} == {
            name: then[name] for name in ("label", "confidence", *FERPLUS)
        }


def test_json_has_the_baselines_and_both_readings() -> None:
    record, before = json.loads(timeline_json(TAKEN_OFF)), json.loads(timeline_json(SAD_AT_REST))
    (own,) = record["baselines"]
    assert (own["person"], own["how"], own["starts"], own["ends"], own["readings"]) == (1, "seconds", 0, 3, 30)
    assert own["strength"] == 0.75 and set(own["shift"]) == set(record["neutral"]) == set(FERPLUS)
    assert "baselines" not in before and set(record["rows"]) - set(before["rows"]) == {"raw_label", "raw_probabilities"}
    assert record["rows"]["raw_label"] == before["rows"]["label"] != record["rows"]["label"]
    assert record["rows"]["raw_probabilities"] == before["rows"]["probabilities"]
    assert set(record["seconds_by_person"]["1"]) == {"neutral"}
    camera = json.loads(timeline_json(replace(TAKEN_OFF, name="")))
    sample = next(one for one in camera["samples"] if one["person"] == 1)
    assert (sample["label"], sample["raw_label"]) == ("neutral", "sadness")
    assert sample["raw_probabilities"]["sadness"] == pytest.approx(0.8, abs=1e-3)


def test_subtitles_and_the_text_go_by_what_is_shown() -> None:
    assert "person 1: neutral" in to_srt(TAKEN_OFF) and "person 1: sadness" in to_srt(SAD_AT_REST)
    assert any("neutral 3.0 s" in line and "(seconds)" in line for line in timeline_text(TAKEN_OFF, "clip.mp4"))


def test_baselines_are_kept_and_what_earlier_versions_kept_is_read(tmp_path: Path) -> None:
    path = tmp_path / "timeline.npz"
    write_timeline(path, TAKEN_OFF)
    again = read_timeline(path)
    assert again is not None and again.baselines == TAKEN_OFF.baselines and again.neutral == pytest.approx(USUAL)
    assert timeline_json(again) == timeline_json(TAKEN_OFF)
    names = [name for name in RESULT.rows.dtype.names or () if name not in ("landmarks", "opinions", "score_again")]
    with np.load(path) as file:
        about = json.loads(str(file["about"]))
    old = {name: value for name, value in about.items() if name not in ("neutral", "baselines")}
    np.savez(path, rows=rfn.repack_fields(SAD_AT_REST.rows[names]), about=np.array(json.dumps(old)))
    again = read_timeline(path)
    assert again is not None and timeline_json(again) == timeline_json(SAD_AT_REST)
    assert again.faces_at(0.5)[0].opinions is None


def test_json_is_ascii_whatever_the_labels_are() -> None:
    words = ('q"喜び', "=cmd")
    text = timeline_json(timeline_of({1: [words[0]]}, labels=words))
    assert text.isascii() and json.loads(text)["labels"] == list(words)


def test_who_may_not_be_human_is_marked_in_all_files(tmp_path: Path) -> None:
    """Person 1 entered as half a face, person 2 is a dog; of person 3 an earlier version did not look again."""
    recorder = Recorder(FERPLUS)
    scores = {1: [0.2, 0.999, 0.999, 0.999], 2: [0.3] * 4, 3: [None] * 4}
    for step in range(4):
        faces = [replace(face(person, "neutral"), score_again=own[step]) for person, own in scores.items()]
        recorder.add(step, step / 10, faces)
    path = tmp_path / "timeline.npz"
    write_timeline(path, recorder.timeline(0.4, name="clip.mp4"))
    seen = read_timeline(path)
    assert seen is not None and seen.doubted == [2]
    assert seen.faces([0])[0].score_again == pytest.approx(0.2) and seen.faces([2])[0].score_again is None
    rows = list(csv.DictReader(io.StringIO("".join(timeline_csv(seen)))))
    flagged = [(1, "0"), *((2, str(frame)) for frame in range(4))]
    assert sorted((int(row["person"]), row["frame"]) for row in rows if row["concerns"] == NOT_HUMAN) == flagged
    record = json.loads(timeline_json(seen))
    assert [person["concerns"] for person in record["people"]] == [[], [NOT_HUMAN], []]
    assert record["rows"]["concerns"].count([NOT_HUMAN]) == len(flagged) and [] in record["rows"]["concerns"]
    assert [NOT_HUMAN in line for line in timeline_text(seen, "clip.mp4")] == [False, False, True, False]


def numbers(line: str) -> list[str]:
    return re.findall(r"\d+(?:\.\d+)?", line)


def test_the_text_says_who_was_there_and_of_a_file_what_followed_what() -> None:
    lines = list(timeline_text(RESULT, "clip.mp4"))
    assert lines[0].startswith("clip.mp4: ") and numbers(lines[0].removeprefix("clip.mp4")) == ["15", "1.5", "2"]
    assert "neutral 1.0 s, happiness 0.5 s" in lines[1] and numbers(lines[1])[0] == "1"
    assert lines[2].split() == ["1.0", "s", "neutral", "→", "happiness"]
    assert not any("→" in line for line in timeline_text(of_a_camera(), "camera 0"))
    crowd = list(timeline_text(timeline_of({person: ["anger"] for person in range(1, 15)}), "crowd"))
    assert len(crowd) == 12 and numbers(crowd[-1]) == ["4"]


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "timeline.npz"
    write_timeline(path, RESULT)
    again = read_timeline(path)
    assert again is not None
    assert timeline_json(again) == timeline_json(RESULT)
    assert [(one.label, one.thumbnail) for one in again.peaks] == [(one.label, one.thumbnail) for one in RESULT.peaks]
    assert again.rows.dtype == RESULT.rows.dtype
    for damaged in (b"", b"no timeline", path.read_bytes()[:200]):
        path.write_bytes(damaged)
        assert read_timeline(path) is None
    assert read_timeline(tmp_path / "missing") is None


def _write(path: Path, timeline: Timeline, **changes: object) -> Path:
    about = json.loads(
        to_json({field.name: getattr(timeline, field.name) for field in fields(timeline)} | {"rows": None})
    )
    rows = changes.pop("rows", timeline.rows)
    np.savez(path, rows=rows, about=np.array(json.dumps(about | changes)))  # type: ignore[arg-type]
    return path


def _rows(**changes: object) -> np.ndarray:
    rows = RESULT.rows.copy()
    for name, value in changes.items():
        rows[name][3] = value
    return rows


@pytest.mark.parametrize(
    "changes",
    [
        {"labels": []}, {"labels": "abcdefgh"}, {"labels": ["a"]}, {"neutral": [0.5]}, {"starts": "x"}, {"frames": []},
        {"baselines": {"1": {"shift": [1], "how": "median", "starts": 0, "ends": 1, "readings": 1}}}, {"peaks": [7]},
        {"baselines": {"1": {"shift": [], "how": "median", "starts": 0, "ends": 1, "readings": 1}}}, {"ends": None},
        {"rows": np.zeros(3)}, {"rows": np.zeros((2, 2), RESULT.rows.dtype)}, {"rows": _rows(held=8)},
        {"rows": _rows(held=-1)}, {"rows": _rows(seconds=np.nan)}, {"rows": _rows(probabilities=np.inf)},
        {"rows": _rows(box=0)}, {"rows": _rows(box=(9, 0, 8, 9))},
        {"rows": np.array(5)}, {"rows": np.zeros(2, [("colour", float)])},
    ],
    ids=lambda changes: str(changes)[:40],
)  # fmt: skip
def test_what_contradicts_itself_is_absent(changes: dict[str, object], tmp_path: Path) -> None:
    assert read_timeline(_write(tmp_path / "timeline.npz", RESULT)) is not None
    assert read_timeline(_write(tmp_path / "timeline.npz", RESULT, **changes)) is None


@pytest.mark.parametrize("about", ["", "[" * 100_000, '{"starts": 1e999}', '{"frames": ' + "9" * 5000 + "}", "null"])
def test_what_says_nothing_of_a_timeline_is_absent(about: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "timeline.npz", rows=RESULT.rows, about=np.array(about))
    assert read_timeline(tmp_path / "timeline.npz") is None
