"""The page for many photos, without a browser; the work is done by a process of its own."""

import io
import time
import zipfile
from pathlib import Path

import pytest
from fer.collection.jobs import RUNNING
from fer.collection.work import do
from streamlit.testing.v1 import AppTest

from fer.collection import jobs
from fer.faces import UNSURE_BELOW

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")
PATIENCE_SECONDS = 240


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path) -> Path:
    monkeypatch.setenv("FER_CHECKPOINT", str(tiny_checkpoint))
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("FER_ALLOW_TRAINING", "1")
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
    until = time.monotonic() + PATIENCE_SECONDS
    while any(jobs.view(job).state == RUNNING for job in jobs.jobs(folder)):
        assert time.monotonic() < until
        time.sleep(0.05)


def metrics(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


@pytest.fixture
def done(folder: Path, tiny_checkpoint: Path, many_photos: Path) -> jobs.Job:
    job = jobs.create(folder, tiny_checkpoint, "holiday", many_photos)
    do(job.folder)
    return job


def test_uploads_of_pictures_and_a_zip_are_done_to_the_end(app: AppTest, folder: Path, many_photos: Path) -> None:
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
            ("nobody.png", nobody, "image/png"),
            ("bad.jpg", b"no picture", "image/jpeg"),
            ("trip.zip", packed.getvalue(), "application/zip"),
        ]
    ).run()
    press(app, "Start with 5 files")
    assert app.query_params["job"]
    until_ended(folder)
    app.run()
    assert metrics(app) == {"Pictures": "7", "Faces": "5", "Without a face": "1", "Not readable": "1"}
    assert "bad.jpg" in app.text[-1].value and "cannot be read" in app.text[-1].value
    names = list(app.dataframe[0].value["picture"])
    assert names == ["00-2.jpg", "00.jpg", "nobody.png", "trip/00.jpg", "trip/01.jpg", "trip/02.jpg"]


def test_filters_and_order(done: jobs.Job) -> None:
    app = opened(job=done.id)
    assert metrics(app) == {"Pictures": "26", "Faces": "24", "Without a face": "1", "Not readable": "1"}
    table = app.dataframe[0].value
    assert len(table) == 25 and all(face.startswith("data:image/jpeg") for face in table["face"])
    unsure = table["confidence"] < 100 * UNSURE_BELOW
    assert unsure.any() and (table["concerns"].str.contains("unsure") == unsure).all()
    app.selectbox(key="folder_order").set_value("Surest first").run()
    shares = list(app.dataframe[0].value["confidence"].dropna())
    assert shares == sorted(shares, reverse=True) and len(shares) == 24
    middle = round(shares[12])
    app.slider(key="folder_confidence").set_value((middle, 100)).run()
    kept = list(app.dataframe[0].value["confidence"])
    assert kept == [share for share in shares if share >= middle] and 0 < len(kept) < 24
    assert f"the {len(kept)} pictures that are shown" in app.caption[-1].value
    app.slider(key="folder_confidence").set_value((0, 100)).run()
    app.pills(key="folder_labels").set_value(["no face"]).run()
    assert list(app.dataframe[0].value["picture"]) == ["nobody.png"]
    app.slider(key="folder_confidence").set_value((99, 100)).run()
    assert not app.dataframe and "No face is like that" in app.info[0].value


def test_work_that_was_interrupted_is_offered_to_go_on(folder: Path, tiny_checkpoint: Path, many_photos: Path) -> None:
    job = jobs.create(folder, tiny_checkpoint, "holiday", many_photos)
    app = opened(job=job.id)
    assert app.warning
    press(app, "Continue")
    assert jobs.view(job).state == RUNNING
    press(app, "Pause")
    assert jobs.view(job).state != RUNNING
    press(app, "Continue")
    until_ended(folder)
    app.run()
    assert metrics(app)["Faces"] == "24"


def test_a_folder_of_this_machine(app: AppTest, folder: Path, many_photos: Path, tmp_path: Path) -> None:
    app.segmented_control(key="folder_source").set_value("On this machine").run()
    app.text_input[0].set_value(str(tmp_path / "gone")).run()
    press(app, "Start")
    assert "found none at" in app.error[0].value
    (tmp_path / "empty").mkdir()
    app.text_input[0].set_value(str(tmp_path / "empty")).run()
    press(app, "Start")
    assert "found none in empty" in app.error[0].value
    press(app, "Other photos")
    app.segmented_control(key="folder_source").set_value("On this machine").run()
    app.text_input[0].set_value(str(many_photos)).run()
    press(app, "Start")
    until_ended(folder)
    app.run()
    assert metrics(app)["Pictures"] == "26"


def test_visitors_from_elsewhere_see_neither_paths_nor_jobs(done: jobs.Job, monkeypatch: pytest.MonkeyPatch) -> None:
    def shown() -> tuple[int, int]:
        app = opened()
        return len(app.segmented_control[0].options), sum(button.label == "Open" for button in app.button)

    assert shown() == (3, 1)
    monkeypatch.setenv("FER_ALLOW_TRAINING", "0")
    assert shown() == (2, 0)
    assert metrics(opened(job=done.id))["Pictures"] == "26"  # who was given the address may look
    assert not opened(job="../" + done.id).metric


def test_deleting(done: jobs.Job, many_photos: Path) -> None:
    app = opened(job=done.id)
    press(app, "Delete them")
    assert not done.folder.exists() and (many_photos / "00.jpg").is_file()
    assert "has been deleted" in app.info[0].value
    assert app.file_uploader
