"""Curves that TensorBoard can read."""

import sys
from pathlib import Path

import pytest

from fer.errors import TrainingError
from fer.training.job import curves
from fer.training.metrics import EpochMetrics


def test_each_number_is_a_curve(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    write = curves(tmp_path)
    for epoch in (1, 2):
        write(EpochMetrics(epoch, 0.5, train_loss=1 / epoch, validation_confusion=((1,),)))
    events = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert set(events.Tags()["scalars"]) == {"train_loss", "validation_accuracy", "faces", "size_px", "seconds"}
    assert [(event.step, event.value) for event in events.Scalars("train_loss")] == [(1, 1.0), (2, 0.5)]


def test_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match="pip install tensorboard"):
        curves(tmp_path)
