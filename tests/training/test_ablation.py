"""One thing changed at a time, measured on validation, trained once only."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fer.cli import train
from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.evaluation.metrics import measure
from fer.evaluation.predict import predict
from fer.model.checkpoint import load_checkpoint, save_checkpoint
from fer.model.classifier import Classifier
from fer.training.ablation import NAMES, ablate, command_line, ingredients, recipe
from fer.training.config import TrainingConfig
from fer.training.runs import Run


@pytest.fixture(scope="module")
def dataset() -> FaceDataset:
    return open_dataset("synthetic:80")


Calls = list[tuple[str, list[str]]]
Trained = tuple[Calls, Callable[[str, list[str]], Run]]


@pytest.fixture
def trained(tmp_path: Path, tiny_checkpoint: Path) -> Trained:
    """What was trained, and a trainer that hands out the untrained model."""
    calls: Calls = []

    def pretend(name: str, options: list[str]) -> Run:
        calls.append((name, options))
        run = Run(tmp_path / name)
        run.folder.mkdir()
        info, network = load_checkpoint(tiny_checkpoint)
        save_checkpoint(run.best_path, info, network.state_dict())
        return run

    return calls, pretend


@pytest.mark.slow
def test_a_row_is_trained_with_each_seed(dataset: FaceDataset, trained: Trained) -> None:
    calls, pretend = trained
    rows = {"the recipe": {"--epochs": "3"}, "no mixup": {"--epochs": "3", "--no-progressive": "", "--mixup": "0"}}
    measured = list(ablate(dataset, "majority", rows, (0, 7), pretend))
    assert calls == [
        ("the-recipe-0", ["--epochs", "3", "--seed", "0"]),
        ("the-recipe-7", ["--epochs", "3", "--seed", "7"]),
        ("no-mixup-0", ["--epochs", "3", "--no-progressive", "--mixup", "0", "--seed", "0"]),
        ("no-mixup-7", ["--epochs", "3", "--no-progressive", "--mixup", "0", "--seed", "7"]),
    ]
    assert [row.name for row in measured] == ["the recipe", "no mixup"]
    assert measured[1].command == "python scripts/train.py --epochs 3 --no-progressive --mixup 0 --seed 0"
    assert measured[1].seeds == (0, 7)


@pytest.mark.slow
def test_it_is_measured_on_validation_pictures(dataset: FaceDataset, trained: Trained, tiny_checkpoint: Path) -> None:
    (row,) = ablate(dataset, "majority", {"the recipe": {}}, (0,), trained[1])
    answers = predict(Classifier.load(tiny_checkpoint), dataset, "validation").predictions
    expected = measure(answers.probabilities, answers.truth, answers.labels)
    assert (row.accuracy, row.macro_f1) == (expected.accuracy, expected.macro_f1)
    assert 0 <= row.worse_pictures <= 1


def test_each_row_changes_the_recipe_in_its_own_way() -> None:
    basic, changes = recipe("x", "majority", 6, 32), ingredients(6, 32)
    assert tuple(changes) == NAMES
    made = [train._config(train.parse_arguments(command_line(basic | change))) for change in changes.values()]
    unchanged = TrainingConfig(("x",), epochs=6, size_px=32, progressive=False, augmentation="plain", stem="original")
    assert made[0] == unchanged
    assert all(one.differences(unchanged) for one in made[1:])
    assert len(set(made)) == len(made)
    assert (made[1].epochs, made[2].size_px) == (12, 48)
