"""What somebody says of a video: names, merges, hides and markers; kept, undone, and in all that is made of it."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer.errors import VideoError
from fer.results.subtitles import to_srt, to_vtt
from fer.results.timeline import timeline_csv, timeline_json
from fer.video import notes
from fer.video.neutral import Baseline
from fer.video.notes import Notes, can_undo, damaged_notes, keep_notes, read_notes, renew_notes, undo_notes
from fer.video.timeline import Correction, Marker, Timeline
from tests.video.results import timeline_of

SEEN = timeline_of(
    {
        1: ["neutral"] * 10 + ["happiness"] * 10,
        2: [None] * 20 + ["anger"] * 10,
        3: [None] * 5 + ["surprise"] * 10,
    }
)


def table(seen: Timeline) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(timeline_csv(seen)))))


def test_without_notes_everything_stays() -> None:
    assert timeline_json(Notes().applied(SEEN)) == timeline_json(SEEN)
    assert "name" not in table(SEEN)[0] and "marker" not in table(SEEN)[0]


def test_who_is_merged_is_the_other_one() -> None:
    told = Notes().with_merged(2, 1).applied(SEEN)
    assert told.people == [1, 3] and len(told.rows) == len(SEEN.rows)
    assert set(told.summary()[1]) == {"neutral", "happiness", "anger"}
    assert {(peak.person, peak.label) for peak in told.peaks} >= {(1, "anger"), (3, "surprise")}
    assert SEEN.people == [1, 2, 3]
    chain = Notes().named(3, "Ada").with_merged(3, 2).with_merged(2, 1)
    assert chain.merged == {3: 1, 2: 1} and chain.names == {1: "Ada"}
    assert chain.applied(SEEN).people == [1]


def test_two_boxes_of_one_face_become_one_row_of_the_one_who_stays() -> None:
    told = Notes().with_merged(3, 1).applied(SEEN)
    own = told.rows[told.of(1)]
    assert len(own) == 20 and len(np.unique(own["frame"])) == 20
    assert set(told.summary()[1]) == {"neutral", "happiness"}
    assert (np.diff(told.rows["seconds"]) >= 0).all()


def test_who_is_hidden_is_nowhere_until_shown_again() -> None:
    said = Notes().with_hidden(3)
    told = said.applied(SEEN)
    assert told.people == [1, 2] and 3 not in {moment.person for moment in told.key_moments()}
    assert said.with_hidden(3, False) == Notes()
    assert Notes().with_merged(3, 2).with_hidden(2).applied(SEEN).people == [1]
    assert Notes().with_hidden(1).with_hidden(2).with_hidden(3).applied(SEEN).people == []


def test_a_baseline_goes_with_its_person() -> None:
    own = Baseline((0.0,) * 8, "seconds", 0.0, 3.0, 30)
    seen = replace(SEEN, neutral=(0.0,) * 8, baselines={1: own, 2: own})
    assert list(Notes().with_merged(2, 1).applied(seen).baselines) == [1]


def test_an_own_neutral_that_somebody_sets_takes_the_place_of_what_was_found(tmp_path: Path) -> None:
    found, own = Baseline((0.0,) * 8, "median", 0.0, 3.0, 30), Baseline((0.5,) * 8, "seconds", 1.0, 4.0, 30)
    seen = replace(SEEN, neutral=(0.0,) * 8, baselines={1: found})
    keep_notes(tmp_path, lambda one: one.with_neutral(seen, 2, own))
    assert read_notes(tmp_path).applied(seen).baselines == {1: found, 2: own}
    keep_notes(tmp_path, lambda one: one.with_neutral(seen, 1, None))
    assert read_notes(tmp_path).applied(seen).baselines == {2: own}
    keep_notes(tmp_path, lambda one: one.with_neutral(seen, 2, None).with_neutral(seen, 1, found))
    assert read_notes(tmp_path) == Notes()


def test_names_are_unlike_and_in_one_line() -> None:
    said = Notes().named(1, "  Ada\n Lovelace ")
    assert said.names == {1: "Ada Lovelace"} and said.named(1, "Ada Lovelace") == said
    with pytest.raises(VideoError, match="Ada Lovelace"):
        said.named(2, "Ada Lovelace")
    assert said.named(1, " ") == Notes()
    assert len(Notes().named(1, "a" * 1000).names[1]) == 200


def test_markers_stand_in_the_order_of_time() -> None:
    said = Notes().marked(2.0, "second").marked(1.0, "first --> one")
    assert [(one.seconds, one.text) for one in said.markers] == [(1.0, "first → one"), (2.0, "second")]
    assert said.unmarked(Marker(2.0, "second")).markers == said.markers[:1]
    with pytest.raises(VideoError):
        said.marked(1.0, " \n")


def test_names_and_markers_are_in_every_export() -> None:
    told = Notes().named(2, "=Bob").marked(1.04, "a <b>").marked(9.0, "late").applied(SEEN)
    rows = table(told)
    marked = [row for row in rows if row["marker"]]
    assert [(row["seconds"], row["marker"], row["person"]) for row in marked] == [
        ("1.04", "a <b>", ""),
        ("9.0", "late", ""),
    ]
    assert rows[-1] == marked[1] and float(rows[rows.index(marked[0]) - 1]["seconds"]) <= 1.04
    assert float(rows[rows.index(marked[0]) + 1]["seconds"]) > 1.04
    assert {row["name"] for row in rows if row["person"] == "2"} == {"'=Bob"}
    assert len(rows) == len(SEEN.rows) + 2
    record = json.loads(timeline_json(told))
    assert [person["name"] for person in record["people"]] == ["", "=Bob", ""]
    assert record["markers"] == [{"seconds": 1.04, "text": "a <b>"}, {"seconds": 9.0, "text": "late"}]
    srt, vtt = to_srt(told), to_vtt(told)
    assert "=Bob: anger" in srt and "person 1: happiness" in srt
    assert "a <b>" in srt and "a &lt;b&gt;" in vtt and "00:00:09,000 --> 00:00:11,000" in srt
    alone = Notes().named(1, "Ada").applied(timeline_of({1: ["anger"] * 10}))
    assert "Ada: anger" in to_srt(alone)


def test_notes_are_kept_and_taken_back_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_notes(tmp_path) == Notes() and not can_undo(tmp_path)
    keep_notes(tmp_path, lambda one: one.named(1, "Ada"))
    keep_notes(tmp_path, lambda one: one.with_merged(2, 1))
    keep_notes(tmp_path, lambda one: one.marked(1.5, "now"))
    with pytest.raises(VideoError):
        keep_notes(tmp_path, lambda one: one.named(3, "Ada"))
    assert read_notes(tmp_path) == Notes({1: "Ada"}, {2: 1}, (), (Marker(1.5, "now"),))
    undo_notes(tmp_path)
    assert read_notes(tmp_path) == Notes({1: "Ada"}, {2: 1})
    keep_notes(tmp_path, lambda one: one.marked(1.5, "again"))
    renew_notes(tmp_path)
    assert read_notes(tmp_path) == Notes(markers=(Marker(1.5, "again"),)) and not can_undo(tmp_path)
    keep_notes(tmp_path, lambda one: one.with_correction(3, 1, "anger"))
    renew_notes(tmp_path)
    assert read_notes(tmp_path) == Notes(markers=(Marker(1.5, "again"),))
    keep_notes(tmp_path, lambda one: Notes())
    for _ in range(4):
        undo_notes(tmp_path)
    assert read_notes(tmp_path).markers and not can_undo(tmp_path)
    keep_notes(tmp_path, lambda one: Notes())
    renew_notes(tmp_path)
    assert read_notes(tmp_path) == Notes() and not can_undo(tmp_path)
    monkeypatch.setattr(notes, "_MOST_STATES", 4)
    for number in range(6):
        keep_notes(tmp_path, lambda one, number=number: one.named(1, f"name {number}"))  # type: ignore[misc]
    while can_undo(tmp_path):
        undo_notes(tmp_path)
    assert read_notes(tmp_path).names == {1: "name 2"}
    (tmp_path / "notes.json").write_text('{"states": []}')
    assert read_notes(tmp_path) == Notes()


def test_corrections_are_in_the_exports_whoever_a_person_is() -> None:
    said = Notes().with_correction(7, 3, "fear").with_correction(7, 3, "anger").with_correction(20, 2, "neutral")
    assert said.corrections == (Correction(7, 3, "anger"), Correction(20, 2, "neutral"))
    for told in (said.applied(SEEN), said.with_merged(2, 1).named(3, "Ada").marked(1.0, "x").applied(SEEN)):
        rows = [row for row in table(told) if row["corrected_label"]]
        assert [(row["frame"], row["label"], row["corrected_label"]) for row in rows] == [
            ("7", "surprise", "anger"),
            ("20", "anger", "neutral"),
        ]
        assert list(rows[0])[-1] == "corrected_label"
        column = json.loads(timeline_json(told))["rows"]["corrected_label"]
        assert {place: label for place, label in enumerate(column) if label} == told.corrected
    assert len(said.with_hidden(3).applied(SEEN).corrected) == 1
    assert said.with_correction(7, 3, None).with_correction(20, 2, None) == Notes()
    assert {row["corrected_label"] for row in table(SEEN)} == {""}, "the column is always there"


def test_who_undoes_a_change_keeps_what_was_corrected(tmp_path: Path) -> None:
    keep_notes(tmp_path, lambda one: one.named(1, "Ada"))
    keep_notes(tmp_path, lambda one: one.with_correction(7, 3, "anger"))
    keep_notes(tmp_path, lambda one: one.with_hidden(3))
    undo_notes(tmp_path)
    assert read_notes(tmp_path) == Notes({1: "Ada"}, corrections=(Correction(7, 3, "anger"),))
    undo_notes(tmp_path)
    assert read_notes(tmp_path) == Notes(corrections=(Correction(7, 3, "anger"),)) and not can_undo(tmp_path)


def test_a_change_of_nothing_is_none(tmp_path: Path) -> None:
    keep_notes(tmp_path, lambda one: one.named(1, "Ada"))
    keep_notes(tmp_path, lambda one: one.named(1, " Ada "), lambda: pytest.fail("nothing to tell"))
    undo_notes(tmp_path)
    assert not can_undo(tmp_path)


def test_notes_that_cannot_be_read_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "notes.json").write_text("damaged")
    assert read_notes(tmp_path) == Notes() and not can_undo(tmp_path)
    (aside,) = damaged_notes(tmp_path)
    assert (tmp_path / aside).read_text() == "damaged"
    keep_notes(tmp_path, lambda one: one.named(1, "Ada"))
    assert read_notes(tmp_path).names == {1: "Ada"} and damaged_notes(tmp_path) == [aside]


def test_of_many_notes_the_latest_states_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MOST_BYTES", 4000)
    for number in range(20):
        keep_notes(tmp_path, lambda one, number=number: one.marked(number, "x" * 50))  # type: ignore[misc]
    assert len(read_notes(tmp_path).markers) == 20
    undo_notes(tmp_path)
    assert len(read_notes(tmp_path).markers) == 19 or not can_undo(tmp_path)
