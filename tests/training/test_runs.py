"""Run folders: who may go on in one, and that a reader never sees half of a file."""

import json
import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from fer.errors import TrainingError
from fer.training.config import TrainingConfig
from fer.training.runs import FAILED, FINISHED, RUNNING, STOPPED, Run, open_run

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


@pytest.mark.parametrize("name", ["", ".", "..", "../elsewhere", "a/b", "/absolute", "a/"])
def test_names_that_lead_elsewhere_are_refused_and_nothing_is_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(TrainingError, match="plain name"):
        open_run(tmp_path / "runs", CONFIG, name)
    assert list(tmp_path.iterdir()) == []


def test_a_name_of_the_users_own(tmp_path: Path) -> None:
    assert open_run(tmp_path, CONFIG, "my run.2").folder == tmp_path / "my run.2"


# Going on


@pytest.mark.parametrize("state", [None, RUNNING, STOPPED, FAILED])
def test_the_same_command_goes_on_with_an_unfinished_run(tmp_path: Path, state: str | None) -> None:
    run = open_run(tmp_path, CONFIG)
    if state:
        run.set_status(state)
    assert open_run(tmp_path, CONFIG).folder == run.folder


def test_a_finished_run_is_left_alone_and_a_new_one_numbered(tmp_path: Path) -> None:
    folders = []
    for _ in range(3):
        run = open_run(tmp_path, CONFIG)
        run.set_status(FINISHED)
        folders.append(run.folder.name)
    assert folders == ["synthetic-160-resnet18", "synthetic-160-resnet18-2", "synthetic-160-resnet18-3"]


def test_another_configuration_gets_another_folder_and_both_can_go_on(tmp_path: Path) -> None:
    other = replace(CONFIG, epochs=4)
    assert open_run(tmp_path, CONFIG).folder.name == "synthetic-160-resnet18"
    assert open_run(tmp_path, other).folder.name == "synthetic-160-resnet18-2"
    assert open_run(tmp_path, CONFIG).folder.name == "synthetic-160-resnet18"
    assert open_run(tmp_path, other).folder.name == "synthetic-160-resnet18-2"


def test_a_named_run_goes_on_even_when_it_is_finished(tmp_path: Path) -> None:
    open_run(tmp_path, CONFIG, "mine").set_status(FINISHED)
    assert open_run(tmp_path, CONFIG, "mine").folder == tmp_path / "mine"


def test_a_named_run_with_another_configuration_is_refused_with_the_differences(tmp_path: Path) -> None:
    open_run(tmp_path, CONFIG, "mine")
    with pytest.raises(TrainingError, match=r"epochs 9 against 3; seed 5 against 0.*another --name") as caught:
        open_run(tmp_path, replace(CONFIG, epochs=9, seed=5), "mine")
    assert "batch_size" not in str(caught.value)
    assert Run(tmp_path / "mine").config() == CONFIG


# Reading


@pytest.mark.parametrize("text", ["", "{", "[]", '{"dataset": "x", "unheard_of": 1}', '{"epochs": 3}'])
def test_a_damaged_configuration_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(TrainingError, match=r"config\.json"):
        Run(tmp_path).config()


def test_an_impossible_configuration_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"dataset": "x", "epochs": 0}')
    with pytest.raises(TrainingError, match="epochs must be at least 1"):
        Run(tmp_path).config()


def test_a_run_that_has_said_nothing_yet(tmp_path: Path) -> None:
    run = Run(tmp_path / "nothing")
    assert run.status() == {}
    assert run.metrics() == []
    with pytest.raises(TrainingError, match="expected the configuration of a run"):
        run.config()
    assert not run.folder.exists()


def test_status_tells_state_process_time_and_details(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.set_status(RUNNING, epoch=1, epochs=3)
    run.set_status(FAILED, message="why")
    status = run.status()
    assert status["state"] == "failed"
    assert status["message"] == "why"
    assert status["pid"] == os.getpid()
    assert datetime.fromisoformat(status["time"]).tzinfo is not None
    assert "epoch" not in status


def test_metrics_come_back_in_order(tmp_path: Path) -> None:
    run = Run(tmp_path)
    lines = [{"epoch": epoch, "train_loss": 1 / epoch} for epoch in (1, 2, 3)]
    for line in lines:
        run.append_metrics(line)
    assert run.metrics() == lines
    assert [json.loads(line) for line in run.metrics_path.read_text().splitlines()] == lines


def test_a_half_written_line_is_ignored(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.append_metrics({"epoch": 1, "train_loss": 0.5})
    with run.metrics_path.open("a") as file:
        file.write('{"epoch": 2, "train_lo')
    assert run.metrics() == [{"epoch": 1, "train_loss": 0.5}]
    run.append_metrics({"epoch": 2, "train_loss": 0.4})
    assert [line["epoch"] for line in run.metrics()] == [1, 2]


def test_an_epoch_that_is_run_again_replaces_itself_and_what_followed(tmp_path: Path) -> None:
    run = Run(tmp_path)
    for epoch in (1, 2, 3):
        run.append_metrics({"epoch": epoch, "try": 1})
    run.append_metrics({"epoch": 2, "try": 2})
    assert run.metrics() == [{"epoch": 1, "try": 1}, {"epoch": 2, "try": 2}]
