"""A person's own neutral: faces differ at rest, and some look sad or angry when they are not.

The mean log probabilities of somebody's neutral face, minus those of neutral faces in general, are that person's shift.
Most of it is subtracted from all later readings of the person. Commercial tools call this participant calibration.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

STRENGTH = 0.75
"""Share of the shift that is subtracted: most of it, since a face that seems neutral never quite is."""
LEAST_PROBABILITY = 1e-12
"""Lower limit of a probability, so that its logarithm is finite."""

Probabilities = Sequence[float] | np.ndarray
"""K numbers, 0..1, like `Face.probabilities`."""


def mean_logarithm(rows: Sequence[Probabilities] | np.ndarray) -> tuple[float, ...]:
    """Return the mean natural logarithm of each label's probability over n readings, K numbers."""
    return tuple(_logarithms(rows).mean(axis=0).tolist())


def shift_of(rows: Sequence[Probabilities], usual: Sequence[float]) -> tuple[float, ...]:
    """Return the shift of the log probabilities by a person's neutral face, K numbers.

    Args:
        rows: n ≥ 1 readings of the person's neutral face, by a model that is not multilabel.
        usual: the model's mean for neutral faces, read the same way: `ModelInfo.neutral`. If that is empty, the model
            does not support an own neutral.
    """
    return tuple((np.array(mean_logarithm(rows)) - usual).tolist())


def median_shift_of(rows: Sequence[Probabilities], usual: Sequence[float]) -> tuple[float, ...]:
    """Return the shift without knowing which readings are neutral, as if a person's median face were.

    This holds for people who mostly show nothing, as in an interview; somebody who smiles all the time becomes neutral.
    """
    return tuple((np.median(_logarithms(rows), axis=0) - usual).tolist())


def without_shift(
    probabilities: Probabilities, shift: Sequence[float], strength: float = STRENGTH
) -> npt.NDArray[np.float64]:
    """Subtract the own neutral from a person's probabilities, of one face or many, float (…, K)."""
    shifted = np.exp(_logarithms(probabilities) - strength * np.array(shift))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def _logarithms(probabilities: Sequence[Probabilities] | Probabilities) -> np.ndarray:
    return np.log(np.maximum(np.array(probabilities, float), LEAST_PROBABILITY))
