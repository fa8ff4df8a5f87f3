"""The heartbeat comes at most once a second and knows how long the rest will take."""

from pathlib import Path

import pytest

from fer.training.config import TrainingConfig
from fer.training.heartbeat import Heartbeat
from fer.training.runs import Run


def test_a_beat_a_second_with_rate_and_time_left(tmp_path: Path) -> None:
    now = [100.0]
    run, config = Run(tmp_path), TrainingConfig("x", epochs=4, progressive=False)
    heartbeat = Heartbeat(run, config, first_epoch=1, clock=lambda: now[0])
    now[0] += 0.9
    heartbeat.beat(1, 1, 10, 128)
    assert run.status() == {}
    now[0] += 0.1
    heartbeat.beat(1, 2, 10, 128)
    status = run.status()
    assert (status["state"], status["epoch"], status["epochs"]) == ("running", 1, 4)
    assert (status["batch"], status["batches"], status["faces_per_second"]) == (2, 10, 256.0)
    assert status["seconds_left"] == 14  # 0.2 of three epochs took a second
    now[0] += 0.5
    heartbeat.beat(1, 3, 10, 128)
    assert run.status()["batch"] == 2


def test_larger_pictures_to_come_take_longer(tmp_path: Path) -> None:
    now = [0.0]
    config = TrainingConfig("x", epochs=3, size_px=48)  # 32, 40, 48 pixels
    heartbeat = Heartbeat(Run(tmp_path), config, 0, clock=lambda: now[0])
    now[0] = 10.0
    heartbeat.beat(0, 10, 10, 1)
    assert Run(tmp_path).status()["seconds_left"] == pytest.approx(10 * (40**2 + 48**2) / 32**2, abs=1)
