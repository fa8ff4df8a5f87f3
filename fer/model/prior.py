"""Whose faces a model looks at, in plain words, and how its outputs are read for them.

In everyday pictures, such as those that the shipped model was trained on, most faces are neutral or happy, and a model
that knows it errs less. Where people act, the same knowledge makes it call faces neutral that are not. A model with two
heads has a second opinion, too: ten raters call a weak expression neutral, while the one label of the same picture, the
word that it was searched with, names it. Two numbers say how both are weighed:

    τ, prior_correction    how much of what was learned of how frequent expressions are is taken off (Menon et al. 2021,
                           arXiv:2007.07314); all of it is harmful, anger becomes disgust
    β, second_share        how much the second opinion counts
"""

import math
from dataclasses import dataclass

from fer.faces import UNSURE_BELOW

EVERYDAY, BETWEEN, POSED = "everyday", "between", "posed"
KINDS_OF_FACES = (EVERYDAY, BETWEEN, POSED)
RATERS, LABEL = "raters", "label"
"""Each of the two opinions alone, with nothing taken off."""
READINGS = (*KINDS_OF_FACES, RATERS, LABEL)

MOST_TAKEN_OFF = 0.5
"""Of a model with one head, for posed faces, and for those between if `BETWEEN_MORE` would be more."""
BETWEEN_MORE = 0.25


@dataclass(frozen=True)
class Reading:
    """How a network's outputs become probabilities."""

    prior_correction: float = 0.0
    """τ: so many times the logarithm of its prior is taken off the logits of each head, 0..1."""
    second_share: float = 0.0
    """β: share of the second opinion in the probabilities, 0..1."""
    temperature: float = 1.0
    """The probabilities are raised to 1 / temperature, and made to sum to 1 again; with one head that is the same as
    dividing the logits by it (Guo et al. 2017, arXiv:1706.04599)."""
    unsure_below: float = UNSURE_BELOW
    """An answer with less confidence is called unsure, 0..1."""
    neutral: tuple[float, ...] = ()
    """Mean natural logarithm of each label's probability on neutral validation pictures: see
    `fer.recognition.baseline`. Empty where that was not measured."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature must be positive, got {self.temperature}")
        shares = (self.prior_correction, self.second_share, self.unsure_below)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(f"prior_correction, second_share and unsure_below must be from 0 to 1, got {shares}")
        if not all(map(math.isfinite, self.neutral)):
            raise ValueError(f"neutral must be numbers, got {self.neutral}")


@dataclass(frozen=True)
class SecondHead:
    """A second opinion of the same network, whose outputs come after those of the first head."""

    labels: tuple[str, ...]
    """All of them are labels of the model, which may have more."""
    prior: tuple[float, ...]
    """As `ModelInfo.prior`."""
    source: str
    """Whose opinion it learned: the name of a data set."""
