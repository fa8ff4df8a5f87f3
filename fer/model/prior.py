"""Kinds of faces, and how a network's outputs are read for each of them.

In everyday pictures, such as those that the built-in model was trained on, most faces are neutral or happy, and a model
that knows this makes fewer mistakes. Where people act, the same knowledge makes it read neutral too often. A model with
two heads also has a second reading: ten raters call a weak expression neutral, while the single label of the same
picture, the search word that found it, names the expression. Two numbers weigh them:

    τ, prior_correction    how much of the learned frequency of expressions is removed (Menon et al. 2021,
                           arXiv:2007.07314); removing all of it does harm, anger becomes disgust
    β, second_share        weight of the second reading
"""

import math
from dataclasses import dataclass

from fer.faces import UNSURE_BELOW

EVERYDAY, BETWEEN, POSED = "everyday", "between", "posed"
KINDS_OF_FACES = (EVERYDAY, BETWEEN, POSED)
RATERS, LABEL = "raters", "label"
"""The reading of each head alone, without correction."""
READINGS = (*KINDS_OF_FACES, RATERS, LABEL)

MOST_TAKEN_OFF = 0.5
"""Limit of the prior correction for a model with one head: for posed faces, and for between, if more would result."""
BETWEEN_MORE = 0.25


@dataclass(frozen=True)
class Reading:
    """How a network's outputs become probabilities."""

    prior_correction: float = 0.0
    """τ: the logarithm of the prior, times this, is subtracted from the logits of each head, 0..1."""
    second_share: float = 0.0
    """β: weight of the second head's probabilities, 0..1."""
    temperature: float = 1.0
    """The probabilities are raised to 1 / temperature and normalized; with one head, the same as dividing the logits by
    it (Guo et al. 2017, arXiv:1706.04599)."""
    unsure_below: float = UNSURE_BELOW
    """A reading with less confidence is unsure, 0..1."""
    neutral: tuple[float, ...] = ()
    """Mean natural logarithm of each label's probability on neutral validation pictures: see
    `fer.recognition.baseline`. Empty if it was not measured."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature must be positive, got {self.temperature}")
        shares = (self.prior_correction, self.second_share, self.unsure_below)
        if not all(0 <= share <= 1 for share in shares):
            raise ValueError(f"prior_correction, second_share and unsure_below must be from 0 to 1, got {shares}")
        if not all(map(math.isfinite, self.neutral)):
            raise ValueError(f"neutral must be finite numbers, got {self.neutral}")


@dataclass(frozen=True)
class SecondHead:
    """A second head of the same network, whose outputs follow those of the first head."""

    labels: tuple[str, ...]
    """A subset of the model's labels."""
    prior: tuple[float, ...]
    """As `ModelInfo.prior`."""
    source: str
    """The data set that it was trained on."""
