"""Numbers that a model gets from validation pictures when its network is done, for each kind of faces; see `Reading`.

prior correction     takes off the logits what the network learned of how frequent each expression is
temperature          makes a confidence of 80 % right in 80 % of cases (Guo et al. 2017, arXiv:1706.04599)
unsure threshold     under which confidence an answer is called unsure
neutral              what the model says of neutral faces on average, which a person's own are compared with
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax
from sklearn.metrics import f1_score

from fer.model.checkpoint import ModelInfo
from fer.model.classifier import probabilities_of
from fer.model.prior import BETWEEN, EVERYDAY, LABEL, POSED, RATERS, Reading
from fer.recognition.baseline import mean_logarithm

BOUNDS = (0.05, 20.0)
PRIOR_SD = 0.5
"""Standard deviation of the natural logarithm of temperatures, as far as is known without a look at any picture. A few
pictures that all are right would else make the model sure of everything; hundreds outweigh it."""

CORRECTIONS = np.linspace(0, 1, 21)
ACCURACY_TO_GIVE = 0.002
"""How much validation accuracy a correction may cost, for the sake of rare expressions and of other people's faces."""
CORRECTED_FROM = 500
"""With fewer validation pictures than this nothing is corrected: single pictures of rare expressions would decide."""
UNSURE_SHARE = 0.1
"""This share of the validation pictures, those with the least confidence, is called unsure."""
SURE_FROM = 0.5
"""An answer with this confidence is never called unsure: it is right more often than not."""
NEUTRAL = "neutral"

TWO_HEADS: Mapping[str, tuple[float, float]] = {EVERYDAY: (0.15, 0.2), BETWEEN: (0.2, 0.4), POSED: (0.25, 1.0)}
"""(τ, β) of each kind of faces, where no photos of other people are at hand to choose them by; *posed* always. They
suit the shipped model, see `fer.evaluation.settings`."""

Asked = tuple[np.ndarray, np.ndarray]
"""Validation pictures: logits, float (n, outputs), and the truth, int (n,), indices of the model's labels."""


def calibrate(
    info: ModelInfo,
    asked: Asked,
    labelled: Asked | None = None,
    settings: Mapping[str, tuple[float, float]] = TWO_HEADS,
) -> ModelInfo:
    """Fit all readings of a model, which is not multilabel, and return it, read for everyday faces.

    The truth of the pictures asked about is what the first head learned, that of `labelled` what the second one did;
    *posed* and the label alone are fitted to these. Settings are (τ, β) of each kind of faces, for a model with two
    heads.
    """
    if info.second:
        wanted = {**settings, RATERS: (0.0, 0.0), LABEL: (0.0, 1.0)}
    else:
        bare = replace(info, prior_correction=fit_prior_correction(*asked, info.prior), kinds={})
        wanted = {kind: (bare.reading(kind).prior_correction, 0.0) for kind in (EVERYDAY, BETWEEN, POSED, RATERS)}
    kinds = {
        kind: _fitted(info, Reading(*setting), *(labelled if labelled and kind in (POSED, LABEL) else asked))
        for kind, setting in wanted.items()
    }
    return replace(info, kinds=kinds).read_for(EVERYDAY)


def _fitted(info: ModelInfo, reading: Reading, logits: np.ndarray, truth: np.ndarray) -> Reading:
    """Return a reading with its temperature, its unsure threshold and what it says of neutral faces."""
    uncalibrated = probabilities_of(replace(info, **vars(reading)), logits)
    reading = replace(reading, temperature=fit_temperature(np.log(np.maximum(uncalibrated, 1e-300)), truth))
    found = probabilities_of(replace(info, **vars(reading)), logits)
    neutral = found[truth == info.labels.index(NEUTRAL)] if NEUTRAL in info.labels else found[:0]
    return replace(
        reading,
        unsure_below=fit_unsure_threshold(found.max(axis=1)),
        neutral=mean_logarithm(neutral) if len(neutral) else (),
    )


def fit_prior_correction(logits: np.ndarray, truth: np.ndarray, prior: Sequence[float]) -> float:
    """Return how much of the prior, K shares over 0, to take off, 0..1: see `ModelInfo.prior_correction`.

    The one with the best macro F1 among those that cost at most `ACCURACY_TO_GIVE`; of equals the smallest. Logits,
    float (n, K), neither corrected nor divided, and truth, int (n,), are of pictures the network was not trained on.
    """
    if len(truth) < CORRECTED_FROM:
        return 0.0
    answers = [(logits - correction * np.log(prior)).argmax(axis=1) for correction in CORRECTIONS]
    accuracies = np.array([(answer == truth).mean() for answer in answers])
    scores = [f1_score(truth, answer, average="macro", labels=np.unique(truth), zero_division=0) for answer in answers]
    affordable = accuracies >= accuracies.max() - ACCURACY_TO_GIVE
    return float(CORRECTIONS[np.where(affordable, scores, -1.0).argmax()])


def fit_unsure_threshold(confidences: np.ndarray) -> float:
    """Return the confidence, at most `SURE_FROM`, that `UNSURE_SHARE` of the confidences, float (n,), lie under."""
    return min(float(np.quantile(confidences, UNSURE_SHARE)), SURE_FROM)


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the number to divide logits by, the one that makes the truth, int (n,), most likely.

    The logits, float (n, K), are not divided yet, and of pictures the network was not trained on.
    """
    rows = np.arange(len(truth))
    return _best(lambda temperature: float(-log_softmax(logits / temperature, axis=1)[rows, truth].sum()))


def fit_multilabel_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the number to divide logits by before a sigmoid, the one with the least binary cross entropy.

    The logits, float (n, K), are as in `fit_temperature`; the targets, float (n, K), are 0..1.
    """

    def cross_entropy(temperature: float) -> float:
        scaled = logits / temperature
        return float(-(targets * log_expit(scaled) + (1 - targets) * log_expit(-scaled)).sum())

    return _best(cross_entropy)


def _best(loss: Callable[[float], float]) -> float:
    """Return the most probable temperature, given the loss of all pictures together in nats."""

    def improbability(log: float) -> float:
        return loss(float(np.exp(log))) + (log / PRIOR_SD) ** 2 / 2

    found = minimize_scalar(improbability, bounds=tuple(np.log(BOUNDS)), method="bounded")
    return float(np.exp(found.x))
