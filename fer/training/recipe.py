"""Suggested settings for a data set, for people who have never trained a model."""

import math
from collections.abc import Sequence
from pathlib import Path

from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo, read_info
from fer.training.config import TrainingConfig

ENOUGH_FOR_RANDOM = 20_000
"""With fewer training pictures, fine-tuning the built-in model, trained on 28,385, beats random initialization."""
_PICTURES_SEEN = 8_000
_EPOCHS = (8, 30)


def initial_model(config: TrainingConfig) -> ModelInfo | None:
    """Return the header of the model file that a run starts from; None for other initializations.

    Raises:
        CheckpointError: there is no such file.
    """
    other = config.init in ("none", "imagenet") or config.init.startswith("face-recognition:")
    return None if other else read_info(config.init)


def kept_labels(known: ModelInfo | None, labels: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the labels whose outputs the last layer keeps from the initial model, and the other labels."""
    kept = tuple(label for label in labels if known and label in known.labels)
    return kept, tuple(label for label in labels if label not in kept)


def fine_tuning(dataset: str, pictures: int, model: Path = DEFAULT_CHECKPOINT) -> TrainingConfig:
    """Return settings to fine-tune a model; fewer training pictures get more epochs.

    Raises:
        CheckpointError: the model file cannot be read.
    """
    info = read_info(model)
    few, many = _EPOCHS
    return TrainingConfig(
        (dataset,),
        epochs=min(max(math.ceil(_PICTURES_SEEN / max(pictures, 1)), few), many),
        architecture=info.architecture,
        stem=info.stem,
        size_px=info.preprocessing.size_px,
        channels=info.preprocessing.channels,
        init=str(model),
        freeze_epochs=1,
        progressive=False,
        patience=8,
    )


def random_initialization(dataset: str) -> TrainingConfig:
    """Return settings for random initialization: clean pictures, which train much faster than degraded ones."""
    return TrainingConfig((dataset,), augmentation="plain")


def face_recognition(dataset: str, file: str) -> TrainingConfig:
    """Return settings to start from dlib's weights in a file, like the teachers of the built-in model."""
    return TrainingConfig(
        (dataset,),
        epochs=40,
        architecture="face_recognition_resnet",
        size_px=112,
        init=f"face-recognition:{file}",
        optimizer="adamw",
        learning_rate=8e-4,
        batch_size=256,
        clip_norm=5.0,
        class_balance=0.25,
        dropout=0.3,
        mixup=0.0,
        progressive=False,
    )
