"""A run exports its best model for ONNX Runtime, however it ends."""

import sys
from pathlib import Path

import numpy as np
import pytest

from fer.datasets.dataset import FaceDataset, PreparedFaces
from fer.jobs.status import FINISHED, STOPPED, Reporter
from fer.model.checkpoint import read_info
from fer.model.classifier import Classifier
from fer.model.onnx_network import OnnxNetwork
from fer.training import job
from fer.training.config import TrainingConfig
from fer.training.metrics import EpochMetrics
from fer.training.runs import Run

pytestmark = pytest.mark.slow
CONFIG = TrainingConfig("synthetic:80", epochs=2, architecture="squeezenet1_1", size_px=32, progressive=False)


class Stop:
    asked = gently = False


def _run(folder: Path, stop_early: bool = False) -> tuple[Path, str, str]:
    """Train in this process; return the model, the last state and the log."""
    stop, reporter = Stop(), Reporter(folder)

    def end_epoch(line: EpochMetrics) -> None:
        stop.asked = stop_early

    job.run(folder, CONFIG, reporter, stop, device="cpu", on_epoch=end_epoch)  # type: ignore[arg-type]
    return Run(folder).best_path, reporter.status.state, (folder / "log.txt").read_text()


@pytest.mark.parametrize("stop_early", [False, True])
def test_the_best_model_is_exported(tmp_path: Path, stop_early: bool) -> None:
    pytest.importorskip("onnx", reason="writing ONNX files needs onnx")
    best, state, log = _run(tmp_path, stop_early)
    assert state == (STOPPED if stop_early else FINISHED)
    assert read_info(best).training["best_epoch"] <= (1 if stop_early else 2)
    assert OnnxNetwork.load(best) and OnnxNetwork.load(best, int8=True)
    assert "best.onnx" in log and "best.int8.onnx" in log
    assert Classifier.load(best).reduced().network.runtime == "ONNX Runtime, int8"


@pytest.mark.parametrize("lost", [1, 2])
def test_an_8_bit_export_that_is_less_accurate_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: int
) -> None:
    pytest.importorskip("onnx", reason="writing ONNX files needs onnx")

    def right(model: Classifier, dataset: FaceDataset, faces: PreparedFaces) -> np.ndarray:
        return np.arange(len(faces.rows)) >= lost * (model.network.runtime == "ONNX Runtime, int8")

    monkeypatch.setattr(job, "_right", right)
    best, state, log = _run(tmp_path)
    assert state == FINISHED and OnnxNetwork.load(best)
    kept = lost < 2  # one picture says nothing
    assert bool(OnnxNetwork.load(best, int8=True)) == kept == ("best.int8.onnx" in log)


def test_without_onnx_the_run_notes_it_and_finishes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "fer.model.export", raising=False)
    monkeypatch.setitem(sys.modules, "onnx", None)
    best, state, log = _run(tmp_path)
    assert state == FINISHED
    assert "fer-studio[train]" in log
    assert not OnnxNetwork.load(best)
    assert Classifier.load(best).network.runtime == "torch, float32"
