"""The file of epochs: lines survive a round trip, and invalid ones are skipped."""

import json
from pathlib import Path

import pytest

from fer.training.metrics import EpochMetrics
from fer.training.runs import Run

ONE = EpochMetrics(1, 0.5, train_loss=0.5, validation_confusion=((3, 1), (0, 4)), size_px=48, seconds=2.5)


def test_lines_are_read_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    assert Run(tmp_path).metrics() == []
    lines = [EpochMetrics(epoch, 0.5, train_loss=1 / epoch) for epoch in (1, 2, 3)]
    for line in lines:
        Run(tmp_path).append_metrics(line)
    assert Run(tmp_path).metrics() == lines
    assert [json.loads(line)["train_loss"] for line in path.read_text().splitlines()] == [1, 1 / 2, 1 / 3]


def test_a_half_written_line_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    Run(tmp_path).append_metrics(ONE)
    with path.open("a") as file:
        file.write('{"epoch": 2, "validation_acc')
    assert Run(tmp_path).metrics() == [ONE]
    Run(tmp_path).append_metrics(EpochMetrics(2, 0.4))
    assert [line.epoch for line in Run(tmp_path).metrics()] == [1, 2]


def test_a_repeated_epoch_replaces_itself_and_later_ones(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        Run(tmp_path).append_metrics(EpochMetrics(epoch, 0.1))
    Run(tmp_path).append_metrics(EpochMetrics(2, 0.2))
    assert Run(tmp_path).metrics() == [EpochMetrics(1, 0.1), EpochMetrics(2, 0.2)]


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", '{"epoch": 1}', '{"epoch": "1", "validation_accuracy": 1}', "\xff"]
)
def test_invalid_lines_are_skipped(tmp_path: Path, line: str) -> None:
    path = tmp_path / "metrics.jsonl"
    Run(tmp_path).append_metrics(ONE)
    path.write_text(f"{line}\n{path.read_text()}", encoding="latin-1")
    assert Run(tmp_path).metrics() == [ONE]


def test_extra_fields_of_a_later_version_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"epoch": 1, "validation_accuracy": 0.5, "mood": "good"}\n')
    Run(tmp_path).append_metrics(EpochMetrics(2, 0.5))
    assert Run(tmp_path).metrics()[0] == EpochMetrics(1, 0.5)
    assert "mood" in path.read_text()


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").mkdir()
    assert Run(tmp_path).metrics() == []


def test_how_many_pictures_it_was_validated_with() -> None:
    assert ONE.validation_n == 8 and EpochMetrics(1, 0.5).validation_n == 0


def test_of_equally_accurate_epochs_the_one_with_the_lowest_loss_is_best() -> None:
    first, sure, worse = (
        EpochMetrics(number, accuracy, loss)
        for number, accuracy, loss in ((1, 0.9, 0.3), (2, 0.9, 0.1), (3, 0.8, 0.05))
    )
    assert max((first, sure, worse), key=lambda line: line.rank) is sure
