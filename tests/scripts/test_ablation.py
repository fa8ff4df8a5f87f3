"""The ablation script: one change at a time, whole tiny trainings, resumed, and rows added to the table."""

import re
import shutil
from pathlib import Path

import pytest

from fer.cli import train
from fer.datasets import open_dataset
from fer.evaluation.metrics import measure
from fer.evaluation.predict import predict
from fer.evaluation.report import Ablation, read_table
from fer.model.classifier import Classifier
from scripts import ablation
from scripts.ablation import NAMES, TOGETHER, command_line, ingredients, measure_row, recipe


def run(folder: Path, *options: str) -> int:
    usual = ("--dataset", "synthetic:80", "--epochs", "1", "--size", "24", "--threads", "1", "--runs", str(folder))
    return ablation.main([*usual, *options])


@pytest.mark.slow
def test_a_row_is_trained_with_each_seed_and_measured_on_validation_pictures(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    calls: list[tuple[str, list[str]]] = []

    def pretend(name: str, options: list[str]) -> Path:
        calls.append((name, options))
        return Path(shutil.copy(tiny_checkpoint, tmp_path / name))

    dataset = open_dataset("synthetic:80")
    row = measure_row("no mixup", {"--no-progressive": "", "--mixup": "0"}, [0, 7], pretend, dataset, "majority", 5)
    assert calls == [
        ("no-mixup-0", ["--no-progressive", "--mixup", "0", "--seed", "0"]),
        ("no-mixup-7", ["--no-progressive", "--mixup", "0", "--seed", "7"]),
    ]
    assert (row.name, row.seeds) == ("no mixup", (0, 7))
    assert row.command == "python scripts/train.py --no-progressive --mixup 0 --seed 0"
    answers = predict(Classifier.load(tiny_checkpoint), dataset, "validation").predictions
    expected = measure(answers.probabilities, answers.truth)
    assert (row.accuracy, row.macro_f1) == (expected.accuracy, expected.macro_f1)
    assert 0 <= row.worse_pictures <= 1


def test_each_row_changes_the_recipe_in_its_own_way() -> None:
    basic, changes = recipe("x", "majority", 6, 32), ingredients(6, 32)
    assert tuple(changes) == NAMES and changes["the recipe"] == {}
    made = [tuple(command_line(basic | change)) for change in changes.values()]
    assert len(set(made)) == len(made)
    for options in made:
        train.parse_arguments(list(options))  # they are options of scripts/train.py
    without = [set(changes[TOGETHER[0]].items()) - set(changes[name].items()) for name in TOGETHER[1:]]
    assert [{option for option, _ in left_out} for left_out in without] == [
        {"--init"}, {"--second-head"}, {"--teacher-view"},
    ]  # fmt: skip
    assert "--epochs 12" in " ".join(made[1]) and "--size 48" in " ".join(made[2])


@pytest.mark.slow
def test_rows_are_added_to_the_table_and_nothing_is_trained_twice(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path, "--rows", "no mixup") == 0
    table = read_table(tmp_path / "ablation.json", Ablation)
    assert [row.name for row in table.rows] == ["no mixup"]
    assert re.search("majority.*n = 8$", table.basis)
    trained = (tmp_path / "no-mixup-0" / "best.safetensors").stat().st_mtime_ns
    assert run(tmp_path, "--rows", "the recipe", "no mixup") == 0
    both = read_table(tmp_path / "ablation.json", Ablation)
    assert [row.name for row in both.rows] == ["the recipe", "no mixup"]
    assert both.rows[1] == table.rows[0]
    assert (tmp_path / "no-mixup-0" / "best.safetensors").stat().st_mtime_ns == trained
    assert f"no mixup: {table.rows[0].accuracy:.4f} (" in capfd.readouterr().out
    assert run(tmp_path, "--rows", "no mixup", "--seeds", "1", "--size", "32") == 1
    assert "--dataset synthetic:80 --rule majority --epochs 1 --size 24" in capfd.readouterr().err


def test_a_failed_training_stops_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--rows", "the recipe", "--size", "8") == 1
    assert "the-recipe-0" in capfd.readouterr().err
