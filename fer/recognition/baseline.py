"""A person's own neutral: faces differ at rest, and some look sad or angry when they are not.

What a model says of somebody's neutral face, less what it says of neutral faces on average, is that person's shift of
the logarithms of the probabilities. Most of it is taken off whatever is said of the person afterwards. Commercial tools
call it participant calibration.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

STRENGTH = 0.75
"""So much of the shift is taken off: most of it, as what was seen of a neutral face is never quite neutral."""
LEAST_PROBABILITY = 1e-12
"""What a label of no probability is taken to have, so that its logarithm is finite."""

Probabilities = Sequence[float] | np.ndarray
"""K numbers, 0..1, as of `Face.probabilities`."""


def mean_logarithm(rows: Sequence[Probabilities] | np.ndarray) -> tuple[float, ...]:
    """Return the mean natural logarithm of each label's probability over n readings, K numbers."""
    return tuple(_logarithms(rows).mean(axis=0).tolist())


def shift_of(rows: Sequence[Probabilities], usual: Sequence[float]) -> tuple[float, ...]:
    """Return how a person's neutral shifts the logarithms, K numbers.

    Args:
        rows: n ≥ 1 readings of the person's neutral face, by a model that is not multilabel.
        usual: the average neutral of the same model, read in the same way: `ModelInfo.neutral`. Where that is empty,
            the model does not know it, and a baseline cannot be had.
    """
    return tuple((np.array(mean_logarithm(rows)) - usual).tolist())


def median_shift_of(rows: Sequence[Probabilities], usual: Sequence[float]) -> tuple[float, ...]:
    """Return the shift where nobody said which faces are neutral: as if a person's median face were.

    That holds for people who mostly show nothing, as in an interview; whoever smiles all the time is called neutral.
    """
    return tuple((np.median(_logarithms(rows), axis=0) - usual).tolist())


def without_shift(
    probabilities: Probabilities, shift: Sequence[float], strength: float = STRENGTH
) -> npt.NDArray[np.float64]:
    """Return a person's probabilities, of one face or many, float (…, K), with the own neutral taken off."""
    shifted = np.exp(_logarithms(probabilities) - strength * np.array(shift))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def _logarithms(probabilities: Sequence[Probabilities] | Probabilities) -> np.ndarray:
    return np.log(np.maximum(np.array(probabilities, float), LEAST_PROBABILITY))
