"""Results: kept once, found again, shared, deleted and brought back, each for its owner only."""

import csv
import io
import json
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from fer.errors import FerError, ResultsError
from fer.images import read_image
from fer.results.archive import TABLE_NAME, write_archive
from fer.results.content import FACE_PX, THUMBNAIL_PX, Content
from fer.results.database import keep_row
from fer.results.result import (
    INTERRUPTED,
    NO_ROOM,
    NOTHING,
    PHOTO,
    RUNNING,
    TOO_OLD,
    VIDEO,
    WEBCAM,
    Figures,
    Result,
    Settings,
)
from fer.results.store import GONE_SECONDS, SILENT_SECONDS, UNDO_SECONDS, ResultStore, fair_share

DAY = 24 * 3600.0


class Clock:
    """A clock that is moved by hand."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Note:
    """A record of some kind."""

    text: str


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> ResultStore:
    return ResultStore(tmp_path / "results", clock=clock)


def add(store: ResultStore, name: str = "a.jpg", owner: str = "", kind: str = PHOTO, **more: object) -> Result:
    added = store.add(owner, kind, name, **more)  # type: ignore[arg-type]
    assert added is not None
    return added


def names(store: ResultStore, owner: str = "", **asked: object) -> list[str]:
    return [result.name for result in store.list(owner, **asked).results]  # type: ignore[arg-type]


def picture(side: int = 300) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)


def test_what_was_added_is_read_back_by_another_process_with_its_files(store: ResultStore, tmp_path: Path) -> None:
    content = Content(Note("hello"), picture(), [picture(), picture(40)], (".jpg", b"bytes"))
    figures = Figures(faces=2, expressions={"fear": 1, "anger": 5, "happiness": 3, "neutral": 0})
    added = add(store, content=content, model="FER+", model_sha="ab", figures=figures, people=["Ada"])
    again = ResultStore(tmp_path / "results")
    assert again.get(added.id, "") == added
    assert added.figures.dominant == ("anger", "happiness")
    assert again.record(added, Note) == Note("hello")
    thumbnail = again.thumbnail(added)
    assert thumbnail and read_image(thumbnail).shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)
    assert [read_image(path).shape[0] for path in again.faces(added)] == [FACE_PX, 40]
    assert again.picture(added) is None
    files = [path for path in again.folder(added).rglob("*") if path.is_file()]
    assert added.size_bytes == sum(path.stat().st_size for path in files) == again.usage("").size_bytes


def test_ids_cannot_be_guessed(store: ResultStore) -> None:
    ids = {add(store).id for _ in range(20)}
    assert len(ids) == 20 and all(len(one) >= 22 for one in ids)


@pytest.mark.parametrize(("keep", "is_kept"), [("pictures", True), ("results", False)])
def test_the_picture_itself_is_kept_where_that_is_wanted(store: ResultStore, keep: str, is_kept: bool) -> None:
    store.settings = Settings(keep=keep)
    added = add(store, content=Content(Note(""), picture=(".jpg", b"bytes")))
    kept = store.picture(added)
    assert (kept is not None and kept.read_bytes() == b"bytes") == is_kept


def test_nothing_is_kept_where_that_is_wanted(store: ResultStore, tmp_path: Path) -> None:
    store.settings = Settings(keep="nothing")
    assert store.add("", PHOTO, "a.jpg", content=Content(Note(""))) is None
    assert names(store) == [] and list((tmp_path / "results" / "files").iterdir()) == []
    assert ResultStore(tmp_path / "results").settings == Settings(keep="nothing")


@pytest.mark.parametrize("wrong", [{"keep": "all"}, {"limit_bytes": -1}, {"expiry_days": 0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="expected"):
        replace(Settings(), **wrong)  # type: ignore[arg-type]


def test_the_same_analyzed_again_is_one_result(store: ResultStore, clock: Clock) -> None:
    first = add(store, "a.jpg", source="picture model", content=Content(Note("1"), faces=[picture(), picture()]))
    store.rename(first.id, "", "Birthday")
    clock.now += 5
    second = add(store, "b.jpg", source="picture model", content=Content(Note("2"), faces=[picture()]))
    assert (second.id, second.name, second.created) == (first.id, "Birthday", first.created)
    assert second.changed == clock.now
    assert store.record(second, Note) == Note("2") and len(store.faces(second)) == 1
    assert add(store, "c.jpg", source="picture model", owner="somebody").id != first.id
    assert add(store, "c.jpg").id != add(store, "c.jpg").id


def test_labels_of_faces_are_kept_for_whoever_gave_them_until_they_expire(store: ResultStore, clock: Clock) -> None:
    store.set_label("", "face", "fear")
    store.set_label("", "face", "anger")
    store.set_label("ann", "face", "fear")
    store.set_label("ann", "other", "fear")
    store.set_label("ann", "other", None)
    assert store.labels("") == {"face": "anger"} and store.labels("ann") == {"face": "fear"}
    store.settings = Settings(NOTHING, expiry_days=1)
    store.set_label("", "late", "fear")
    assert "late" not in store.labels("")
    clock.now += 25 * 3600
    store.sweep()
    assert store.labels("") == {}


def test_a_recording_grows(store: ResultStore, clock: Clock) -> None:
    added = add(store, "Webcam", kind=WEBCAM, state=RUNNING)
    for second in range(1, 4):
        clock.now += SILENT_SECONDS - 1
        store.sweep()
        added = store.update(added.id, "", figures=Figures(seconds=second), content=Content(Note(str(second))))
    found = store.get(added.id, "")
    assert found == added and found.state == RUNNING and found.figures.seconds == 3
    assert store.record(found, Note) == Note("3")
    clock.now += SILENT_SECONDS + 1
    store.sweep()
    found = store.get(added.id, "")
    assert found and found.state == INTERRUPTED and store.record(found, Note) == Note("3")


def test_newest_first_searched_by_names_people_and_expressions(store: ResultStore, clock: Clock) -> None:
    for name, kind, people, expressions in (
        ("holiday.jpg", PHOTO, (), {"happiness": 2}),
        ("Interview.mp4", VIDEO, ("Ärmel", "Bo"), {"anger": 3.5, "fear": 0}),
        ("Webcam", WEBCAM, (), {"neutral": 1}),
    ):
        clock.now += 1
        add(store, name, kind=kind, people=people, figures=Figures(expressions=expressions))
    assert names(store) == ["Webcam", "Interview.mp4", "holiday.jpg"]
    assert names(store, query="INTER") == names(store, query="ärmel anger") == ["Interview.mp4"]
    assert names(store, query="happi") == ["holiday.jpg"]
    assert names(store, query="fear") == names(store, query="%") == names(store, query="happiness anger") == []
    assert names(store, kinds=[PHOTO, WEBCAM]) == ["Webcam", "holiday.jpg"]
    page = store.list("", limit=1, offset=1)
    assert [result.name for result in page.results] == ["Interview.mp4"] and page.total == 3


@pytest.mark.slow
def test_thousands_are_paged_through(store: ResultStore) -> None:
    with store._database.writing() as database:
        for number in range(2000):
            made = Result(f"{number:022}", "", PHOTO, f"{number}.jpg", number, 1e9 + number, "complete")
            keep_row(database, made)
    seen = [name for first in range(0, 2000, 50) for name in names(store, limit=50, offset=first)]
    assert seen == [f"{number}.jpg" for number in reversed(range(2000))]
    assert store.list("", "1999.jpg").total == 1


@pytest.mark.parametrize("name", ["../../etc", "a\nb", "=1+1", "😀", "\udcff.jpg", "x" * 5000, "' OR 1=1 --"])
def test_odd_names_are_only_names(store: ResultStore, name: str, tmp_path: Path) -> None:
    added = add(store, name)
    assert names(store) == [added.name] and "\n" not in added.name
    with (tmp_path / "out.zip").open("w+b") as file:
        write_archive(store, [added], file)
        archive = zipfile.ZipFile(file)
        assert all(".." not in one and not one.startswith("/") for one in archive.namelist())


def test_a_result_is_renamed_but_needs_a_name(store: ResultStore) -> None:
    added = add(store)
    assert store.rename(added.id, "", " My  party ").name == "My party"
    assert names(store, query="party") == ["My party"]
    with pytest.raises(ResultsError):
        store.rename(added.id, "", "  ")
    assert names(store) == ["My party"]


def test_deleted_for_ten_seconds_then_gone_for_good(store: ResultStore, clock: Clock) -> None:
    one, other = add(store, "one", content=Content(Note(""))), add(store, "other", content=Content(Note("")))
    assert store.delete([one.id, other.id], "") == 2
    assert names(store) == [] and store.get(one.id, "") is None and store.usage("").count == 0
    assert {result.id for result in store.deleted("")} == {one.id, other.id} and store.deleted("else") == []
    clock.now += UNDO_SECONDS + 0.1  # pressed in time, and late by the way there
    store.sweep()
    assert store.deleted("") == []
    assert store.undo([one.id], "") == 1 and names(store) == ["one"]
    clock.now += GONE_SECONDS - UNDO_SECONDS
    assert store.undo([other.id], "") == 0
    assert [result.id for result in store.sweep()] == [other.id]
    assert not store.folder(other).exists() and store.folder(one).exists()
    assert store.notices("") == [], "it was asked for"
    with pytest.raises(ResultsError):
        store.update(other.id, "", state="complete")


def test_what_lies_elsewhere_is_forgotten_first_and_again_if_that_fails(tmp_path: Path, clock: Clock) -> None:
    is_stuck, forgotten = True, []

    def forget(result: Result) -> None:
        if is_stuck:
            raise FerError("cannot be stopped")
        forgotten.append(result.job)

    store = ResultStore(tmp_path, forget, clock)
    added = add(store, kind=VIDEO, job="videos/1")
    store.delete([added.id], "")
    clock.now += GONE_SECONDS
    assert store.sweep() == []
    is_stuck = False
    assert [result.id for result in store.sweep()] == [added.id] and forgotten == ["videos/1"]
    assert store.sweep() == []


def test_the_oldest_go_when_they_are_too_old_and_that_is_said(store: ResultStore, clock: Clock) -> None:
    add(store, "old")
    clock.now += 80 * DAY
    add(store, "newer")
    clock.now += 20 * DAY
    assert [result.name for result in store.sweep()] == ["old"]
    (notice,) = store.notices("")
    assert (notice.name, notice.why, notice.time) == ("old", TOO_OLD, clock.now)
    assert store.notices("somebody") == []
    store.dismiss("")
    assert store.notices("") == []
    store.settings = Settings(expiry_days=None)
    clock.now += 1000 * DAY
    assert store.sweep() == [] and names(store) == ["newer"]


def test_the_oldest_go_when_there_is_no_room_and_that_is_said(store: ResultStore, clock: Clock) -> None:
    size = add(store, "0", content=Content(Note("x" * 1000))).size_bytes
    add(store, "visitor's", owner="v", content=Content(Note("x" * 1000)))
    store.settings = Settings(limit_bytes=3 * size)
    for number in range(1, 5):
        clock.now += 1
        add(store, str(number), content=Content(Note("x" * 1000)))
    assert names(store) == ["4", "3", "2"]
    assert [(notice.name, notice.why) for notice in store.notices("")] == [("1", NO_ROOM), ("0", NO_ROOM)]
    assert names(store, "v") == ["visitor's"], "visitors and the owner share no room"
    clock.now += 1
    job = add(store, "going", kind=VIDEO, state=RUNNING, job="videos/1")
    store.update(job.id, "", job_bytes=3 * size)
    store.sweep()
    assert names(store) == ["going"]
    clock.now += 1
    add(store, "5", content=Content(Note("x" * 1000)))
    assert names(store) == ["5", "going"]


@pytest.mark.parametrize(
    ("used", "room", "share"),
    [([], 9, 9), ([5, 4], 9, 9), ([1, 2, 30], 9, 6), ([7, 8, 1], 9, 4), ([5, 5, 5], 9, 3), ([3], 0, 0)],
)
def test_who_uses_little_leaves_the_rest_to_others(used: list[float], room: float, share: float) -> None:
    assert fair_share(used, room) == share
    assert sum(min(one, share) for one in used) <= room


def test_a_visitor_who_uses_much_takes_no_room_from_others(store: ResultStore, clock: Clock) -> None:
    content = Content(Note("x" * 1000))
    size = add(store, "mine", owner="a", content=content).size_bytes
    clock.now += 1
    add(store, "mine", owner="b", content=content)
    store.settings = Settings(limit_bytes=5 * size)
    for number in range(6):
        clock.now += 1
        add(store, str(number), owner="greedy", content=content)
    assert names(store, "a") == names(store, "b") == ["mine"]
    assert names(store, "greedy") == ["5", "4", "3"]
    assert {notice.why for notice in store.notices("greedy")} == {NO_ROOM} and store.notices("a") == []


def test_what_alone_is_larger_than_all_the_room_stays_and_takes_none_from_others(
    store: ResultStore, clock: Clock
) -> None:
    store.settings = Settings(limit_bytes=1000)
    add(store, "small")
    clock.now += 1
    add(store, "large", content=Content(Note("x" * 2000)))
    assert store.sweep() == [] and names(store) == ["large", "small"] and store.notices("") == []


def test_what_goes_on_does_not_become_too_old(store: ResultStore, clock: Clock) -> None:
    job = add(store, "long", kind=VIDEO, state=RUNNING, job="videos/1")
    clock.now += 100 * DAY
    assert store.sweep() == []
    store.update(job.id, "", state=INTERRUPTED)
    clock.now += 100 * DAY
    assert [result.id for result in store.sweep()] == [job.id]


def test_a_job_whose_result_came_back_meanwhile_is_not_forgotten(tmp_path: Path, clock: Clock) -> None:
    forgotten = list[str]()
    store = ResultStore(tmp_path, lambda result: forgotten.append(result.job), clock)
    stale = add(store, kind=VIDEO, job="videos/1")
    clock.now += 1
    store.update(stale.id, "", state=RUNNING)
    assert not store._remove(stale, TOO_OLD, clock.now) and forgotten == [] and names(store) == ["a.jpg"]


def test_nobody_sees_what_is_somebody_elses(store: ResultStore) -> None:
    mine, theirs = add(store, "mine", owner="me"), add(store, "theirs", owner="them")
    assert names(store, "me") == ["mine"] and names(store) == []
    assert store.get(theirs.id, "me") is None
    assert store.delete([theirs.id, mine.id], "me") == 1
    assert store.undo([theirs.id, mine.id], "them") == 0
    for change in (store.share, store.revoke, store.update):
        with pytest.raises(ResultsError):
            change(theirs.id, "me")
    with pytest.raises(ResultsError):
        store.rename(theirs.id, "me", "x")
    assert store.usage("me").count == 0 and store.usage("them").count == 1


def test_a_link_opens_one_result_until_it_is_revoked(store: ResultStore) -> None:
    shared, other = add(store, "shared"), add(store, "other")
    token = store.share(shared.id, "")
    assert len(token) >= 22 and token != shared.id and store.share(shared.id, "") == token
    opened = store.open_shared(token)
    assert opened and opened.id == shared.id
    assert store.open_shared(other.id) is store.open_shared("") is store.open_shared(shared.id) is None
    store.delete([shared.id], "")
    assert store.open_shared(token) is None
    store.undo([shared.id], "")
    assert store.open_shared(token)
    store.revoke(shared.id, "")
    assert store.open_shared(token) is None
    assert store.share(shared.id, "") != token


def test_several_are_exported_as_one_file(store: ResultStore, tmp_path: Path) -> None:
    store.settings = Settings(keep="pictures")
    content = Content(Note("hello"), picture(), [picture()], (".png", b"bytes"))
    both = [
        add(store, "clip.mp4", kind=VIDEO, content=content, figures=Figures(seconds=12.5, expressions={"fear": 2})),
        add(store, "clip.mp4", kind=VIDEO, content=Content(Note("other"))),
    ]
    (tmp_path / "long.csv").write_text("table")
    file = io.BytesIO()
    write_archive(store, both, file, lambda result: [("timeline.csv", tmp_path / "long.csv"), ("note.txt", "x")])
    with zipfile.ZipFile(file) as archive:
        assert set(archive.namelist()) == {
            TABLE_NAME,
            *(f"clip-mp4/{name}" for name in ("result.json", "thumbnail.webp", "faces/0001.webp", "picture.png")),
            "clip-mp4-2/result.json",
            *(f"{folder}/{name}" for folder in ("clip-mp4", "clip-mp4-2") for name in ("timeline.csv", "note.txt")),
        }
        assert json.loads(archive.read("clip-mp4-2/result.json")) == {"text": "other"}
        rows = list(csv.DictReader(io.StringIO(archive.read(TABLE_NAME).decode())))
    assert [(row["folder"], row["seconds"], row["expressions"]) for row in rows] == [
        ("clip-mp4", "12.5", "fear 2"),
        ("clip-mp4-2", "0.0", ""),
    ]
    with pytest.raises(ResultsError):
        write_archive(store, both, io.BytesIO(), lambda result: [("gone.csv", tmp_path / "gone.csv")])
