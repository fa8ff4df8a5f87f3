"""The training script: killed and resumed, folds, reports, several data sets or processes, full disk, stopped."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fer.cli import train
from fer.jobs.job import is_locked, working
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import read_info
from fer.training import runs
from fer.training.config import TrainingConfig
from fer.training.runs import Run, open_run
from tests.datasets.pictures import pattern, write_picture
from tests.scripts.conftest import TRAIN, Chain
from tests.scripts.processes import end_of, run_script, start, wait_for

TINY = ["--architecture", "shufflenet_v2_x0_5", "--size", "32", "--batch-size", "16", "--device", "cpu"]
SETS = ["--dataset", "synthetic:80"]


def metrics_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_killed_training_left_its_first_epoch(chain: Chain) -> None:
    assert chain.killed_status["state"] == "running"
    assert [json.loads(line)["epoch"] for line in chain.killed_metrics.splitlines()] == [1]


def test_the_same_command_goes_on_and_finishes(chain: Chain) -> None:
    assert chain.going_on.code == 0, chain.going_on.err
    assert "epoch 1 of 2" in chain.going_on.err
    assert "epoch 2/2" in chain.going_on.err and "epoch 1/2" not in chain.going_on.err
    assert chain.going_on.out == ""
    assert [path.name for path in (chain.folder / "runs").iterdir()] == ["synthetic-160-resnet18"]
    metrics = (chain.run / "metrics.jsonl").read_text()
    assert metrics.startswith(chain.killed_metrics)
    assert [json.loads(line)["epoch"] for line in metrics.splitlines()] == [1, 2]
    status = json.loads((chain.run / "status.json").read_text())
    assert (status["state"], status["epoch"]) == ("finished", 2)
    log = (chain.run / "log.txt").read_text()
    assert log.count("runs/synthetic-160-resnet18") >= 2  # the killed one wrote to it, too
    assert "epoch 1 of 2" in log and "epoch 2/2" in log


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process could answer")
def test_sigterm_stops_cleanly(tmp_path: Path) -> None:
    process = start(tmp_path, *TRAIN, "--epochs", "1000", "--name", "long")
    status = tmp_path / "runs" / "long" / "status.json"
    wait_for(process, status)
    process.send_signal(signal.SIGTERM)
    ended = end_of(process)
    assert ended.code == 130
    assert json.loads(status.read_text())["state"] == "stopped"


@pytest.mark.slow
def test_training_on_nothing_fails_with_a_message_and_leaves_nothing(tmp_path: Path) -> None:
    ended = run_script(tmp_path, "scripts/train.py", "--dataset", "nowhere/faces")
    assert ended.code == 1
    assert ended.err.startswith("error: ") and "nowhere" in ended.err
    assert not (tmp_path / "runs").exists()


def test_impossible_options_fail_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = tmp_path / "runs"
    for options, message in (
        (["--epochs", "0"], "epochs"),
        (["--dropout", "1"], "dropout"),
        (["--name", "../elsewhere"], "'../elsewhere'"),
    ):
        assert train.main(["--dataset", "synthetic:160", "--runs", str(runs), *options]) == 1
        err = capsys.readouterr().err
        assert err.startswith("error: ") and message in err
    assert not runs.exists()


def test_a_runs_folder_that_cannot_be_made_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert train.main(["--dataset", "synthetic:160", "--runs", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.slow
def test_folds_are_trained_measured_and_summed_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [*SETS, "--folds", "3", "--epochs", "1", "--runs", str(tmp_path), "--name", "cross", *TINY]
    assert train.main(command) == 0
    assert {path.name for path in (tmp_path / "cross").iterdir()} == {"fold-01", "fold-02", "fold-03", "folds.json"}
    summary = json.loads((tmp_path / "cross" / "folds.json").read_text())
    accuracies = [fold["accuracy"] for fold in summary["folds"]]
    assert sum(fold["n"] for fold in summary["folds"]) == 80
    assert summary["accuracy"]["mean"] == pytest.approx(sum(accuracies) / 3)
    mean = summary["accuracy"]["mean"]
    assert summary["accuracy"]["sd"] == pytest.approx((sum((value - mean) ** 2 for value in accuracies) / 2) ** 0.5)
    assert f"accuracy   {mean:.4f} ± " in capsys.readouterr().out
    assert Run(tmp_path / "cross" / "fold-02").config().fold == 2

    kept = (tmp_path / "cross" / "fold-01" / "metrics.jsonl").read_bytes()
    assert train.main(command) == 0  # all of them are finished
    assert (tmp_path / "cross" / "fold-01" / "metrics.jsonl").read_bytes() == kept


def test_a_report_is_written_and_nothing_trained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main([*SETS, "--report-only", str(tmp_path / "report"), "--runs", str(tmp_path / "runs")]) == 0
    assert json.loads((tmp_path / "report" / "report.json").read_text())["pictures"] == 80
    with Image.open(tmp_path / "report" / "contact-sheet.png") as sheet:
        assert min(sheet.size) > 100
    assert "80" in capsys.readouterr().out
    assert not (tmp_path / "runs").exists()


def test_layouts_of_others_are_reported_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{person}.{code}1.{n}.tiff" for n, person in enumerate(("KA", "KL", "YM")) for code in ("AN", "HA", "SA")]
    for seed, name in enumerate(names):
        write_picture(tmp_path / "jaffe" / name, pattern(seed))
    write_picture(tmp_path / "jaffe" / "other" / "1.png", pattern(99))
    assert train.main(["--dataset", str(tmp_path / "jaffe"), "--report-only", str(tmp_path / "report")]) == 0
    found = json.loads((tmp_path / "report" / "report.json").read_text())
    assert found["subjects"] == {"train": 1, "validation": 1, "test": 1} and found["pictures"] == 9
    assert set(found["counts"]) == {"anger", "happiness", "sadness"}
    assert any("1 in other" in note for note in found["notes"])
    assert all(note in capsys.readouterr().out for note in found["notes"][:1])


@pytest.mark.slow
def test_several_data_sets_make_one_run_that_can_be_resumed(tmp_path: Path) -> None:
    options = [*SETS, "--dataset", "synthetic:88", "--epochs", "1", "--runs", str(tmp_path), *TINY]
    assert train.main([*options, "--tensorboard"]) == 0
    run = Run(tmp_path / "synthetic-80-synthetic-88-shufflenet_v2_x0_5")
    assert run.config().dataset == ("synthetic:80", "synthetic:88")
    assert list((run.folder / "tensorboard").iterdir())
    before = [(run.folder / name).read_bytes() for name in ("metrics.jsonl", "best.safetensors", "last.pt")]
    assert train.main(["--resume", str(run.folder), "--device", "cpu"]) == 0  # finished: nothing to do
    assert [(run.folder / name).read_bytes() for name in ("metrics.jsonl", "best.safetensors", "last.pt")] == before
    assert runs.view(run.folder).state == "finished"


@pytest.mark.slow
def test_a_failure_is_kept_in_the_run_but_not_in_one_that_another_trains(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = [*SETS, "--epochs", "1", "--runs", str(tmp_path), "--name", "mine", *TINY]
    assert train.main([*options, "--learning-rate", "1e30", "--mixup", "0"]) == 1
    run = Run(tmp_path / "mine")
    seen = runs.view(run.folder)
    assert seen.state == "failed" and "epoch 1" in seen.message
    with working(run.folder):
        assert train.main(["--resume", str(run.folder), "--device", "cpu"]) == 1
        assert str(run.folder) in capsys.readouterr().err
        assert runs.view(run.folder).state == "running"


def test_the_built_in_model_can_be_fine_tuned_by_name(tmp_path: Path) -> None:
    options = train.parse_arguments([*SETS, "--init", "shipped", "--runs", str(tmp_path)])
    assert train._config(options).init == str(DEFAULT_CHECKPOINT)


def test_a_missing_data_set_is_reported_in_the_run(tmp_path: Path) -> None:
    run = open_run(tmp_path, TrainingConfig((str(tmp_path / "gone"),)), "mine")
    assert train.main(["--resume", str(run.folder)]) == 1
    seen = runs.view(run.folder)
    assert seen.state == "failed" and str(tmp_path / "gone") in seen.message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--architecture", "resnet"], "resnet18"),
        (["--init", "nowhere.safetensors"], "nowhere.safetensors"),
        (["--folds", "2"], "folds"),
        (["--cutmix", "-1"], "cutmix"),
    ],
)
def test_mistakes_are_found_before_creating_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    assert train.main([*SETS, "--runs", str(tmp_path / "runs"), *options]) == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs a limit for the size of files")
def test_a_full_disk_is_reported_in_the_status(tmp_path: Path) -> None:
    import resource

    limit = 1_000_000
    process = start(
        tmp_path, "scripts/train.py", *SETS, "--epochs", "1", "--runs", str(tmp_path), "--name", "full", *TINY,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )  # fmt: skip
    assert end_of(process).code == 1
    seen = runs.view(tmp_path / "full")
    assert (seen.state, seen.can_resume) == ("stopped", True)
    assert re.search(r"\d+ MB .*epoch 1 .*\d+ MB", seen.message)
    assert not list((tmp_path / "full").glob(".*.partial"))


def torchrun(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    distributed = ["-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={port}"]
    return start(folder, *distributed, "scripts/train.py", *arguments)


@pytest.mark.slow
def test_two_processes_train_the_same_as_one(tmp_path: Path) -> None:
    """Without batch normalization and mixing only the augmentation differs."""
    options = ["--dataset", "synthetic:160", "--epochs", "2", "--runs", str(tmp_path), "--mixup", "0", *TINY]
    options += ["--architecture", "squeezenet1_1", "--threads", "1", "--no-progressive", "--freeze", "1"]
    process = torchrun(tmp_path, *options, "--name", "two")
    _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    assert train.main([*options, "--name", "one"]) == 0
    one, two = metrics_of(tmp_path / "one"), metrics_of(tmp_path / "two")
    assert [line["epoch"] for line in two] == [1, 2]
    for alone, together in zip(one, two, strict=True):
        assert together["train_loss"] == pytest.approx(alone["train_loss"], rel=0.1)
        assert together["validation_loss"] == pytest.approx(alone["validation_loss"], rel=0.1)
        assert together["learning_rate"] == alone["learning_rate"]
    assert read_info(tmp_path / "two" / "best.safetensors").labels
    assert runs.view(tmp_path / "two").state == "finished"
    assert (tmp_path / "two" / "log.txt").read_text().count("done: ") == 1


@pytest.mark.slow
def test_all_processes_stop_together_and_resume(tmp_path: Path) -> None:
    options = [*SETS, "--epochs", "400", "--runs", str(tmp_path), "--name", "both", *TINY, "--threads", "1"]
    process = torchrun(tmp_path, *options)
    run = Run(tmp_path / "both")
    wait_for(process, run.last_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    seen = runs.view(run.folder)
    assert seen.state == "stopped" and seen.metrics
    assert not is_locked(run.folder)
