"""Suggested settings for a data set, for people who have never trained a model."""

import math
from collections.abc import Sequence

from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo, read_info
from fer.training.config import TrainingConfig

ENOUGH_TO_BEGIN_ANEW = 20_000
"""With fewer training pictures, fine-tuning the built-in model, trained on 28,385, beats random initialization."""
_PICTURES_SEEN = 8_000
_EPOCHS = (8, 30)


def model_to_begin_with(config: TrainingConfig) -> ModelInfo | None:
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


def fine_tuning(dataset: str, pictures: int) -> TrainingConfig:
    """Return settings to fine-tune the built-in model; fewer training pictures get more epochs."""
    info = read_info(DEFAULT_CHECKPOINT)
    few, many = _EPOCHS
    return TrainingConfig(
        (dataset,),
        epochs=min(max(math.ceil(_PICTURES_SEEN / max(pictures, 1)), few), many),
        architecture=info.architecture,
        size_px=info.preprocessing.size_px,
        channels=info.preprocessing.channels,
        init=str(DEFAULT_CHECKPOINT),
        freeze_epochs=1,
        progressive=False,
        patience=8,
    )


def from_scratch(dataset: str) -> TrainingConfig:
    """Return settings for random initialization: clean pictures, which train much faster than degraded ones."""
    return TrainingConfig((dataset,), augmentation="plain")
