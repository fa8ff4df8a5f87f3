"""Choose how a model with two heads is read for each kind of faces: a table of settings, and the choice.

A setting is (τ, β), see `Reading`. Whatever helps on other people's photos costs accuracy on the raters' votes, since
most faces there are neutral or happy. So each kind has a limit for that cost, and takes the best setting on the photos:

    everyday    at most `COSTS[EVERYDAY]`
    between     at most `COSTS[BETWEEN]`
    posed       is not chosen here: its setting is the best one on faces of people who posed, a separate data set
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer.evaluation import confusions
from fer.model.checkpoint import ModelInfo
from fer.model.prior import BETWEEN, EVERYDAY, POSED, Reading

if TYPE_CHECKING:
    from fer.evaluation.calibration import Asked

COSTS = {EVERYDAY: 0.015, BETWEEN: 0.04}
"""How much validation accuracy on the raters' votes each kind may cost, 0..1."""
CORRECTIONS = (0.0, 0.1, 0.15, 0.2, 0.25, 0.5, 1.0)
ANGER = "anger"
"""The expression that people act most often, and that models miss most often there."""
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Setting:
    """A row; rates are 0..1."""

    prior_correction: float
    """τ"""
    second_share: float
    """β"""
    accuracy: float
    """On validation pictures, by the raters' votes."""
    photos_accuracy: float
    photos_balanced: float
    """Mean recall on photos of other people."""
    photos_anger: float | None
    """Recall of anger there."""


@dataclass(frozen=True)
class Settings:
    """The table."""

    validation: str
    """Data, split, rule and n, in words."""
    photos: str
    """The same for the photos."""
    kinds: dict[str, tuple[float, float]]
    """The (τ, β) chosen for each kind of faces."""
    rows: tuple[Setting, ...]

    def kind_of(self, row: Setting) -> str:
        """Return the kind of faces that a row was chosen for, or ""."""
        return next((kind for kind, pair in self.kinds.items() if pair == (row.prior_correction, row.second_share)), "")


def measure_settings(info: ModelInfo, asked: "Asked", photos: "Asked") -> tuple[Setting, ...]:
    """Measure all settings of a model with two heads, on pictures with raters' votes and on other people's photos."""
    return tuple(_measure(info, tau, beta, asked, photos) for tau in CORRECTIONS for beta in SHARES)


def choose(rows: tuple[Setting, ...]) -> dict[str, tuple[float, float]]:
    """Return the (τ, β) for each kind of faces."""
    from fer.evaluation.calibration import TWO_HEADS  # imported here: it needs scikit-learn, the model card does not

    least = rows[0].accuracy  # no correction, and the raters' head alone
    kinds = {}
    for kind, cost in COSTS.items():
        affordable = [row for row in rows if row.accuracy >= least - cost]
        best = max(affordable, key=lambda row: (row.photos_balanced, row.accuracy))
        kinds[kind] = (best.prior_correction, best.second_share)
    return kinds | {POSED: TWO_HEADS[POSED]}


def _measure(info: ModelInfo, tau: float, beta: float, asked: "Asked", photos: "Asked") -> Setting:
    from fer.model.classifier import probabilities_of

    read = replace(info, **vars(Reading(tau, beta)))
    matrices = np.stack(
        [
            confusions.count(truth, probabilities_of(read, logits).argmax(axis=1), len(info.labels))
            for logits, truth in (asked, photos)
        ]
    )
    angry = matrices[1][info.labels.index(ANGER)] if ANGER in info.labels else np.zeros(1)
    return Setting(
        tau,
        beta,
        accuracy=float(confusions.accuracy(matrices[:1])[0]),
        photos_accuracy=float(confusions.accuracy(matrices[1:])[0]),
        photos_balanced=float(confusions.balanced_accuracy(matrices[1:])[0]),
        photos_anger=float(angry[info.labels.index(ANGER)] / angry.sum()) if angry.sum() else None,
    )
