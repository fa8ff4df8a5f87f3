"""Settings that suit a data set, for people who have not trained a model before."""

import math

from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import read_info
from fer.training.config import TrainingConfig

ENOUGH_TO_BEGIN_ANEW = 20_000
"""With fewer training pictures, what the shipped model has learned from 28,385 is worth more than a fresh start."""
_PICTURES_SEEN = 8_000
_EPOCHS = (8, 30)


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
