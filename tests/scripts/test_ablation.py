"""The ablation script: whole tiny trainings, gone on with, and rows added to the table."""

from pathlib import Path

import pytest

from fer.evaluation.ablation import read_ablation
from scripts import ablation


def run(folder: Path, *options: str) -> int:
    return ablation.main(
        [
            "--dataset",
            "synthetic:80",
            "--epochs",
            "1",
            "--size",
            "24",
            "--threads",
            "1",
            "--runs",
            str(folder),
            *options,
        ]
    )


@pytest.mark.slow
def test_rows_are_added_to_the_table_and_nothing_is_trained_twice(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--rows", "no mixup") == 0
    table = read_ablation(tmp_path / "ablation.json")
    assert [row.name for row in table.rows] == ["no mixup"]
    assert "rule majority, n = 8" in table.basis
    trained = (tmp_path / "no-mixup-0" / "best.safetensors").stat().st_mtime_ns
    assert run(tmp_path, "--rows", "the recipe", "no mixup") == 0
    both = read_ablation(tmp_path / "ablation.json")
    assert [row.name for row in both.rows] == ["the recipe", "no mixup"]
    assert both.rows[1] == table.rows[0]
    assert (tmp_path / "no-mixup-0" / "best.safetensors").stat().st_mtime_ns == trained
    assert f"no mixup: {table.rows[0].accuracy:.4f} (" in capfd.readouterr().out
    assert run(tmp_path, "--rows", "no mixup", "--seeds", "1", "--size", "32") == 1
    assert "found rows of --dataset synthetic:80 --rule majority --epochs 1 --size 24" in capfd.readouterr().err


def test_a_training_that_fails_ends_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--rows", "the recipe", "--size", "8") == 1
    assert "the-recipe-0 ended with exit code 1" in capfd.readouterr().err
