"""The effects of a run's options, on tiny runs."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.errors import TrainingError
from fer.evaluation.predict import predict
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import load_checkpoint, read_info
from fer.model.classifier import Classifier
from fer.training.batches import TrainingBatches
from fer.training.config import TrainingConfig
from fer.training.distributed import Processes
from fer.training.epoch import train_epoch
from fer.training.loop import check_trainable, train
from fer.training.metrics import Hooks
from fer.training.runs import BEST_NAME, Run
from fer.training.state import start

CONFIG = TrainingConfig(
    ("synthetic:80",), epochs=1, architecture="shufflenet_v2_x0_5", size_px=32, batch_size=16, progressive=False
)


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def dataset() -> FaceDataset:
    return open_dataset("synthetic:80")


@pytest.mark.slow
@pytest.mark.parametrize("architecture", ["mobilenet_v3_small", "squeezenet1_1"])
def test_other_families_are_trained_and_used(architecture: str, tmp_path: Path, dataset: FaceDataset) -> None:
    config = replace(CONFIG, architecture=architecture, optimizer="adamw", layer_decay=0.9)
    assert train(config, dataset, Run(tmp_path), Hooks()) is not None
    pixels = np.zeros((1, 1, 32, 32), np.uint8)
    assert Classifier.load(tmp_path / "best.safetensors").probabilities(pixels).sum() == pytest.approx(1)


@pytest.mark.slow
def test_pictures_that_are_too_small_for_a_network_are_refused(tmp_path: Path, dataset: FaceDataset) -> None:
    with pytest.raises(TrainingError, match=r"vgg11_bn .* 24 .*--size"):
        train(replace(CONFIG, architecture="vgg11_bn", size_px=24), dataset, Run(tmp_path), Hooks())
    with pytest.raises(TrainingError, match=" 40 "):
        train(replace(CONFIG, architecture="vit_b_16", size_px=40), dataset, Run(tmp_path), Hooks())


@pytest.mark.slow
def test_only_the_last_layer_learns_while_the_others_are_frozen(tmp_path: Path, dataset: FaceDataset) -> None:
    config = replace(CONFIG, architecture="resnet18", init=str(DEFAULT_CHECKPOINT), freeze_epochs=1, size_px=48)
    notes: list[str] = []
    train(config, dataset, Run(tmp_path), Hooks(on_note=notes.append))
    assert str(DEFAULT_CHECKPOINT) in notes[0]
    before, after = (load_checkpoint(file)[1].state_dict() for file in (DEFAULT_CHECKPOINT, tmp_path / BEST_NAME))
    begun = {name: value[: len(after[name])] if value.ndim else value for name, value in before.items()}  # of two heads
    changed = {name for name, value in after.items() if not torch.allclose(value, begun[name])}
    assert changed == {"fc.1.weight", "fc.1.bias"}


@pytest.mark.slow
def test_after_the_frozen_epochs_all_layers_learn(tmp_path: Path, dataset: FaceDataset) -> None:
    config = replace(CONFIG, epochs=2, freeze_epochs=1, learning_rate=0.05, ema_decay=0)
    states = []
    hooks = Hooks(on_epoch=lambda line: states.append(torch.load(tmp_path / "last.pt")["network"]))
    train(config, dataset, Run(tmp_path), hooks)
    frozen = [name for name in states[0] if not name.startswith("fc.")]
    assert not torch.equal(states[0]["conv1.0.weight"], states[1]["conv1.0.weight"])
    assert not torch.equal(states[0]["fc.1.weight"], states[1]["fc.1.weight"])
    assert states[0]["conv1.1.num_batches_tracked"] == 0 < states[1]["conv1.1.num_batches_tracked"]
    assert frozen


@pytest.mark.slow
def test_parts_of_a_batch_give_the_gradient_of_the_whole(dataset: FaceDataset) -> None:
    """Exact for a network without batch normalization."""
    plain = replace(CONFIG, architecture="squeezenet1_1", dropout=0, mixup=0, learning_rate=0.01)
    rows = dataset.rows("train")
    pixels = torch.from_numpy(np.stack([plain.preprocessing.shrink(dataset.picture(row)) for row in rows]))
    targets = torch.from_numpy(dataset.distributions(rows))
    weights = []
    for config in (plain, replace(plain, accumulate=4)):
        state, _ = start(config, dataset.labels, "", "cpu")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("fer.model.device.mixed_precision", lambda device: None)
            train_epoch(config, state, TrainingBatches(config, pixels, targets, "cpu"), Hooks(), "cpu")
        weights.append(state.network.state_dict()["classifier.1.weight"])
    torch.testing.assert_close(*weights, rtol=1e-4, atol=1e-6)


def test_batches_that_are_too_small_to_be_shared_are_refused(dataset: FaceDataset) -> None:
    with pytest.raises(TrainingError, match=r"8 parts.* 8 .*--accumulate"):
        check_trainable(replace(CONFIG, accumulate=4), dataset, Processes(0, 2))


@pytest.mark.slow
def test_without_improvement_the_training_stops_early(tmp_path: Path, dataset: FaceDataset) -> None:
    config = replace(CONFIG, epochs=50, patience=2, learning_rate=1e-8)
    notes: list[str] = []
    info = train(config, dataset, Run(tmp_path), Hooks(on_note=notes.append))
    lines = Run(tmp_path).metrics()
    assert info is not None
    assert len(lines) == info.training["best_epoch"] + 2 < 50
    assert any(re.search(rf"\b2\b.* {info.training['best_epoch']}$", note) for note in notes)


@pytest.mark.slow
def test_a_multilabel_model_is_trained_calibrated_and_measured(tmp_path: Path, dataset: FaceDataset) -> None:
    info = train(replace(CONFIG, multilabel=True), dataset, Run(tmp_path), Hooks())
    assert info is not None and info.multilabel
    assert read_info(tmp_path / "best.safetensors").multilabel
    found = predict(Classifier.load(tmp_path / "best.safetensors"), dataset, "validation").predictions
    assert len(found) == 8
    assert found.probabilities.sum(axis=1) == pytest.approx(1)


def test_each_epoch_says_accuracy_and_confusion(tmp_path: Path, dataset: FaceDataset) -> None:
    train(CONFIG, dataset, Run(tmp_path), Hooks())
    (line,) = Run(tmp_path).metrics()
    confusion = np.array(line.validation_confusion)
    assert confusion.shape == (8, 8) and confusion.sum() == 8
    assert np.trace(confusion) / 8 == line.validation_accuracy
    assert line.train_accuracy is not None and 0 <= line.train_accuracy <= 1
