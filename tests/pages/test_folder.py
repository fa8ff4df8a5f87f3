"""The page for many photos, without a browser; a background process does the work."""

import io
import time
import zipfile
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fer.cli import jobs as command
from fer.collection import job as collection
from fer.collection.job import KIND, RESULTS_NAME, Request
from fer.jobs import job
from fer.jobs.job import JobView
from fer.jobs.status import STOPPED
from fer.model.checkpoint import read_info
from fer.model.prior import POSED
from fer.results.journal import HEADER
from fer.results.result import COMPLETE, FOLDER
from fer.results.store import GONE_SECONDS, ResultStore
from pages.parts.results import result_store
from tests.scripts.processes import wait_until

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path, at_the_machine: None) -> Path:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    return tmp_path / "data" / "collections"


@pytest.fixture
def app(folder: Path) -> AppTest:
    return opened()


def opened(**query: str) -> AppTest:
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/folder.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> None:
    next(button for button in app.button if button.label.startswith(label)).click().run()
    assert not app.exception


def until_ended(folder: Path) -> None:
    wait_until(lambda: not any(seen.active for seen in job.views(folder, KIND)))


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


SEEN = {"Pictures": "26", "Faces": "24", "Unsure": "", "No face": "1", "Unreadable": "1"}
"""The expected counts in `many_photos`."""


def as_table(app: AppTest) -> None:
    """Show the faces as a table, in the order of their pictures."""
    app.segmented_control(key="folder_view").set_value("Table")
    app.selectbox(key="folder_order").set_value("Picture").run()


@pytest.fixture
def done(folder: Path, tiny_checkpoint: Path, many_photos: Path) -> JobView[Request]:
    made = collection.create(folder, tiny_checkpoint, "holiday", many_photos)
    assert command.main(["run", str(made.folder)]) == 0
    return made


@pytest.mark.slow
def test_uploaded_pictures_and_a_zip_are_processed(
    app: AppTest, folder: Path, many_photos: Path, results: Path
) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(3):
            archive.write(many_photos / f"{number:02}.jpg", f"{number:02}.jpg")
    one = (many_photos / "00.jpg").read_bytes()
    nobody = (many_photos / "nobody.png").read_bytes()
    app.file_uploader[0].set_value(
        [
            ("00.jpg", one, "image/jpeg"),
            ("00.jpg", one, "image/jpeg"),
            ("=nobody.png", nobody, "image/png"),
            ("bad.jpg", b"no picture", "image/jpeg"),
            ("trip.zip", packed.getvalue(), "application/zip"),
        ]
    ).run()
    press(app, "Analyze 5 files")
    (result,) = ResultStore(results).list("").results
    assert app.query_params["result"] == result.id
    until_ended(folder)
    app.run()
    (result,) = ResultStore(results).list("").results
    assert (result.kind, result.state, result.name) == (FOLDER, COMPLETE, "5 files")
    assert (result.figures.pictures, result.figures.faces) == (7, 5)
    assert {**metrics(app), "Unsure": ""} == {**SEEN, "Pictures": "7", "Faces": "5"}
    assert "bad.jpg" in app.text[-1].value and str(folder) not in app.text[-1].value
    as_table(app)
    names = list(app.dataframe[0].value["picture"])
    assert names == ["'-nobody.png", "00-2.jpg", "00.jpg", "trip/00.jpg", "trip/01.jpg", "trip/02.jpg"]


@pytest.mark.slow
def test_filters_and_order(done: JobView[Request]) -> None:
    app = opened(job=done.name)
    assert {**metrics(app), "Unsure": ""} == SEEN and not app.dataframe
    as_table(app)
    table = app.dataframe[0].value
    crops = table["face"].dropna()  # a picture without a face has none
    assert len(table) == 25 > len(crops) > 0 and crops.str.startswith("data:image/jpeg").all()
    shares = sorted(table["confidence"].dropna(), reverse=True)
    app.selectbox(key="folder_order").set_value("Surest first").run()
    assert list(app.dataframe[0].value["confidence"].dropna()) == shares and len(shares) == 24
    threshold = round(shares[12])
    app.slider(key="threshold_widget").set_value(threshold).run()
    table = app.dataframe[0].value
    unsure = table["confidence"] < threshold
    assert (table["concerns"].str.contains("unsure") == unsure).all() and 0 < unsure.sum() < 24
    assert ((table["expression"] == "unsure") == unsure).all()
    assert metrics(app)["Unsure"] == str(unsure.sum())
    app.pills(key="folder_labels").set_value(["unsure"]).run()
    assert len(app.dataframe[0].value) == unsure.sum() and f" {unsure.sum()} " in app.caption[-1].value
    app.pills(key="folder_labels").set_value(["no face"]).run()
    assert list(app.dataframe[0].value["picture"]) == ["nobody.png"]


@pytest.mark.slow
def test_both_readings_of_a_model_with_two_heads(folder: Path, two_heads: Path, many_photos: Path) -> None:
    made = collection.create(folder, two_heads, "holiday", many_photos, faces=POSED)
    assert command.main(["run", str(made.folder)]) == 0
    app = opened(job=made.name)
    as_table(app)
    table = app.dataframe[0].value
    found = table["confidence"].notna()
    assert set(table["raters / label"][found]) == {"neutral / anger"} and set(table["raters / label"][~found]) == {""}
    limit = round(100 * read_info(two_heads).reading(POSED).unsure_below)  # not that of everyday faces
    assert app.slider(key="threshold_widget").value == limit
    unsure = table["concerns"].str.contains("unsure")
    assert (unsure[found] == (table["confidence"][found] < limit)).all() and unsure.any()
    app.toggle(key="folder_differing").set_value(True).run()
    assert len(app.dataframe[0].value) == found.sum() == 24


@pytest.mark.slow
def test_interrupted_work_can_be_resumed(folder: Path, tiny_checkpoint: Path, many_photos: Path) -> None:
    made = collection.create(folder, tiny_checkpoint, "holiday", many_photos)
    app = opened(job=made.name)
    assert app.warning
    press(app, "Resume")
    assert job.view(made.folder, KIND).active
    press(app, "Stop")
    assert job.view(made.folder, KIND).state == STOPPED
    press(app, "Resume")
    until_ended(folder)
    app.run()
    assert metrics(app)["Faces"] == "24"


@pytest.mark.slow
def test_a_folder_of_this_machine(app: AppTest, folder: Path, many_photos: Path, tmp_path: Path) -> None:
    app.segmented_control(key="folder_source").set_value("On this machine").run()
    app.text_input[0].set_value(str(tmp_path / "gone")).run()
    assert str(tmp_path / "gone") in app.error[0].value
    assert next(button for button in app.button if button.label == "Analyze").disabled
    (tmp_path / "empty").mkdir()
    app.text_input[0].set_value(str(tmp_path / "empty")).run()
    press(app, "Analyze")
    assert "empty" in app.error[0].value
    press(app, "Other photos")
    app.segmented_control(key="folder_source").set_value("On this machine").run()
    app.text_input[0].set_value(str(many_photos)).run()
    press(app, "Analyze")
    until_ended(folder)
    app.run()
    assert metrics(app)["Pictures"] == "26"


@pytest.mark.slow
def test_remote_visitors_see_neither_paths_nor_jobs(done: JobView[Request], monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> tuple[int, int]:
        app = opened()
        return len(app.segmented_control[0].options), sum(button.label == "Open" for button in app.button)

    assert metrics(opened(job=done.name))["Pictures"] == "26"  # an earlier version's, and now the owner's
    assert shown() == (3, 1)
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    assert shown() == (2, 0)
    for name in (done.name, f"../{done.name}"):
        assert not opened(job=name).metric


@pytest.mark.slow
def test_deleting(done: JobView[Request], many_photos: Path) -> None:
    app = opened(job=done.name)
    press(app, "Delete")
    assert done.folder.exists() and app.file_uploader
    press(app, "Undo")
    assert metrics(app)["Pictures"] == "26" and not app.file_uploader
    press(app, "Delete")
    result_store().sweep(time.time() + GONE_SECONDS)
    assert not done.folder.exists() and (many_photos / "00.jpg").is_file()


BROKEN = {
    "missing": {"config.json": None},
    "empty": {"config.json": ""},
    "half-written": {"config.json": '{"kind": "collection", "title": "holi'},
    "of another shape": {"config.json": '["collection"]'},
    "of another type": {"config.json": '{"kind": "collection", "title": 5, "checkpoint": 6}'},
    "of a later version": {"config.json": '{"kind": "collection", "title": "a", "checkpoint": "b", "mood": "good"}'},
    "of another kind": {"config.json": '{"kind": "training", "dataset": ["x"]}'},
    "status half-written": {"status.json": '{"state": "fin'},
    "status of a later version": {"status.json": '{"state": "dreaming", "done": {"of": 3}}'},
    "no model": {"config.json": '{"kind": "collection", "title": "a", "checkpoint": "/nowhere"}'},
    "a path that is none": {"config.json": '{"kind": "collection", "title": "a", "checkpoint": []}'},
    "a name that is too long": {
        "config.json": '{"kind": "collection", "title": "a", "checkpoint": "' + "x" * 300 + '"}'
    },
    "nested deeply": {"status.json": '{"state": "finished", "done": ' + "[" * 10**5},
    "no results": {RESULTS_NAME: "these are no results"},
    "results of another shape": {
        RESULTS_NAME: HEADER + '{"key": "a", "file": "b", "path": "c", "faces": [{"box": 1}]}\n'
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("files", BROKEN.values(), ids=BROKEN)
def test_a_damaged_job_is_shown_and_can_be_deleted(done: JobView[Request], files: dict[str, str | None]) -> None:
    for name, text in files.items():
        if text is None:
            (done.folder / name).unlink()
        else:
            (done.folder / name).write_text(text)
    seen = job.view(done.folder, KIND)
    assert not seen.active
    app = opened(job=done.name)
    assert app.warning or app.error or app.metric
    opened()  # the list, too
    press(app, "Delete")
    result_store().sweep(time.time() + GONE_SECONDS)
    assert not done.folder.exists()
