"""Fine-tuning on few pictures of each expression with other class names."""

from pathlib import Path

import numpy as np
import pytest

from fer.datasets import open_dataset
from fer.evaluation.report import FewPictures, read_table
from scripts import finetuning
from scripts.finetuning import few_pictures


@pytest.mark.slow
def test_a_small_data_set_has_other_names_for_the_same_labels() -> None:
    whole = open_dataset("synthetic:400")
    small, other = (few_pictures(whole, 3, 20, seed) for seed in (0, 1))
    assert not set(small.labels) & set(whole.labels)
    assert {split: len(small.rows(split)) for split in ("train", "validation", "test")} == {
        "train": 24, "validation": 5, "test": 15,
    }  # fmt: skip
    assert np.bincount(small.truth(small.rows("train"))).tolist() == [3] * 8
    row = next(row for row in range(len(whole)) if np.array_equal(whole.picture(row), small.picture(0)))
    assert whole.truth(np.array([row])) == small.truth(np.array([0]))
    assert not np.array_equal(small.picture(0), other.picture(0))
    assert np.array_equal(small.picture(-1), other.picture(-1)), "judged by the same pictures"


@pytest.mark.slow
def test_models_are_fine_tuned_with_each_seed_and_the_command_resumes(
    tmp_path: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "few.json"
    options = ["--dataset", "synthetic:400", "--models", str(tiny_checkpoint), "--pictures", "3", "--judges", "20"]
    options += ["--epochs", "1", "--seeds", "0", "1", "--runs", str(tmp_path / "runs"), "--output", str(output)]
    assert finetuning.main(options) == 0
    table = read_table(output, FewPictures)
    assert "n = 15" in table.basis and "24 in all" in table.basis
    assert [(row.model, row.seeds) for row in table.rows] == [(tiny_checkpoint.name, (0, 1))]
    assert all(0 <= value <= 1 for value in (*table.rows[0].accuracies, *table.rows[0].macro_f1s))
    trained = [file.stat().st_mtime_ns for file in sorted(tmp_path.glob("runs/*/metrics.jsonl"))]
    assert finetuning.main(options) == 0
    assert len(trained) == 2
    assert trained == [file.stat().st_mtime_ns for file in sorted(tmp_path.glob("runs/*/metrics.jsonl"))]
    assert read_table(output, FewPictures).rows == table.rows
    assert finetuning.main([*options[:3], "nothing.safetensors", *options[4:]]) == 1
    assert "nothing.safetensors" in capsys.readouterr().err
