"""The page of results, and photos that are found there again, without a browser."""

import csv
import io
import json
import re
import time
import zipfile
from base64 import b64encode
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fer.collection import job as collections
from fer.errors import JobError, ResultsError
from fer.faces import Box, Face
from fer.images import encode_png
from fer.jobs import job
from fer.jobs.status import FINISHED, STOPPED, Reporter
from fer.jobs.visitors import Claim, claim, claim_of
from fer.names import literal
from fer.results.content import Content
from fer.results.corrections import face_key
from fer.results.database import keep_row
from fer.results.journal import Finished, PictureTask, open_results
from fer.results.photo import PhotoRecord
from fer.results.pictures import PictureResult
from fer.results.result import (
    COMPLETE,
    FAILED,
    FOLDER,
    INTERRUPTED,
    NO_ROOM,
    NOTHING,
    PHOTO,
    PICTURES,
    RESULTS,
    RUNNING,
    VIDEO,
    WEBCAM,
    Figures,
    Result,
    Settings,
)
from fer.results.store import GONE_SECONDS, UNDO_SECONDS, ResultStore
from fer.results.timeline import write_timeline
from fer.video import job as videos
from fer.video.job import TIMELINE_NAME, VideoRequest
from fer.video.notes import keep_notes
from fer.video.settings import ClipOptions
from pages.parts import kept_jobs, result_actions, visitor
from pages.parts.kept_photos import name_of_file
from pages.parts.photo_result import PICTURE_GONE
from pages.parts.result_actions import export_of
from pages.parts.result_list import ROWS_AT_ONCE
from pages.parts.results import result_store, size, when
from tests.video.results import timeline_of

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")
HOSTILE = "![x](http://evil.example/a.png) **b** :smile: <b>c</b>"


pytestmark = pytest.mark.usefixtures("at_the_machine")


@pytest.fixture
def store(results: Path) -> ResultStore:
    return ResultStore(results)


def opened(page: str = "results", **said: str) -> AppTest:
    app = AppTest.from_file(ENTRY, default_timeout=120).run()
    app = app.switch_page(f"pages/{page}.py")
    for name, value in said.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def add(store: ResultStore, name: str, kind: str = PHOTO, **more: object) -> Result:
    added = store.add("", kind, name, **more)  # type: ignore[arg-type]
    assert added
    return added


def rows(app: AppTest) -> list[dict[str, Any]]:
    """Return what the list gets for each result."""
    return [row for part in app.get("bidi_component") for row in json.loads(part.proto.json)["rows"]]


def shown(app: AppTest) -> list[str]:
    """Return the names of the results that are listed."""
    return [row["name"] for row in rows(app)]


def told(app: AppTest) -> str:
    """Return what the list says about the results beside their names."""
    return json.dumps([row["facts"] for row in rows(app)])


def choose(app: AppTest, count: int) -> AppTest:
    """Choose the first results of the list."""
    app.session_state["results_chosen"] = [row["id"] for row in rows(app)[:count]]
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def test_an_empty_list_leads_to_the_other_pages(results: Path) -> None:
    app = opened()
    assert app.info and not rows(app)
    pages = {link.proto.page for link in app.get("page_link")}
    assert {"photo", "folder", "video", "webcam"} <= pages


def test_the_newest_come_first_and_are_searched(store: ResultStore) -> None:
    add(store, "a.jpg", figures=Figures(faces=3, expressions={"fear": 3}))
    add(store, "b.mp4", VIDEO, figures=Figures(people=2, seconds=192), model="mine", state=RUNNING)
    add(store, HOSTILE, WEBCAM)
    app = opened()
    assert shown(app) == [HOSTILE, "b.mp4", "a.jpg"]
    assert "3 faces" in told(app) and "fear" in told(app) and "mine" in told(app)
    app.text_input(key="results_query").set_value("FEAR").run()
    assert shown(app) == ["a.jpg"]
    app.text_input(key="results_query").set_value("nothing like that").run()
    assert shown(app) == [] and app.info
    app.text_input(key="results_query").set_value("").run()
    app.pills[0].set_value([VIDEO, WEBCAM]).run()
    assert shown(app) == [HOSTILE, "b.mp4"]


def test_several_are_deleted_and_come_back(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        add(store, name)
    app = opened()
    choose(app, 2)
    assert [button.label for button in app.get("download_button")]
    press(app, "Delete")
    assert shown(app) == ["a"]
    app = opened()  # a reload
    press(app, "Undo")
    assert sorted(shown(app)) == ["a", "b", "c"]
    choose(app, 1)
    press(app, "Delete")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + UNDO_SECONDS)
    app.run()
    assert "Undo" not in [button.label for button in app.button]
    assert store.list("").total == 2 and store.undo([], "") == 0


def test_all_that_a_search_finds_are_selected_on_all_pages(store: ResultStore) -> None:
    for number in range(ROWS_AT_ONCE + 2):
        add(store, f"{number}", WEBCAM, model="mine")
    other = add(store, "other")
    app = opened()
    app.text_input(key="results_query").set_value("recording MINE").run()
    press(app, "Select this page")
    assert len(app.session_state["results_chosen"]) == ROWS_AT_ONCE
    press(app, f"Select all {ROWS_AT_ONCE + 2}")
    press(app, "Delete")
    assert [result.id for result in store.list("").results] == [other.id]
    press(app, "Undo")
    press(app, "Clear selection")
    assert not app.session_state["results_chosen"] and "Delete" not in {button.label for button in app.button}


def test_what_is_deleted_in_short_succession_comes_back_together(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        add(store, name)
    app, start = opened(), time.time()
    for seconds in (0.0, 4.0, 8.0):
        monkeypatch.setattr(time, "time", lambda now=start + seconds: now)
        choose(app, 1)
        press(app, "Delete")
    monkeypatch.setattr(time, "time", lambda: start + UNDO_SECONDS + 1)
    app.run()  # the first one is out of reach now
    press(app, "Undo")
    assert sorted(shown(app)) == ["a", "b"] and not app.error


def test_a_press_in_the_last_moment_counts_and_one_in_vain_is_told(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(store, "a")
    now = time.time()
    for is_gone in (False, True):
        app = opened()
        choose(app, 1)
        press(app, "Delete")
        if is_gone:
            store.sweep(now + 2 * GONE_SECONDS)
        monkeypatch.setattr(time, "time", lambda: now + UNDO_SECONDS + 1)
        press(app, "Undo")
        assert len(shown(app)) == (not is_gone) and bool(app.error) is is_gone


def test_what_went_by_itself_is_said_until_it_is_dismissed(store: ResultStore) -> None:
    add(store, HOSTILE, content=Content({"x": "y" * 1000}))
    time.sleep(0.01)
    add(store, "newer", content=Content({"x": "y" * 1000}))
    store.settings = Settings(limit_bytes=1500)
    assert [notice.why for notice in store.notices("")] == [NO_ROOM]
    app = opened()
    assert [text.value for text in app.text] == [HOSTILE]
    press(app, "Dismiss")
    assert not app.text and store.notices("") == []


def test_what_is_kept_is_set_on_the_page(store: ResultStore) -> None:
    app = opened()
    app.radio[0].set_value("nothing")
    limit, days = app.number_input
    limit.set_value(2.5)
    days.set_value(0)
    press(app, "Save")
    assert store.settings == Settings("nothing", 2_500_000_000, None)
    assert limit.min > 0, "a limit of nothing would remove everything"


def test_pictures_kept_until_now_go_only_when_somebody_says_so(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    store.settings = Settings(PICTURES)
    folder = video_job(tmp_path, "a.mp4")
    claim(folder, Claim((), is_elsewhere=False, keeps_pictures=True))
    Reporter(folder).set(FINISHED)
    (folder / "video").mkdir()
    pictures = folder / "video" / "a.mp4", folder / "a-faces.mp4"
    for path in pictures:
        path.write_bytes(bytes(1_000_000))
    add(store, "a.mp4", VIDEO, job=f"videos/{folder.name}")
    photo = add(store, "a.jpg", content=Content({"x": 1}, picture=(".jpg", bytes(500_000))))
    going = add(store, "b", WEBCAM, state=RUNNING, content=Content(picture=(".mp4", b"x")))

    def keep(what: str) -> AppTest:
        app = opened()
        app.radio[0].set_value(what)
        return press(app, "Save")

    offer = "Delete 3 pictures (2.5 MB)"
    assert offer not in {button.label for button in opened().button}
    app = press(keep(RESULTS), "Keep everything")
    assert all(path.exists() for path in pictures) and offer not in {button.label for button in app.button}
    app = press(keep(NOTHING), offer)
    assert not any(path.exists() for path in pictures) and store.picture(photo) is None and store.picture(going)
    kept, claimed = store.get(photo.id, ""), claim_of(folder)
    assert kept and kept.file_bytes < 1000 and kept.changed == photo.changed
    assert claimed and not claimed.keeps_pictures and store.usage("").size_bytes < 10_000
    press(app, next(button.label for button in app.button if button.label.startswith("Delete 3 results")))
    assert store.list("").total == 0
    press(app, "Undo")
    assert store.list("").total == 3


def test_only_who_sits_at_the_machine_sets_what_is_kept(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "may_train", lambda *signs: False)  # FER_ALLOW_TRAINING still lets them train
    assert not opened().number_input


def test_a_result_is_opened_by_its_address_for_its_owner_only(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    added = add(store, HOSTILE, WEBCAM, figures=Figures(seconds=48, people=1, expressions={"fear": 12.0}))
    app = opened(result=added.id)
    assert [title.value for title in app.title] == [literal(HOSTILE)]
    assert {"Rename", "Share", "Delete"} <= {button.label for button in app.button}
    token = store.share(added.id, "")
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")  # nobody counts as the owner
    assert opened(result=added.id).info, "the ID alone opens nothing for others"
    app = opened(result=token)
    assert [title.value for title in app.title] == [literal(HOSTILE)]
    assert not {"Rename", "Share", "Delete"} & {button.label for button in app.button}
    assert shown(opened()) == []
    store.revoke(added.id, "")
    assert opened(result=token).info


def test_a_damaged_database_is_said_and_results_are_kept_anew(results: Path) -> None:
    results.mkdir()
    (results / "results.sqlite").write_bytes(b"no database" * 1000)
    home = AppTest.from_file(ENTRY, default_timeout=120).run()  # whichever page is the first to look
    assert "damaged-" in home.error[0].value.replace("\\", "")
    app = opened()
    assert not app.error and app.text


@pytest.mark.slow
def test_of_thousands_a_page_is_shown(store: ResultStore) -> None:
    with store._database.writing() as database:
        for number in range(2000):
            keep_row(
                database, Result(f"{number:022}", "", PHOTO, f"{number}", number, time.time() + number, "complete")
            )
    app = opened()
    assert shown(app) == [f"{number}" for number in range(1999, 1999 - ROWS_AT_ONCE, -1)]
    assert re.search(r"2,000 results", "\n".join(caption.value for caption in app.caption))


@pytest.mark.slow
def test_a_photo_is_kept_once_and_shown_again_by_its_address(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path, astronaut: np.ndarray
) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    file = ("astronaut.png", encode_png(astronaut), "image/png")
    app = opened("photo")
    app.file_uploader[0].set_value([file]).run()
    (kept,) = store.list("").results
    assert kept.name == "astronaut.png" and kept.figures.faces == 1
    assert kept.id in app.query_params["result"]

    again = opened("photo", result=kept.id)  # a reload
    assert len(again.get("plotly_chart")) == 1 and not again.error
    assert kept.id in again.query_params["result"]
    again.switch_page("pages/home.py").run()
    again.switch_page("pages/photo.py").run()
    assert len(again.get("plotly_chart")) == 1, "who comes back sees it, too"
    press(again, "New photos")
    assert not again.get("plotly_chart") and "result" not in again.query_params

    again.file_uploader[0].set_value([file]).run()
    assert [result.id for result in store.list("").results] == [kept.id]
    store.delete([kept.id], "")
    gone = opened("photo", result=kept.id)
    assert gone.info and not gone.get("plotly_chart") and not gone.exception


@pytest.mark.slow
def test_a_photo_that_is_turned_stays_one_result_and_is_analyzed_again_where_its_picture_is_kept(
    store: ResultStore, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path, astronaut: np.ndarray
) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    app = opened("photo")
    app.file_uploader[0].set_value([("a.png", encode_png(astronaut), "image/png")]).run()
    (kept,) = store.list("").results
    press(app, "Rotate left")
    assert [result.id for result in store.list("").results] == [kept.id]
    record = store.record(kept, PhotoRecord)
    assert record and record.turns == 1 and kept.id in app.query_params["result"]
    assert "Analyze again" not in {button.label for button in opened("photo", result=kept.id).button}

    store.settings = Settings(PICTURES)
    press(app, "Rotate left")
    store.rename(kept.id, "", "Ada")
    again = press(opened("photo", result=kept.id), "Analyze again")
    press(again, "Rotate left")
    assert [(result.id, result.name) for result in store.list("").results] == [(kept.id, "Ada")]
    record = store.record(kept, PhotoRecord)
    assert record and record.turns == 3 and kept.id in again.query_params["result"]


@pytest.mark.parametrize("sha", ["ab", "ab cd"])
def test_a_photo_s_file_keeps_its_name_whatever_model_read_it(sha: str) -> None:
    kept = Result("1", "", PHOTO, "Ada", 0.0, 0.0, "complete", model_sha=sha, source=f"12 {sha} everyday my photo.jpg")
    assert name_of_file(kept) == "my photo.jpg"
    assert name_of_file(replace(kept, source=f"12 {sha} everyday")) == "Ada", "kept by an earlier version"


@pytest.mark.slow
def test_samples_are_not_kept(store: ResultStore, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    app = opened("photo")
    app.segmented_control[0].set_value("Sample").run()
    press(app, "Rotate left")
    assert app.get("plotly_chart") or app.info
    assert store.list("").total == 0 and "result" not in app.query_params


def video_job(place: Path, name: str, begun: bool = True) -> Path:
    """Make a video's job as it was left by a process that is gone."""
    folder = videos.new_job(place / "videos", VideoRequest(place / name, Path("a.safetensors"), ClipOptions()))
    if begun:
        Reporter(folder).set(STOPPED)
    return folder


def test_jobs_of_earlier_versions_become_results_of_the_owner_once(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    mine, theirs = video_job(tmp_path, "mine.mp4"), video_job(tmp_path, "theirs.mp4")
    claim(theirs, Claim(("somebody",)))
    video_job(tmp_path, "waiting.mp4", begun=False)
    write_timeline(mine / TIMELINE_NAME, timeline_of({1: ["fear"] * 20}, peaks=()))
    assert shown(opened()) == ["mine.mp4"]
    (row,) = store.list("").results
    assert (row.kind, row.job, row.state) == (VIDEO, f"videos/{mine.name}", INTERRUPTED)
    assert row.figures.expressions == {"fear": pytest.approx(2.0)} and row.job_bytes > 0
    store.delete([row.id], "")
    assert shown(opened()) == []
    result_store().sweep(time.time() + GONE_SECONDS)
    assert not mine.exists() and theirs.exists()


def test_what_was_interrupted_is_resumed_from_the_list(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    folder = video_job(tmp_path, "a.mp4")
    row = add(store, "a.mp4", VIDEO, state=RUNNING, job=f"videos/{folder.name}")
    started = list[Path]()
    monkeypatch.setitem(kept_jobs._STARTS, VIDEO, lambda folder, request: started.append(folder))
    assert "interrupted" in told(opened())
    kept = store.get(row.id, "")
    assert kept and kept.state == INTERRUPTED
    kept_jobs.resume(job.view(folder, videos.KIND), kept)
    resumed = store.get(row.id, "")
    assert started == [folder] and resumed and resumed.state == RUNNING


def test_what_failed_is_called_so_but_an_export_that_failed_changes_nothing(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    folder = video_job(tmp_path, "a.mp4")
    row = add(store, "a.mp4", VIDEO, state=RUNNING, job=f"videos/{folder.name}")
    Reporter(folder).set(FAILED, "no video")
    assert rows(opened())[0]["facts"][1][0] == FAILED
    write_timeline(folder / TIMELINE_NAME, timeline_of({1: ["fear"] * 20}, peaks=()))
    request = VideoRequest(tmp_path / "a.mp4", Path("a.safetensors"), ClipOptions())
    for draws_only, state in ((False, FAILED), (True, COMPLETE)):
        job.write_request(folder, videos.KIND, replace(request, draws_only=draws_only))
        store.update(row.id, "", state=RUNNING)
        kept_jobs.look_after(store)
        kept = store.get(row.id, "")
        assert kept and kept.state == state and kept.figures.seconds == pytest.approx(2.0)
    assert FAILED not in told(opened())


def test_a_result_whose_job_is_gone_does_not_go_on(store: ResultStore) -> None:
    row = add(store, "a.mp4", VIDEO, state=RUNNING, job="videos/gone")
    kept_jobs.look_after(store)
    kept = store.get(row.id, "")
    assert kept and kept.state == INTERRUPTED and store.going() == []


def test_what_could_not_begin_yet_waits(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path
) -> None:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    monkeypatch.setattr(kept_jobs, "owner", lambda: "")
    folder = video_job(tmp_path, "a.mp4", begun=False)

    def busy() -> None:
        raise JobError("expected no other job, found one.")

    with pytest.raises(JobError):
        kept_jobs.begin_kept(folder, VIDEO, "a.mp4", busy)
    claimed = claim_of(folder)
    assert claimed and claimed.asked and store.list("").total == 1


def test_tabs_of_a_remote_visitor_share_a_limit_even_if_they_may_train(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("FER_DATA", str(tmp_path)), ("FER_ALLOW_TRAINING", "1"), ("FER_UPLOADS_MB", "2")):
        monkeypatch.setenv(name, value)
    tabs = count()
    monkeypatch.setattr(kept_jobs, "owner", lambda: "a browser elsewhere")
    monkeypatch.setattr(kept_jobs, "session_id", lambda: f"tab {next(tabs)}")
    request = collections.Request("trip", tmp_path / "model")
    one, other = (job.new_job(tmp_path / "collections", collections.KIND, request) for _ in range(2))
    with kept_jobs.filling(one, collections.KIND) as most_bytes:
        (one / "photo").write_bytes(bytes(900_000))
    assert most_bytes == 2**20
    with pytest.raises(JobError), kept_jobs.filling(other, collections.KIND):
        (other / "photo").write_bytes(bytes(300_000))
    assert one.exists() and not other.exists()


def photo_job(place: Path, pictures: str) -> tuple[Path, Face]:
    """Make a finished job with one photo in a folder that is relative to its own; return its folder and the face."""
    folder = job.new_job(place / "collections", collections.KIND, collections.Request("trip", place / "gone"))
    path = folder / pictures / "a.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(encode_png(np.zeros((20, 30, 3), np.uint8)))
    picture = PictureTask(path.resolve(), "a.png")
    seen = Face(Box(0, 0, 9, 9), ((1.0, 1.0),) * 5, 0.9, labels=("fear", "joy"), probabilities=(0.2, 0.8))
    tile = "data:image/png;base64," + b64encode(encode_png(np.zeros((8, 8, 3), np.uint8))).decode()
    with open_results(folder / collections.RESULTS_NAME, [picture], "") as found:
        found.add(Finished(picture, PictureResult("a.png", (seen,), size_wh=(30, 20)), (tile,)))
    Reporter(folder).set(FINISHED)
    return folder, seen


def parts(app: AppTest) -> list[dict[str, Any]]:
    """Return what the page's own components are told."""
    return [json.loads(part.proto.json) for part in app.get("bidi_component")]


def test_photos_whose_model_is_gone_are_shown_and_exported(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    folder, seen = photo_job(tmp_path, "uploads")
    (folder / "uploads" / "a.png").unlink()
    row = add(store, "trip", FOLDER, job=f"collections/{folder.name}")
    app = opened("folder", result=row.id)
    assert not app.error and app.metric and app.get("plotly_chart")
    (viewer,) = (part for part in parts(app) if "url" in part)
    assert viewer["size"] == [30, 20] and viewer["faces"][0]["box"] == [0, 0, 9, 9]
    names = {button.proto.label for button in app.get("download_button")}
    assert "Table (CSV)" in names and "Annotated copies (ZIP)" not in names
    with zipfile.ZipFile(io.BytesIO(export_of(store, [row], {face_key(seen): "fear"})())) as archive:
        (line,) = csv.DictReader(io.StringIO(archive.read("trip/faces.csv").decode()))
    assert float(line["joy"]) == pytest.approx(0.8) and line["corrected_label"] == "fear"


def test_too_large_an_export_is_refused_before_it_is_made(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    folder = video_job(tmp_path, "a.mp4")
    row = add(store, "a.mp4", VIDEO, job=f"videos/{folder.name}")
    (folder / "a-faces.mp4").write_bytes(bytes(1200))
    (folder / "a-faces.mp4.part").write_bytes(bytes(10))  # one that is being drawn
    with zipfile.ZipFile(io.BytesIO(export_of(store, [row], {})())) as archive:
        assert archive.getinfo("a-mp4/a-faces.mp4").file_size == 1200
        assert "a-mp4/a-faces.mp4.part" not in archive.namelist()
    monkeypatch.setattr(result_actions, "EXPORT_BYTES", 1000)
    with pytest.raises(ResultsError, match="1 kB"):
        export_of(store, [row], {})
    app = choose(opened(), 1)
    assert app.error and not app.get("download_button")


@pytest.mark.parametrize(("pictures", "is_kept"), [("uploads", True), ("../..", False)])
def test_a_link_to_many_photos_shows_their_faces_and_what_pictures_were_kept(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: str, is_kept: bool
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    folder, seen = photo_job(tmp_path, pictures)
    store.set_label("", face_key(seen), "fear")
    token = store.share(add(store, "trip", FOLDER, job=f"collections/{folder.name}").id, "")
    app = opened(result=token)
    assert not app.error and {metric.label: metric.value for metric in app.metric}["Faces"] == "1"
    gallery, *viewers = parts(app)
    assert [group["name"] for group in gallery["groups"]] == ["joy"] and len(viewers) == 1
    assert (PICTURE_GONE in {caption.value for caption in app.caption}) is not is_kept
    assert gallery["groups"][0]["tiles"][0]["mark"] == "", "what the owner said is theirs"
    assert not [pills for pills in app.pills if "right" in (pills.key or "")]
    assert any(view.value == "Gallery" for view in app.segmented_control)


@pytest.mark.parametrize(("path", "is_played"), [("video/a.mp4", True), ("/elsewhere/a.mp4", False)])
def test_a_link_to_a_video_shows_it_if_it_was_kept_and_changes_nothing(
    store: ResultStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, is_played: bool
) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path))
    folder = videos.new_job(tmp_path / "videos", VideoRequest(Path(path), Path("a.safetensors"), ClipOptions()))
    (folder / "video").mkdir()
    (folder / "video" / "a.mp4").write_bytes(b"film")
    write_timeline(folder / TIMELINE_NAME, timeline_of({1: ["fear"] * 20}, peaks=()))
    Reporter(folder).set(FINISHED)
    app = opened(result=store.share(add(store, "a.mp4", VIDEO, job=f"videos/{folder.name}").id, ""))
    (player,) = parts(app)
    assert bool(player["url"]) is is_played and player["marks"] is False and len(player["people"]) == 1


def test_what_is_shared_is_marked_and_looking_at_it_shares_nothing(store: ResultStore) -> None:
    added = add(store, "a", WEBCAM)
    app = press(opened(result=added.id), "Share")
    assert store.list("").results[0].token is None and not app.code
    assert "Create link" in {button.label for button in app.button}
    (row,) = rows(opened())
    assert not row["is_shared"] and "Stop sharing" not in dict(row["menu"]).values()
    token = store.share(added.id, "")
    app = press(opened(result=added.id), "Share")
    assert token in app.code[0].value and "Create link" not in {button.label for button in app.button}
    (row,) = rows(opened())
    assert row["is_shared"] and "Stop sharing" in dict(row["menu"]).values()


def test_a_link_to_a_recording_shows_who_showed_what_when(store: ResultStore, monkeypatch: pytest.MonkeyPatch) -> None:
    added = add(store, "Webcam", WEBCAM)
    store.folder(added).mkdir()
    write_timeline(store.folder(added) / TIMELINE_NAME, timeline_of({1: ["fear"] * 20}, peaks=()))
    token = store.share(added.id, "")
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    app = opened(result=token)
    (player,) = parts(app)
    assert len(player["people"]) == 1 and app.get("plotly_chart")
    assert "Delete" not in {button.label for button in app.button}


def test_times_are_said_as_people_do() -> None:
    noon = 1_700_049_600.0  # Wednesday, 15 November 2023, 12:00 UTC
    hour, day = 3600.0, 24 * 3600.0
    for before, said in (
        (30, "now"),
        (125, "2 min ago"),
        (3 * hour, "today 9:00"),
        (20 * hour, "yesterday 16:00"),
        (3 * day, "Sunday 12:00"),
        (10 * day, "5 Nov"),
        (400 * day, "11 Oct 2022"),
    ):
        assert when(noon - before, noon, 0) == said
    assert when(noon - 3 * hour, noon, -60) == "today 10:00"


def test_sizes_are_said_as_people_do() -> None:
    assert [size(count) for count in (0, 1500, 12_340_000, 5e9)] == ["0 kB", "2 kB", "12.3 MB", "5 GB"]


def test_who_is_hidden_is_in_no_export(results: Path) -> None:
    store = ResultStore(results)
    result = store.add("", WEBCAM, "Webcam")
    assert result
    folder = store.folder(result)
    folder.mkdir(exist_ok=True)
    write_timeline(folder / TIMELINE_NAME, timeline_of({1: ["anger"] * 10, 2: ["fear"] * 10}))
    keep_notes(folder, lambda notes: notes.with_hidden(2))
    with zipfile.ZipFile(io.BytesIO(export_of(store, [result], {})())) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("expressions.csv"))
        rows = list(csv.DictReader(io.StringIO(archive.read(name).decode())))
    assert {row["person"] for row in rows} == {"1"}
