"""The training page in all its states, without a browser."""

import base64
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import psutil
import pytest
from streamlit.testing.v1 import AppTest

from fer.datasets.drawing import draw_face
from fer.images import encode_png
from fer.jobs import job
from fer.jobs.process import start_process
from fer.jobs.status import FAILED, FINISHED, RUNNING, STOPPED, Reporter
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import read_info
from fer.training import runs
from fer.training.config import TrainingConfig
from fer.training.estimate import Speed
from fer.training.metrics import Beginning, EpochMetrics
from fer.training.runs import KIND, Run, open_run
from pages.parts.dataset import OWN
from tests.datasets.pictures import write_picture
from tests.scripts.processes import wait_until

ENTRY = str(Path(__file__).parents[2] / "streamlit_app.py")
TINY = TrainingConfig("synthetic:80", epochs=3, size_px=24)
LABELS = 8
START = f"init {DEFAULT_CHECKPOINT}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("FER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FER_ALLOW_TRAINING", "1")
    # The measurement has a test of its own.
    monkeypatch.setattr("fer.training.estimate.measure_speed", lambda *_: Speed(100.0, "a test"))
    monkeypatch.setattr("pages.parts.training_setup.measure_speed", lambda *_: Speed(100.0, "a test"))
    yield tmp_path / "runs"
    for seen in runs.views(tmp_path / "runs"):
        job.stop(seen.folder, KIND)


def open_page() -> AppTest:
    app = AppTest.from_file(ENTRY, default_timeout=120).run().switch_page("pages/training.py").run()
    assert not app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click().run()
    assert not app.exception
    return app


def texts(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error, app.subheader)
    return "\n".join(element.value for kind in kinds for element in kind)


def buttons(app: AppTest) -> set[str]:
    return {button.label for button in app.button}


def see_runs(app: AppTest) -> AppTest:
    return app.segmented_control(key="training_section").set_value("Runs").run()


def finished_run(folder: Path, name: str, checkpoint: Path) -> Run:
    run = open_run(folder, TINY, name)
    for epoch, accuracy in ((1, 0.25), (2, 0.75), (3, 0.5)):
        run.append_metrics(
            EpochMetrics(
                epoch, accuracy, train_loss=2.0, validation_loss=2.0, train_accuracy=0.5, learning_rate=0.1,
                validation_confusion=tuple(map(tuple, np.roll(np.eye(LABELS, dtype=int), epoch == 2, axis=1).tolist())),
                size_px=24, seconds=40.0, faces=64,
            )
        )  # fmt: skip
    run.best_path.write_bytes(checkpoint.read_bytes())
    (run.folder / "log.txt").write_text("all is well\n")
    Reporter(run.folder).set(FINISHED)
    return run


def pretend_that_it_goes_on(run: Run) -> None:
    """Give a run a process that does nothing; the fixture ends it."""
    mark = start_process([sys.executable, "-c", "import time; time.sleep(120)"], run.folder / "log.txt")
    (run.folder / "process.json").write_text(json.dumps(asdict(mark)))


def zip_of_faces(pictures: int = 12) -> bytes:
    random, file = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for word, label in (("happy", "happiness"), ("bored", "neutral")):
            for number in range(pictures):
                archive.writestr(f"faces/{word}/{number}.png", encode_png(draw_face(label, random, size_px=48)))
    return file.getvalue()


def test_empty(folder: Path) -> None:
    app = open_page()
    assert "Start training" not in buttons(app)
    assert see_runs(app).info and not app.selectbox
    assert not folder.exists()


@pytest.mark.slow
def test_a_zip_is_looked_at_and_trained_on_from_the_shipped_model(folder: Path, tmp_path: Path) -> None:
    app = open_page()
    app.file_uploader[0].set_value(("../../my faces.zip", zip_of_faces(), "application/zip")).run()
    assert not app.exception and not app.error
    assert "24 pictures" in texts(app) and "2 expressions" in texts(app)
    assert len(app.get("plotly_chart")) == 1 and len(app.get("image")) == 1
    assert re.search(r"\b100 faces", texts(app))
    (kept,) = (tmp_path / "data" / "uploads").iterdir()
    assert kept.name.startswith("my-faces-")

    app.number_input[0].set_value(500)
    press(app, "Start training")
    (seen,) = runs.views(folder)
    assert seen.name == "my-faces" and seen.active
    assert seen.request and seen.request.init.endswith("ferplus-resnet18.safetensors") and seen.request.epochs == 500
    assert buttons(app) >= {"Stop"} and "Resume" not in buttons(app)
    assert app.session_state["training_section"] == "Runs"

    other = open_page()  # another viewer, or the same after a reload
    assert buttons(other) == {"Stop"}
    other.segmented_control(key="training_section").set_value("New training").run()
    other.segmented_control(key="training_source").set_value("Drawn faces").run()
    assert next(button for button in other.button if button.label == "Start training").disabled
    assert "my-faces" in texts(other)

    press(app, "Stop")
    assert runs.view(seen.folder).state == STOPPED
    assert {"Resume", "Delete it", "Rename it"} <= buttons(app)
    press(app, "Delete it")
    assert runs.views(folder) == [] and not seen.folder.exists()


@pytest.mark.slow
def test_what_was_read_left_aside_and_what_is_odd_is_shown(folder: Path, tmp_path: Path) -> None:
    random, home = np.random.default_rng(0), tmp_path / "faces"
    for place in ("Training/left", "Training/right", "PublicTest/left", "PublicTest/right", "extra/other"):
        for number in range(12):
            write_picture(home / place / f"{number}.png", draw_face("neutral", random))
    app = open_page()
    app.segmented_control(key="training_source").set_value("On this machine").run()
    app.text_input[0].set_value(str(home)).run()
    assert not app.exception and not app.error
    shown = app.text[0].value
    assert "24 train, 24 validation" in shown and "12 in extra/other" in shown
    assert any("left, right" in warning.value for warning in app.warning)

    def start() -> bool:
        return next(button for button in app.button if button.label == "Start training").disabled

    assert start(), "neither is a known expression"
    app.checkbox[0].check().run()
    assert not start()


@pytest.mark.slow
def test_settings_reach_the_run(folder: Path) -> None:
    app = open_page()
    app.segmented_control(key="training_source").set_value("Drawn faces").run()
    app.number_input(key="dropout 0.2").set_value(0.3)
    app.number_input(key="weight_decay None").set_value(0.001)
    app.selectbox(key="rule majority").set_value("argmax")
    assert app.selectbox(key="architecture resnet18").disabled, "the shipped model's"
    app.selectbox(key=START).set_value("none").run()
    app.selectbox(key="architecture resnet18").set_value("resnet34").run()
    press(app, "Start training")
    (seen,) = runs.views(folder)
    assert seen.request and seen.request.own_choices() == {
        "architecture": "resnet34", "augmentation": "plain", "dropout": 0.3, "rule": "argmax", "weight_decay": 0.001,
    }  # fmt: skip


@pytest.fixture
def begun(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[TrainingConfig]:
    """What the page would train, instead of training it."""
    configs: list[TrainingConfig] = []
    monkeypatch.setattr("pages.parts.training_setup.begin", lambda config, _: configs.append(config))
    return configs


def open_settings(start: str) -> AppTest:
    app = open_page()
    app.segmented_control(key="training_source").set_value("Drawn faces").run()
    app.selectbox(key=START).set_value(start).run()
    assert not app.exception
    return app


def may_start(app: AppTest) -> bool:
    return not next(button for button in app.button if button.label == "Start training").disabled


@pytest.mark.slow
def test_training_starts_from_face_recognition_in_a_file(begun: list[TrainingConfig], tmp_path: Path) -> None:
    file = tmp_path / "weights.npz"
    file.touch()
    app = open_settings("face-recognition")
    assert not may_start(app) and len(app.error) == 1 and any("npm" in one.value for one in app.caption)
    for path, error in ((tmp_path / "nowhere", True), ("x" * 300, True), ("~nobody/x", True), (file, False)):
        app.text_input(key="init face-recognition").set_value(str(path)).run()
        assert (bool(app.error), may_start(app)) == (error, not error)
    assert app.selectbox(key="architecture face_recognition_resnet").disabled
    app.number_input(key="size_px 112").set_value(128)
    press(app, "Start training")
    (config,) = begun
    assert config.init == f"face-recognition:{file}"
    assert (config.architecture, config.size_px) == ("face_recognition_resnet", 128)


@pytest.mark.slow
def test_training_starts_from_an_own_run_or_another_file(
    begun: list[TrainingConfig], folder: Path, tmp_path: Path, tiny_checkpoint: Path
) -> None:
    run, size_px = finished_run(folder, "mine", tiny_checkpoint), read_info(tiny_checkpoint).preprocessing.size_px
    app = open_settings(str(run.best_path))
    assert "mine" in app.selectbox(key=START).options
    assert app.number_input(key=f"size_px {size_px}").disabled
    press(app, "Start training")
    app.selectbox(key=START).set_value("file").run()
    assert not may_start(app)
    for path, error in ((tmp_path / "nowhere", True), (tiny_checkpoint, False)):
        app.text_input(key="init file").set_value(str(path)).run()
        assert not app.exception
        assert (bool(app.error), may_start(app)) == (error, not error)
    press(app, "Start training")
    assert [config.init for config in begun] == [str(run.best_path), str(tiny_checkpoint)]


@pytest.mark.slow
def test_training_starts_from_imagenet_with_two_heads_and_a_teacher(begun: list[TrainingConfig]) -> None:
    app = open_settings("imagenet")
    app.selectbox(key="second_head none").set_value("fer2013")
    app.selectbox(key="teacher_view once").set_value("augmented").run()
    (error,) = app.error
    assert "teacher" in error.value and not may_start(app), "nobody would be asked"
    app.multiselect(key="teacher ()").set_value([DEFAULT_CHECKPOINT]).run()
    press(app, "Start training")
    (config,) = begun
    assert (config.init, config.second_head, config.teacher_view) == ("imagenet", "fer2013", "augmented")
    assert config.teacher == (str(DEFAULT_CHECKPOINT),)


@pytest.mark.slow
def test_a_name_that_is_taken_or_a_path_is_refused(folder: Path, tiny_checkpoint: Path) -> None:
    finished_run(folder, "taken", tiny_checkpoint)
    app = open_page()
    app.segmented_control(key="training_source").set_value("Drawn faces").run()

    def start() -> bool:
        return next(button for button in app.button if button.label == "Start training").disabled

    for name in ("taken", "../../etc"):
        app.text_input[0].set_value(name).run()
        (error,) = app.error
        assert name in error.value and start()
    app.text_input[0].set_value("free").run()
    assert not app.error and not start()


@pytest.mark.slow
@pytest.mark.parametrize("field", ["soft_labels", "second_dataset"])
def test_a_path_that_leads_nowhere_is_said_below_its_field(folder: Path, field: str) -> None:
    app = open_page()
    app.segmented_control(key="training_source").set_value("Drawn faces").run()
    (box,) = [box for box in app.text_input if (box.key or "").startswith(field)]
    box.set_value("/nowhere/at/all").run()
    (error,) = app.error
    assert not app.exception
    own = [tab.label for tab in app.tabs if box.key in [one.key for one in tab.text_input]]
    assert [tab.label for tab in app.tabs if tab.error] == own
    assert ("/nowhere/at/all" in error.value) == (field == "soft_labels")  # the other one needs a second head first
    assert next(button for button in app.button if button.label == "Start training").disabled


@pytest.mark.slow
@pytest.mark.parametrize("field", ["soft_labels", "second_dataset"])
def test_a_path_that_cannot_be_is_said_below_its_field(folder: Path, field: str) -> None:
    app = open_page()
    app.segmented_control(key="training_source").set_value("Drawn faces").run()
    app.selectbox(key="second_head none").set_value("fer2013")
    (box,) = [box for box in app.text_input if (box.key or "").startswith(field)]
    for path, told in (
        ("~nosuch/x", "~nosuch/x"), ("a\0", "a"), ("x" * 300, "x" * 300), ("~/no file", f"{Path.home()}/no file"),
    ):  # fmt: skip
        box.set_value(path).run()
        (error,) = app.error
        assert not app.exception and told in error.value
    assert next(button for button in app.button if button.label == "Start training").disabled


@pytest.mark.slow
def test_a_home_folder_is_spelled_out_in_the_settings(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "labels.npz").touch()
    app = open_page()
    app.segmented_control(key="training_source").set_value("Drawn faces").run()
    (box,) = [box for box in app.text_input if (box.key or "").startswith("soft_labels")]
    box.set_value("~/labels.npz").run()
    assert not app.error
    press(app, "Start training")
    (seen,) = runs.views(folder)
    assert seen.request and seen.request.soft_labels == str(tmp_path / "labels.npz")


def test_what_is_no_data_set_is_said(folder: Path, tmp_path: Path) -> None:
    app = open_page()
    app.file_uploader[0].set_value(("bad.zip", b"no zip at all", "application/zip")).run()
    assert not app.exception
    assert "ZIP" in app.error[0].value
    app.segmented_control(key="training_source").set_value("On this machine").run()
    app.text_input[0].set_value(str(tmp_path / "nowhere")).run()
    assert str(tmp_path / "nowhere") in app.error[0].value


@pytest.mark.slow
def test_earlier_uploads_can_be_taken_again_and_deleted(folder: Path, tmp_path: Path) -> None:
    app = open_page()
    app.file_uploader[0].set_value(("faces.zip", zip_of_faces(), "application/zip")).run()
    app = open_page()
    (earlier,) = [box for box in app.selectbox if box.label == "Or choose an earlier upload"]
    earlier.select_index(0).run()
    assert "24 pictures" in texts(app)
    press(app, "Delete it")
    assert list((tmp_path / "data" / "uploads").iterdir()) == []
    assert not [box for box in app.selectbox if box.label == "Or choose an earlier upload"]


def test_a_finished_run_is_shown_and_used(folder: Path, tiny_checkpoint: Path) -> None:
    run = finished_run(folder, "mine", tiny_checkpoint)
    app = see_runs(open_page())
    assert not app.exception
    assert [option.split(" · ")[:2] for option in listed(app, "Runs")] == [["mine", "finished"]]
    assert app.query_params["run"] == "mine"
    assert all(fact in texts(app) for fact in ("75.0 %", "majority", "n = 8", "epoch 2"))
    assert len(app.get("plotly_chart")) == 4
    assert "all is well" in app.code[0].value
    assert "Resume" not in buttons(app) and "Stop" not in buttons(app)
    assert len(app.get("download_button")) == 1

    press(app, "Use for photos")
    assert app.title[0].value == "Photo"
    assert app.session_state["chosen_model"] == run.best_path
    (model,) = [box for box in app.selectbox if box.label == "Model"]
    assert model.value == run.best_path
    model.select_index(0).run()
    assert app.session_state["chosen_model"] == DEFAULT_CHECKPOINT


def test_the_matrix_is_of_the_epoch_that_is_kept(folder: Path, tiny_checkpoint: Path) -> None:
    best = finished_run(folder, "mine", tiny_checkpoint).metrics()[1]
    app = see_runs(open_page())
    (matrix,) = [
        trace
        for chart in app.get("plotly_chart")
        for trace in json.loads(chart.proto.spec)["data"]
        if trace["type"] == "heatmap"
    ]
    assert read_numbers(matrix["customdata"]) == [list(row) for row in best.validation_confusion]
    assert "epoch 2" in texts(app)


def read_numbers(packed: dict[str, str]) -> list[list[int]]:
    """Return a matrix as plotly packs it."""
    numbers = np.frombuffer(base64.b64decode(packed["bdata"]), packed["dtype"])
    return numbers.reshape([int(side) for side in packed["shape"].split(",")]).tolist()


def test_a_finished_run_is_evaluated_on_its_own_pictures(folder: Path, tiny_checkpoint: Path) -> None:
    run = finished_run(folder, "mine", tiny_checkpoint)
    app = see_runs(open_page())
    assert "Evaluate on the test split" in buttons(app)
    press(app, "Evaluate this run")
    assert app.title[0].value == "Evaluation"
    assert app.multiselect(key="measure_models").value == [run.best_path]
    assert app.segmented_control(key="measure_source").value == OWN
    assert not next(button for button in app.button if button.label == "Evaluate").disabled


def test_what_a_run_begins_with_is_said(folder: Path, tiny_checkpoint: Path) -> None:
    run = finished_run(folder, "mine", tiny_checkpoint)
    run.write_beginning(Beginning(64, "first", 0.5, 8, ("anger", "fear"), ("bored",), 3))
    shown = texts(see_runs(open_page()))
    assert all(fact in shown for fact in ("first", "50.0 %", "anger, fear", "bored", "+25.0", "3 of them"))


@pytest.mark.slow
def test_a_model_whose_run_was_deleted_is_not_missed(folder: Path, tiny_checkpoint: Path) -> None:
    run = finished_run(folder, "mine", tiny_checkpoint)
    app = press(see_runs(open_page()), "Use for photos")
    job.delete(run.folder, KIND)
    app.run()
    assert not app.exception and not app.error
    assert not any("mine" in box.options for box in app.selectbox)


def test_runs_are_renamed(folder: Path, tiny_checkpoint: Path) -> None:
    finished_run(folder, "old", tiny_checkpoint)
    app = see_runs(open_page())
    next(field for field in app.text_input if field.label == "New name").set_value("new").run()
    press(app, "Rename it")
    assert [seen.name for seen in runs.views(folder)] == ["new"]
    assert app.subheader[0].value == "new"


def test_interrupted_failed_and_damaged_runs(folder: Path) -> None:
    interrupted = open_run(folder, TINY, "interrupted")
    Reporter(interrupted.folder).set(RUNNING)
    Reporter(open_run(folder, TINY, "failed").folder).set(FAILED, "the disk is full")
    (open_run(folder, TINY, "damaged").folder / "config.json").write_text("{")
    app = see_runs(open_page())
    assert [option.split(" · ")[0] for option in listed(app, "Runs")] == ["interrupted"]
    assert sorted(option.split(" · ")[0] for option in listed(app, "Failed runs")) == ["damaged", "failed"]
    for name, resumes in (("interrupted", True), ("failed", True), ("damaged", False)):
        choose(app, name)
        assert not app.exception
        assert ("Resume" in buttons(app)) == resumes
    choose(app, "failed")
    assert "the disk is full" in app.error[0].value


def choose(app: AppTest, name: str) -> None:
    boxes = [box for box in app.selectbox if box.label in ("Runs", "Failed runs")]
    box, option = next((box, one) for box in boxes for one in box.options if one.split(" · ")[0] == name)
    box.set_value(option).run()


def listed(app: AppTest, label: str) -> list[str]:
    """Return the runs that one of the two lists has, each with what is said of it."""
    (box,) = [box for box in app.selectbox if box.label == label]
    return list(box.options)


def test_progress_of_a_running_one(folder: Path) -> None:
    run = open_run(folder, TINY, "busy")
    pretend_that_it_goes_on(run)
    app = open_page()
    assert "starting" in texts(app)
    reporter = Reporter(run.folder, clock=iter((0.0, 0.0, 130.0, 130.0)).__next__)
    reporter.say("reading pictures", 0, 12)
    reporter.say("epoch 2 of 3 · batch 2 of 4 · 123 faces / s", 6, 12)
    app.run()
    assert re.search(r"2 of 3 · batch 2 of 4 · 123 faces / s .*\b2 min", bars(app))
    pid = json.loads((run.folder / "process.json").read_text())["pid"]
    psutil.Process(pid).kill()
    wait_until(lambda: not runs.view(run.folder).active)
    app.run()
    assert "interrupted" in texts(app)


def bars(app: AppTest) -> str:
    return "\n".join(bar.proto.text for bar in app.get("progress"))


@pytest.mark.parametrize("setting", ["0", ""])
def test_others_only_look(folder: Path, monkeypatch: pytest.MonkeyPatch, tiny_checkpoint: Path, setting: str) -> None:
    """Without a setting, the connection's address decides; that of a test is none of this machine."""
    monkeypatch.setenv("FER_ALLOW_TRAINING", setting)
    app = open_page()
    assert "FER_ALLOW_TRAINING" in app.info[0].value
    run = finished_run(folder, "mine", tiny_checkpoint)
    Reporter(run.folder).set(FAILED, "/home/owner/secret is gone")
    app.run()
    assert "75.0 %" in texts(app)
    assert buttons(app) == {"Use for photos", "Use for the webcam"}
    assert not app.get("file_uploader") and not app.get("download_button") and not app.code and not app.text_input
    assert "/home/owner" not in texts(app)
    Reporter(run.folder).set(RUNNING)
    pretend_that_it_goes_on(run)
    app.run()
    assert not app.button


@pytest.mark.slow
def test_a_run_of_its_own_process_ends_and_can_be_resumed_from_the_page(folder: Path) -> None:
    real = runs.start(folder, TINY, "real", threads=1)
    app = open_page()
    assert buttons(app) == {"Stop"}
    press(app, "Stop")
    press(app, "Resume")
    assert buttons(app) == {"Stop"}
    wait_until(lambda: not runs.view(real).active)
    app.run()
    assert "Use for photos" in buttons(app)


CONFIG = '{"kind": "training", "dataset": ["synthetic:80"]'
METRICS = '{"epoch": 1, "validation_accuracy": 0.5, "validation_confusion": %s}'
BROKEN = {
    "empty": {"config.json": ""},
    "half-written": {"config.json": f'{CONFIG}, "epochs": 3, "arch'},
    "of another shape": {"config.json": '["synthetic:80"]'},
    "of another type": {"config.json": f'{CONFIG}, "epochs": "three"}}'},
    "impossible": {"config.json": f'{CONFIG}, "epochs": 0}}'},
    "of a later version": {"config.json": f'{CONFIG}, "mood": "good"}}'},
    "of an earlier version, damaged": {"config.json": '{"dataset": 5}'},
    "status half-written": {"status.json": '{"state": "fin'},
    "status of a later version": {"status.json": '{"state": "dreaming", "done": {"of": 3}}'},
    "status of another type": {"status.json": '{"state": "finished", "done": "all", "message": ["good"]}'},
    "metrics of another shape": {"metrics.jsonl": f"{METRICS % [[1]]}\n"},
    "ragged metrics": {"metrics.jsonl": f"{METRICS % [[1], [1, 2], *[[]] * 6]}\n"},
    "metrics of a later version": {"metrics.jsonl": '{"epoch": {"number": 1}}\n[]\nnull\n{"epo'},
    "status of huge numbers": {"status.json": '{"state": "finished", "done": ' + "9" * 400 + ', "total": 1}'},
    "nested deeply": {"config.json": CONFIG + ', "teacher": ' + "[" * 10**5, "status.json": "[" * 10**5},
    "metrics of huge numbers": {"metrics.jsonl": (METRICS % [])[:-1] + ', "seconds": 1e999}\n' + "[" * 10**5 + "\n"},
    "no model": {"best.safetensors": "this is no model"},
}


@pytest.mark.slow
@pytest.mark.parametrize("files", BROKEN.values(), ids=BROKEN)
def test_a_damaged_run_is_shown_and_can_be_deleted(folder: Path, tiny_checkpoint: Path, files: dict[str, str]) -> None:
    run = finished_run(folder, "broken", tiny_checkpoint)
    for name, text in files.items():
        (run.folder / name).write_text(text)
    assert not runs.view(run.folder).active
    app = see_runs(open_page())
    assert not app.exception
    boxes = [box for box in app.selectbox if box.label in ("Runs", "Failed runs")]
    assert [option.split(" · ")[0] for box in boxes for option in box.options] == ["broken"]
    press(app, "Delete it")
    assert runs.views(folder) == []
