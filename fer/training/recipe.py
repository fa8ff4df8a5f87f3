"""Settings that suit a data set, for people who have not trained a model before."""

import math
from collections.abc import Sequence

from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo, read_info
from fer.training.config import TrainingConfig

ENOUGH_TO_BEGIN_ANEW = 20_000
"""With fewer training pictures, what the shipped model has learned from 28,385 is worth more than a fresh start."""
_PICTURES_SEEN = 8_000
_EPOCHS = (8, 30)


def model_to_begin_with(config: TrainingConfig) -> ModelInfo | None:
    """Return what the model file that a run goes on from says of itself; None where it begins otherwise.

    Raises:
        CheckpointError: there is no such file.
    """
    other = config.init in ("none", "imagenet") or config.init.startswith("face-recognition:")
    return None if other else read_info(config.init)


def kept_labels(known: ModelInfo | None, labels: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which of the labels the last layer goes on with, as the model to begin with knows them, and the others."""
    kept = tuple(label for label in labels if known and label in known.labels)
    return kept, tuple(label for label in labels if label not in kept)


def fine_tuning(dataset: str, pictures: int) -> TrainingConfig:
    """Go on from the shipped model; the fewer pictures the training split has, the more often they are gone through."""
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
    """Begin with chance, as the shipped model did: with clean pictures, which are learned much faster at first."""
    return TrainingConfig((dataset,), augmentation="plain")
