"""Killed, stopped, disk full, pictures missing, started twice: a run ends with a clear message and can be resumed."""

import errno
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.errors import TrainingError
from fer.images import encode_png
from fer.jobs.status import INTERRUPTED
from fer.model.checkpoint import read_info
from fer.training.config import TrainingConfig
from fer.training.loop import train
from fer.training.metrics import EpochMetrics, Hooks
from fer.training.runs import Run, open_run, view

ROOT = Path(__file__).parents[2]
CONFIG = TrainingConfig(
    ("synthetic:80",), epochs=3, architecture="shufflenet_v2_x0_5", size_px=32, batch_size=16, cutmix=1.0,
    class_balance=0.5, optimizer="adamw", clip_norm=1.0, accumulate=2,
)  # fmt: skip
PROGRAM = """
import os, signal, sys
from pathlib import Path
import torch
from fer.datasets import open_dataset
from fer.jobs.job import working
from fer.training.metrics import Hooks
from fer.training.loop import train
from fer.training.runs import Run
torch.set_num_threads(1)
run = Run(Path(sys.argv[1]))
def kill(epoch, done, total, faces):
    if sys.argv[2] == "kill" and (epoch, done) == (1, 3):
        os.kill(os.getpid(), signal.SIGKILL)
with working(run.folder):
    train(run.config(), open_dataset("synthetic:80"), run, Hooks(on_batch=kill))
"""


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def dataset() -> FaceDataset:
    return open_dataset("synthetic:80")


def without_seconds(run: Run) -> list[EpochMetrics]:
    return [replace(line, seconds=0.0) for line in run.metrics()]


def train_in_a_process(run: Run, how: str) -> int:
    command = [sys.executable, "-c", PROGRAM, str(run.folder), how]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode


@pytest.mark.slow
def test_a_killed_run_ends_bit_identical_to_an_uninterrupted_one(tmp_path: Path, dataset: FaceDataset) -> None:
    unbroken, killed = open_run(tmp_path, CONFIG, "unbroken"), open_run(tmp_path, CONFIG, "killed")
    assert train(CONFIG, dataset, unbroken, Hooks()) is not None
    assert train_in_a_process(killed, "kill") == -9
    assert [line.epoch for line in killed.metrics()] == [1]
    assert view(killed.folder).state == INTERRUPTED
    assert train_in_a_process(killed, "not") == 0
    assert without_seconds(killed) == without_seconds(unbroken)
    assert read_info(killed.best_path) == read_info(unbroken.best_path)
    model, expected = load_file(killed.best_path), load_file(unbroken.best_path)
    assert model.keys() == expected.keys()
    assert all(torch.equal(model[name], expected[name]) for name in expected)


def after_one_epoch(run: Run, dataset: FaceDataset) -> Run:
    ended: list[int] = []
    hooks = Hooks(on_epoch=lambda line: ended.append(1), should_stop=lambda: bool(ended))
    assert train(run.config(), dataset, run, hooks) is None
    return run


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_stops_the_run_and_keeps_the_last_state(
    tmp_path: Path, dataset: FaceDataset, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    run = after_one_epoch(open_run(tmp_path, CONFIG), dataset)
    kept = run.last_path.read_bytes()

    def full(path: Path, write: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr("fer.training.state.write_atomically", full)
        with pytest.raises(TrainingError, match=r"\d+ MB .*epoch 2 .*\d+ MB"):
            train(CONFIG, dataset, run, Hooks())
    assert run.last_path.read_bytes() == kept
    assert train(CONFIG, dataset, run, Hooks()) is not None  # there is space again


@pytest.mark.slow
def test_a_model_file_on_a_full_disk_leaves_no_partial_file(
    tmp_path: Path, dataset: FaceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = open_run(tmp_path, CONFIG)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fer.training.loop.write_seen", lambda *seen: None)  # it would fail first
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match="epoch 1"):
        train(CONFIG, dataset, run, Hooks())
    assert not run.best_path.exists() and not run.last_path.exists()


@pytest.mark.slow
def test_missing_pictures_are_noticed(tmp_path: Path, dataset: FaceDataset) -> None:
    files: list[np.ndarray | Path] = []
    (tmp_path / "pictures").mkdir()
    for number, picture in enumerate(dataset.pictures):
        files.append(tmp_path / "pictures" / f"{number}.png")
        files[-1].write_bytes(encode_png(np.asarray(picture)))  # type: ignore[union-attr]
    on_disk = replace(dataset, pictures=files)
    run = after_one_epoch(open_run(tmp_path, CONFIG), on_disk)
    files[int(on_disk.rows("train")[5])].unlink()  # type: ignore[union-attr]
    with pytest.raises(TrainingError, match=r"64 \+ 8 .*63 \+ 8"):
        train(CONFIG, on_disk, run, Hooks())
