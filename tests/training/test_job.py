"""Training as a job: real processes, killed and resumed, and what they report."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

from fer.cli import jobs as command
from fer.errors import JobError
from fer.jobs import job
from fer.jobs.status import FAILED, FINISHED, INTERRUPTED, STOPPED, Reporter
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import read_info
from fer.training import runs
from fer.training.config import TrainingConfig
from fer.training.job import _Told
from fer.training.metrics import EpochMetrics
from fer.training.runs import KIND, Run, RunView
from tests.scripts.processes import wait_until
from tests.training.test_runs import old_run

SHORT = TrainingConfig("synthetic:80", epochs=2, size_px=24, progressive=False)
LONG = TrainingConfig("synthetic:80", epochs=2000, size_px=24, progressive=False)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "runs"
    for seen in runs.views(tmp_path / "runs"):
        job.stop(seen.folder, KIND)


def seen_when(folder: Path, condition: Callable[[RunView], bool]) -> RunView:
    wait_until(lambda: condition(runs.view(folder)))
    return runs.view(folder)


def kill(folder: Path) -> None:
    psutil.Process(json.loads((folder / "process.json").read_text())["pid"]).kill()
    seen_when(folder, lambda seen: not seen.active)


@pytest.mark.slow
def test_a_killed_run_resumes_and_ends_like_an_uninterrupted_one(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Use one thread: several may add up sums in a different order each time."""
    config = TrainingConfig("synthetic:80", epochs=6, size_px=24, progressive=False)
    folder = runs.start(place, config, "faces 1", threads=1)
    assert runs.view(folder).active
    with pytest.raises(JobError, match=r"training.* 1 .*FER_PARALLEL_RUNS"):
        runs.start(place, SHORT, "second")
    assert not (place / "second").exists()
    for forbidden in (lambda: job.delete(folder, KIND), lambda: runs.rename(folder, "other")):
        with pytest.raises(JobError, match=r"faces 1.* running"):
            forbidden()
    seen_when(folder, lambda seen: len(seen.metrics) >= 2 and Run(folder).last_path.exists())
    kill(folder)
    seen = runs.view(folder)
    assert seen.state == INTERRUPTED and seen.can_resume and 2 <= len(seen.metrics) < 6

    monkeypatch.setenv(runs.PARALLEL_VARIABLE, "2")
    runs.resume(folder, threads=1)
    unbroken = runs.start(place, config, "unbroken", threads=1)
    ended = [seen_when(one, lambda seen: not seen.active) for one in (folder, unbroken)]
    for seen in ended:
        assert seen.state == FINISHED, job.log_tail(seen.folder)
        assert seen.has_model and not seen.can_resume and seen.best in seen.metrics
        assert (seen.status.figures["epoch"], seen.status.figures["epochs"]) == (6, 6)
    parts = [[(part.moment, part.loss, part.rate) for part in seen.steps] for seen in ended]
    assert parts[0] == parts[1] and parts[0][-1][0] == 6 and len(parts[0]) > 6
    assert ended[0].beginning == ended[1].beginning
    begun, (training, known) = ended[0].beginning, (64, read_info(DEFAULT_CHECKPOINT).labels)
    assert begun and (begun.pictures, begun.kept, set(begun.new)) == (training, (), set(known))
    assert begun.n == ended[0].metrics[0].validation_n and begun.accuracy is not None and 0 <= begun.accuracy <= 1
    figures = [[(line.epoch, line.train_loss, line.validation_loss) for line in seen.metrics] for seen in ended]
    assert figures[0] == figures[1]
    assert read_info(ended[0].best_path) == read_info(ended[1].best_path)
    model, expected = (load_file(seen.best_path) for seen in ended)
    assert model.keys() == expected.keys()
    assert all(torch.equal(model[name], expected[name]) for name in expected)
    assert re.search(r"\b[1-5] of 6\b", (folder / "log.txt").read_text())
    with pytest.raises(JobError, match=r"faces 1.* finished"):
        runs.resume(folder)
    with pytest.raises(JobError, match="faces 1"):
        runs.start(place, LONG, "faces 1")


@pytest.mark.slow
def test_a_stopped_run_is_resumed_from_the_command_line(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = runs.start(place, LONG, "long", threads=1)
    seen_when(folder, lambda seen: len(seen.metrics) >= 1)
    assert command.main(["stop", str(folder)]) == 0
    epochs = len(runs.view(folder).metrics)
    assert runs.view(folder).state == STOPPED
    assert command.main(["list", str(place)]) == 0
    assert "stopped" in capsys.readouterr().out

    assert command.main(["resume", str(folder), "--background", "--threads", "1"]) == 0
    seen_when(folder, lambda seen: len(seen.metrics) > epochs)
    assert command.main(["delete", str(folder)]) == 1
    assert command.main(["resume", str(folder)]) == 1
    assert "running" in capsys.readouterr().err
    job.stop(folder, KIND)
    assert command.main(["delete", str(folder)]) == 0
    assert not folder.exists()


@pytest.mark.slow
def test_what_cannot_be_trained_says_why(place: Path, tmp_path: Path) -> None:
    folder = runs.start(place, TrainingConfig(str(tmp_path / "nowhere")), "nothing")
    seen = seen_when(folder, lambda seen: not seen.active)
    assert seen.state == FAILED
    assert str(tmp_path / "nowhere") in seen.message
    assert seen.can_resume  # the data set may be restored


@pytest.mark.slow
def test_a_run_of_an_earlier_version_is_resumed(place: Path) -> None:
    """Its last.pt has today's format, which has not changed."""
    folder = runs.start(place, SHORT, "new", threads=1)
    seen_when(folder, lambda seen: len(seen.metrics) >= 1 and Run(folder).last_path.exists())
    kill(folder)
    old = old_run(place / "old")
    metrics = (old / "metrics.jsonl").read_bytes()
    config = json.loads((folder / "config.json").read_text())
    del config["kind"]
    (old / "config.json").write_text(json.dumps(config))
    for name in ("last.pt", "best.safetensors"):
        shutil.copy(folder / name, old / name)
    assert command.main(["resume", str(old), "--threads", "1"]) == 0
    seen = runs.view(old)
    assert seen.state == FINISHED and [line.epoch for line in seen.metrics] == [1, 2]
    assert (old / "metrics.jsonl").read_bytes().startswith(metrics)  # the line of the earlier version is kept
    assert "epoch 1 of 2" in (old / "log.txt").read_text()


class Stop:
    asked = gently = False


def test_the_status_of_a_run_during_training(tmp_path: Path) -> None:
    now = [50.0]
    reporter, stop = Reporter(tmp_path, clock=lambda: now[0]), Stop()
    told = _Told(TrainingConfig("x", epochs=4, progressive=False), reporter, stop, clock=lambda: now[0])
    told.read(3, 12)
    assert (reporter.status.share, stop.gently) == (0.25, False) and reporter.status.what
    told.batch(1, 1, 10, 128)
    assert stop.gently
    now[0] += 1
    told.batch(1, 3, 10, 128)
    status = reporter.status
    assert status.what == "epoch 2 of 4 · batch 3 of 10 · 128 faces / s"
    assert status.figures == {
        "epoch": 1, "epochs": 4, "batch": 3, "batches": 10, "faces_per_second": 128.0,
    }  # fmt: skip
    assert status.share == pytest.approx(13 / 40)
    assert status.seconds_left == pytest.approx(27 / 2, abs=0.1)


def test_later_larger_pictures_take_longer(tmp_path: Path) -> None:
    now = [0.0]
    reporter = Reporter(tmp_path, clock=lambda: now[0])
    config = TrainingConfig("x", epochs=3, size_px=48)  # 32, 40, 48 pixels
    told = _Told(config, reporter, Stop(), clock=lambda: now[0])
    told.batch(0, 5, 10, 1)
    now[0] = 10.0
    told.batch(0, 10, 10, 1)
    assert reporter.status.seconds_left == pytest.approx(20 * (40**2 + 48**2) / 32**2, abs=1)


def test_an_epoch_is_noted_with_rule_and_n(tmp_path: Path) -> None:
    told = _Told(TrainingConfig("x", epochs=4), Reporter(tmp_path), Stop())
    told.epoch(
        EpochMetrics(
            2, 0.5, train_loss=1.25, train_accuracy=0.25, validation_loss=2.0, validation_macro_f1=0.75,
            validation_confusion=((600, 0), (600, 0)), size_px=48, seconds=7.4,
        )
    )  # fmt: skip
    log = (tmp_path / "log.txt").read_text()
    for figure in ("2/4", "1.2500", "0.2500", "majority", "n = 1,200", "2.0000", "0.5000", "0.7500", "48 px", "7 s"):
        assert figure in log
