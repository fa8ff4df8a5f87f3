"""The estimated duration of a run."""

from dataclasses import replace
from pathlib import Path

import pytest

from fer.errors import TrainingError
from fer.training import runs
from fer.training.config import TrainingConfig
from fer.training.estimate import START_SECONDS, known_speed, measure_speed, seconds_for
from fer.training.metrics import EpochMetrics
from fer.training.runs import open_run

CONFIG = TrainingConfig("synthetic:80", epochs=6, progressive=False)


def test_time_is_faces_by_speed() -> None:
    assert seconds_for(CONFIG, 1000, 100) == pytest.approx(START_SECONDS + 60)
    # Two epochs each at 32, 40 and 48 pixels.
    shrunk = 20 * ((32 / 48) ** 2 + (40 / 48) ** 2 + 1)
    assert seconds_for(replace(CONFIG, progressive=True), 1000, 100) == pytest.approx(START_SECONDS + shrunk)


LINE = EpochMetrics(1, 0.5, size_px=48, seconds=10.0, faces=2000)


def test_an_earlier_run_of_the_same_network_gives_the_speed(tmp_path: Path) -> None:
    open_run(tmp_path, CONFIG, "same").append_metrics(LINE)
    open_run(tmp_path, replace(CONFIG, architecture="resnet34"), "other").append_metrics(replace(LINE, seconds=1.0))
    open_run(tmp_path, CONFIG, "nothing yet")
    views = runs.views(tmp_path)
    speed = known_speed(replace(CONFIG, epochs=99), views)
    assert speed and speed.faces_per_second == 200 and "same" in speed.source
    assert known_speed(replace(CONFIG, channels=3), views) is None
    assert known_speed(CONFIG, []) is None


def test_small_pictures_are_counted_by_their_area(tmp_path: Path) -> None:
    open_run(tmp_path, CONFIG, "run").append_metrics(replace(LINE, size_px=24))
    speed = known_speed(CONFIG, runs.views(tmp_path))
    assert speed and speed.faces_per_second == 50


def test_runs_without_a_speed_are_skipped(tmp_path: Path) -> None:
    open_run(tmp_path, CONFIG, "of an older version").append_metrics(replace(LINE, faces=0))
    open_run(tmp_path, CONFIG, "too short").append_metrics(replace(LINE, seconds=0.0))
    assert known_speed(CONFIG, runs.views(tmp_path)) is None


@pytest.mark.slow
def test_the_speed_is_measured_in_another_process() -> None:
    speed = measure_speed(replace(CONFIG, size_px=24), threads=1)
    assert 5 < speed.faces_per_second < 1e6
    with pytest.raises(TrainingError, match="no_such_network"):
        measure_speed(replace(CONFIG, architecture="no_such_network"))
