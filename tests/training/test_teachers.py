"""Targets: votes, top labels, and what teachers say."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.errors import CheckpointError, TrainingError
from fer.model.checkpoint import ModelInfo, load_checkpoint, save_checkpoint
from fer.model.classifier import Classifier
from fer.training.config import TrainingConfig
from fer.training.loop import check_trainable
from fer.training.metrics import Hooks
from fer.training.teachers import check_teachers, learned_targets

CONFIG = TrainingConfig("synthetic:80")


@pytest.fixture(scope="module")
def dataset() -> FaceDataset:
    return open_dataset("synthetic:80")


def targets(config: TrainingConfig, dataset: FaceDataset, rows: np.ndarray) -> np.ndarray:
    return learned_targets(config, dataset, rows, Hooks(), "cpu")


def test_votes_are_learned_as_they_are(dataset: FaceDataset) -> None:
    rated = replace(dataset, votes=np.tile(np.float32([6, 4, 0, 0, 0, 0, 0, 0]), (len(dataset), 1)))
    rows = np.arange(3)
    assert targets(CONFIG, rated, rows)[0].tolist() == pytest.approx([0.6, 0.4, 0, 0, 0, 0, 0, 0])
    assert targets(replace(CONFIG, targets="label"), rated, rows)[0].tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_a_teacher_has_its_share(dataset: FaceDataset, tiny_checkpoint: Path) -> None:
    """The teacher's answer is that to the picture and to its mirror image, on average."""
    rows = np.arange(0, 40, 7)
    config = replace(CONFIG, teacher=(str(tiny_checkpoint),), teacher_share=0.25)
    teacher = Classifier.load(tiny_checkpoint).reduced()
    pixels = np.stack([teacher.info.preprocessing.shrink(dataset.picture(row)) for row in rows.tolist()])
    said = (teacher.distributions(pixels) + teacher.distributions(pixels[..., ::-1].copy())) / 2
    found = targets(config, dataset, rows)
    assert found == pytest.approx(0.75 * dataset.distributions(rows) + 0.25 * said, abs=1e-5)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert found.dtype == np.float32


def test_several_teachers_are_averaged_in_the_order_of_the_data_sets_labels(
    tmp_path: Path, dataset: FaceDataset, tiny_checkpoint: Path
) -> None:
    """The second names the same in another order: with its head turned likewise it says the same as the first."""
    info, network = load_checkpoint(tiny_checkpoint)
    state = network.state_dict()
    order = list(reversed(range(8)))
    turned = {name: value[order] if name.startswith("fc.") else value for name, value in state.items()}
    other = tmp_path / "turned.safetensors"
    save_checkpoint(other, replace(info, labels=tuple(info.labels[i] for i in order)), turned)
    rows = np.arange(5)
    one = targets(replace(CONFIG, teacher=(str(tiny_checkpoint),)), dataset, rows)
    both = targets(replace(CONFIG, teacher=(str(tiny_checkpoint), str(other))), dataset, rows)
    assert both == pytest.approx(one, abs=1e-3)


def test_a_teacher_of_other_expressions_is_refused(tmp_path: Path, dataset: FaceDataset, tiny_checkpoint: Path) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    other = tmp_path / "other.safetensors"
    renamed = ModelInfo(info.architecture, (*info.labels[:-1], "bored"), info.preprocessing)
    save_checkpoint(other, renamed, network.state_dict())
    with pytest.raises(TrainingError, match="--teacher"):
        check_trainable(replace(CONFIG, teacher=(str(other),)), dataset)
    with pytest.raises(CheckpointError, match="found nothing"):
        check_teachers(replace(CONFIG, teacher=(str(tmp_path / "none"),)), dataset.labels)


def test_the_student_learns_what_the_teacher_says(tiny_checkpoint: Path, dataset: FaceDataset) -> None:
    """With the whole share votes do not count at all."""
    config = replace(CONFIG, teacher=(str(tiny_checkpoint),), teacher_share=1.0)
    rows = np.arange(4)
    shuffled = replace(dataset, votes=np.roll(dataset.votes, 1, axis=1))
    assert torch.equal(
        torch.from_numpy(targets(config, dataset, rows)), torch.from_numpy(targets(config, shuffled, rows))
    )
