"""Run folders: who may resume one, and folders of earlier versions."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fer.errors import JobError, TrainingError
from fer.jobs.job import locked, working
from fer.jobs.status import FAILED, FINISHED, INTERRUPTED, RUNNING, STOPPED, Reporter
from fer.training import runs
from fer.training.config import TrainingConfig
from fer.training.metrics import Part
from fer.training.runs import PARALLEL_VARIABLE, Run, open_run
from fer.training.state import read_state, start

CONFIG = TrainingConfig("synthetic:160", epochs=3)


# Names


@pytest.mark.parametrize(
    ("dataset", "name"),
    [
        ("synthetic", "synthetic-resnet18"),
        ("synthetic:160", "synthetic-160-resnet18"),
        ("data/ferplus", "ferplus-resnet18"),
        ("data/ferplus/", "ferplus-resnet18"),
        ("/somewhere/fer2013.csv", "fer2013-resnet18"),
        (".", "data-resnet18"),
        ("..", "data-resnet18"),
        ("/", "data-resnet18"),
    ],
)
def test_a_run_is_named_after_its_data_and_architecture(tmp_path: Path, dataset: str, name: str) -> None:
    run = open_run(tmp_path / "runs", TrainingConfig(dataset))
    assert run.folder == tmp_path / "runs" / name
    assert run.config() == TrainingConfig(dataset)


@pytest.mark.parametrize("name", ["", ".", "..", "../elsewhere", "a/b", "/absolute", "a/", "con", "NUL.1"])
def test_names_that_lead_elsewhere_are_refused_and_nothing_is_created(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrainingError, match="name"):
        open_run(tmp_path / "runs", CONFIG, name)
    assert list(tmp_path.iterdir()) == []


def test_a_custom_name(tmp_path: Path) -> None:
    assert open_run(tmp_path, CONFIG, "my run.2").folder == tmp_path / "my run.2"


# Going on


def end(run: Run, state: str) -> None:
    Reporter(run.folder).set(state)


@pytest.mark.parametrize("state", [None, RUNNING, STOPPED, FAILED])
def test_the_same_command_resumes_an_unfinished_run(tmp_path: Path, state: str | None) -> None:
    run = open_run(tmp_path, CONFIG)
    if state:
        end(run, state)
    assert open_run(tmp_path, CONFIG).folder == run.folder


def test_a_finished_run_is_left_alone_and_a_new_one_numbered(tmp_path: Path) -> None:
    folders = []
    for _ in range(3):
        run = open_run(tmp_path, CONFIG)
        end(run, FINISHED)
        folders.append(run.folder.name)
    assert folders == ["synthetic-160-resnet18", "synthetic-160-resnet18-2", "synthetic-160-resnet18-3"]


def test_a_damaged_run_is_skipped(tmp_path: Path) -> None:
    (open_run(tmp_path, CONFIG).folder / "config.json").write_text("{")
    assert open_run(tmp_path, CONFIG).folder.name == "synthetic-160-resnet18-2"


def test_another_configuration_gets_another_folder_and_both_can_be_resumed(tmp_path: Path) -> None:
    other = replace(CONFIG, epochs=4)
    assert open_run(tmp_path, CONFIG).folder.name == "synthetic-160-resnet18"
    assert open_run(tmp_path, other).folder.name == "synthetic-160-resnet18-2"
    assert open_run(tmp_path, CONFIG).folder.name == "synthetic-160-resnet18"
    assert open_run(tmp_path, other).folder.name == "synthetic-160-resnet18-2"


def test_a_named_run_is_opened_even_if_it_is_finished(tmp_path: Path) -> None:
    end(open_run(tmp_path, CONFIG, "mine"), FINISHED)
    assert open_run(tmp_path, CONFIG, "mine").folder == tmp_path / "mine"


def test_a_named_run_with_another_configuration_is_refused_with_the_differences(tmp_path: Path) -> None:
    open_run(tmp_path, CONFIG, "mine")
    with pytest.raises(TrainingError, match=r"epochs 9 against 3; seed 5 against 0.*another --name") as caught:
        open_run(tmp_path, replace(CONFIG, epochs=9, seed=5), "mine")
    assert "batch_size" not in str(caught.value)
    assert Run(tmp_path / "mine").config() == CONFIG


# Reading


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"dataset": "x", "unheard_of": 1}', '{"epochs": 3}', '{"dataset": 5}']
)
def test_a_damaged_configuration_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(JobError, match=r"config\.json"):
        Run(tmp_path).config()


def test_an_impossible_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"kind": "training", "dataset": ["x"], "epochs": 0}')
    with pytest.raises(JobError, match="epochs"):
        Run(tmp_path).config()


def test_a_run_without_a_status_yet(tmp_path: Path) -> None:
    run = Run(tmp_path / "nothing")
    assert run.metrics() == []
    with pytest.raises(JobError, match="nothing"):
        run.config()
    assert not run.folder.exists()


# Names, and what users do with runs


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "../a", "/a", ".hidden", "-x", "a\0", "a\n", "a ", "a.", "x" * 65]
)
def test_a_name_cannot_be_a_path(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrainingError, match="name"):
        runs.start(tmp_path, CONFIG, name)
    run = open_run(tmp_path, CONFIG, "plain")
    with pytest.raises(TrainingError, match="name"):
        runs.rename(run.folder, name)
    assert [entry.name for entry in tmp_path.iterdir()] == ["plain"]


def test_runs_are_renamed_but_not_to_a_taken_name_or_while_running(tmp_path: Path) -> None:
    run, other = open_run(tmp_path, CONFIG, "a"), open_run(tmp_path, CONFIG, "b")
    with pytest.raises(JobError, match=r"\bb\b"):
        runs.rename(run.folder, "b")
    with working(run.folder), pytest.raises(JobError, match=rf"\ba\b.*{RUNNING}"):
        runs.rename(run.folder, "c")
    assert runs.rename(run.folder, "c") == tmp_path / "c"
    assert {seen.name for seen in runs.views(tmp_path)} == {"b", "c"}
    assert Run(tmp_path / "c").config() == other.config() == CONFIG


def test_the_number_of_runs_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PARALLEL_VARIABLE, "many")
    with pytest.raises(TrainingError, match="FER_PARALLEL_RUNS"):
        runs.parallel_runs()
    monkeypatch.delenv(PARALLEL_VARIABLE)
    assert runs.parallel_runs() == 1


# Folders of earlier versions

OLD_CONFIG = """{"dataset": %s, "epochs": 3, "architecture": "resnet18", "stem": "small", "size_px": 24, "channels": 1,
"init": "none", "freeze_epochs": 0, "layer_decay": 1.0, "multilabel": false, "optimizer": "sgd", "batch_size": 128,
"accumulate": 1, "learning_rate": null, "warmup_epochs": 2.0, "weight_decay": null, "clip_norm": 0.0,
"targets": "votes", "teacher": [], "teacher_share": 0.5, "augmentation": "plain", "mixup": 0.2, "cutmix": 0.0,
"label_smoothing": 0.0, "class_balance": 0.0, "dropout": 0.2, "ema_decay": 0.999, "progressive": true, "patience": 0,
"rule": "majority", "seed": 0, "folds": 0, "fold": 0}"""
OLD_STATUS = """{"state": "%s", "pid": 4194305, "time": "2026-10-01T10:00:00+00:00", "epoch": 1, "epochs": 3,
"batch": 2, "batches": 4, "faces_per_second": 123.4, "seconds_left": 130%s}"""
OLD_LINE = """{"epoch": 1, "train_loss": 2.1, "train_accuracy": 0.2, "learning_rate": 0.1, "faces": 64,
"validation_loss": 2.0, "validation_accuracy": 0.5, "validation_macro_f1": 0.4,
"validation_confusion": [[3, 1], [3, 1]],
"size_px": 24, "seconds": 40.0}"""


def old_run(folder: Path, state: str = "running", dataset: str = '["synthetic:80"]', more: str = "") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(OLD_CONFIG % dataset)
    (folder / "status.json").write_text(OLD_STATUS % (state, more))
    (folder / "process.json").write_text('{"pid": 4194305, "began": "c2f4-boot 12345"}')
    (folder / "metrics.jsonl").write_text(OLD_LINE.replace("\n", " ") + "\n")
    return folder


@pytest.mark.parametrize("dataset", ['["synthetic:80"]', '"synthetic:80"'])
def test_a_run_of_an_earlier_version_is_read(tmp_path: Path, dataset: str) -> None:
    folder = old_run(tmp_path / "old", dataset=dataset)
    (seen,) = runs.views(tmp_path)
    assert (seen.state, seen.can_resume) == (INTERRUPTED, True)
    assert seen.request and seen.request.dataset == ("synthetic:80",) and seen.request.augmentation == "plain"
    assert seen.status.figures == {
        "epoch": 1, "epochs": 3, "batch": 2, "batches": 4, "faces_per_second": 123.4,
    }  # fmt: skip
    assert seen.status.seconds_left == 130
    assert seen.best and seen.best.validation_accuracy == 0.5 and seen.validated_by.endswith("n = 8")
    assert open_run(tmp_path, seen.request, "old").folder == folder  # the same command resumes it
    with locked(folder):  # a process of the earlier version trains there
        assert runs.view(folder).state == RUNNING


def test_a_run_from_before_a_setting_was_renamed_is_resumed(tmp_path: Path) -> None:
    config = TrainingConfig("synthetic:80", second_head="fer2013", second_weight=0.3)
    path = open_run(tmp_path, config, "old").folder / "config.json"
    path.write_text(path.read_text().replace("second_weight", "second_share"))
    assert open_run(tmp_path, config, "old").config() == config


@pytest.mark.parametrize("state", [STOPPED, FAILED, FINISHED])
def test_an_ended_run_stays_ended(tmp_path: Path, state: str) -> None:
    seen = runs.view(old_run(tmp_path / "old", state, more=', "message": "the disk is full"'))
    assert (seen.state, seen.message, seen.can_resume) == (state, "the disk is full", state != FINISHED)


def test_metrics_of_another_type_are_skipped(tmp_path: Path) -> None:
    good = '{"epoch": 2, "validation_accuracy": 0.5}'
    lines = ["{", "[]", '{"epoch": 1}', '{"epoch": 1, "validation_accuracy": 1e999}', "[" * 10**5, "9" * 400, good]
    (tmp_path / "metrics.jsonl").write_bytes("\n".join([*lines, ""]).encode() + b"\xff\xfe\n")
    assert [line.epoch for line in Run(tmp_path).metrics()] == [2]


def test_damaged_epochs_are_noted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = open_run(tmp_path, CONFIG)
    run.metrics_path.write_text('{"epoch": "first"}\n')
    assert run.metrics() == run.metrics() == []
    (record,) = caplog.records
    assert str(run.metrics_path) in record.message


def test_parts_of_an_earlier_attempt_are_dropped_and_damaged_ones_skipped(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for moment in (0.5, 1.0, 1.5):
        run.append_step(Part(moment, 1.0, 0.1))
    with run.steps_path.open("a") as file:
        file.write('{"moment": 1.75, "lo')  # it was killed
    assert [part.moment for part in Run(tmp_path).steps()] == [0.5, 1.0, 1.5]
    again = Run(tmp_path)
    for moment in (1.5, 2.0):
        again.append_step(Part(moment, 0.5, 0.1))
    assert [(part.moment, part.loss) for part in run.steps()] == [(0.5, 1.0), (1.0, 1.0), (1.5, 0.5), (2.0, 0.5)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no state",
        pickle.dumps({"scaler": 1}, 2),
        pickle.dumps(print, 2),
        b"PK\x03\x04" + b"\0" * 100,
        b"\x80\x02.",
    ],
)
def test_an_unreadable_state_is_refused(content: bytes, tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.last_path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"last\.pt"):
        read_state(run, "cpu")


@pytest.mark.parametrize("saved", [[1], 7, {"network": {}}, {"scaler": 1, "pictures": []}])
def test_a_state_of_another_shape_is_refused(saved: object, tmp_path: Path) -> None:
    run = Run(tmp_path)
    torch.save(saved, run.last_path)
    state = start(TrainingConfig("synthetic:160", architecture="shufflenet_v2_x0_5"), ("a", "b"), "", "cpu")[0]
    with pytest.raises(TrainingError, match=r"last\.pt"):
        state.restore(read_state(run, "cpu"), run)
