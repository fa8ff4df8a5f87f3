"""Calibration of a trained model on validation pictures, for each kind of faces; see `Reading`.

prior correction     removes from the logits what the network learned about how frequent each expression is
temperature          makes a confidence of 80 % right in 80 % of cases (Guo et al. 2017, arXiv:1706.04599)
unsure threshold     the confidence below which a reading is unsure
neutral              the mean reading of neutral faces, with which a person's own neutral is compared
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
"""Prior standard deviation of the natural logarithm of a temperature. Without the prior, a few pictures that are all
predicted correctly would make the model certain of everything; hundreds outweigh it."""

CORRECTIONS = np.linspace(0, 1, 21)
ACCURACY_TO_GIVE = 0.002
"""How much validation accuracy a correction may cost, in favor of rare expressions and of other people's faces."""
CORRECTED_FROM = 500
"""With fewer validation pictures there is no correction: single pictures of rare expressions would decide."""
UNSURE_SHARE = 0.1
"""This share of the validation pictures, those with the least confidence, is unsure."""
SURE_FROM = 0.5
"""A reading with this confidence is never unsure: it is right more often than not."""
NEUTRAL = "neutral"

TWO_HEADS: Mapping[str, tuple[float, float]] = {EVERYDAY: (0.25, 0.2), BETWEEN: (0.25, 0.4), POSED: (0.25, 1.0)}
"""(τ, β) for each kind of faces, if there are no photos of other people to choose them by; for *posed* always. They are
those of the built-in model, see `fer.evaluation.settings`."""

Asked = tuple[np.ndarray, np.ndarray]
"""Validation pictures: logits, float (n, outputs), and the truth, int (n,), indices into the model's labels."""


def calibrate(
    info: ModelInfo,
    asked: Asked,
    labeled: Asked | None = None,
    settings: Mapping[str, tuple[float, float]] = TWO_HEADS,
) -> ModelInfo:
    """Fit all readings of a model, which is not multilabel, and return it, read for everyday faces.

    The truth of `asked` is what the first head was trained on, that of `labeled` what the second one was; *posed* and
    the label alone are fitted to the latter. Settings are (τ, β) for each kind of faces, for a model with two heads.
    """
    if info.second:
        wanted = {**settings, RATERS: (0.0, 0.0), LABEL: (0.0, 1.0)}
    else:
        bare = replace(info, prior_correction=fit_prior_correction(*asked, info.prior), kinds={})
        wanted = {kind: (bare.reading(kind).prior_correction, 0.0) for kind in (EVERYDAY, BETWEEN, POSED, RATERS)}
    kinds = {
        kind: _fitted(info, Reading(*setting), *(labeled if labeled and kind in (POSED, LABEL) else asked))
        for kind, setting in wanted.items()
    }
    return replace(info, kinds=kinds).read_for(EVERYDAY)


def _fitted(info: ModelInfo, reading: Reading, logits: np.ndarray, truth: np.ndarray) -> Reading:
    """Return a reading with its temperature, its unsure threshold and its mean over neutral faces."""
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
    """Return how much of the prior, K shares over 0, to remove, 0..1: see `ModelInfo.prior_correction`.

    Chooses the best macro F1 among the corrections that cost at most `ACCURACY_TO_GIVE`, and the smallest of equals.
    Logits, float (n, K), uncorrected and not scaled, and truth, int (n,), are of pictures held out from training.
    """
    if len(truth) < CORRECTED_FROM:
        return 0.0
    answers = [(logits - correction * np.log(prior)).argmax(axis=1) for correction in CORRECTIONS]
    accuracies = np.array([(answer == truth).mean() for answer in answers])
    scores = [f1_score(truth, answer, average="macro", labels=np.unique(truth), zero_division=0) for answer in answers]
    affordable = accuracies >= accuracies.max() - ACCURACY_TO_GIVE
    return float(CORRECTIONS[np.where(affordable, scores, -1.0).argmax()])


def fit_unsure_threshold(confidences: np.ndarray) -> float:
    """Return the `UNSURE_SHARE` quantile of the confidences, float (n,), at most `SURE_FROM`."""
    return min(float(np.quantile(confidences, UNSURE_SHARE)), SURE_FROM)


def fit_temperature(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the temperature that maximizes the likelihood of the truth, int (n,).

    The logits, float (n, K), are not scaled yet, and are of pictures held out from training.
    """
    rows = np.arange(len(truth))
    return _best(lambda temperature: float(-log_softmax(logits / temperature, axis=1)[rows, truth].sum()))


def fit_multilabel_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Return the temperature for a sigmoid that minimizes the binary cross entropy.

    The logits, float (n, K), are as in `fit_temperature`; the targets, float (n, K), are 0..1.
    """

    def cross_entropy(temperature: float) -> float:
        scaled = logits / temperature
        return float(-(targets * log_expit(scaled) + (1 - targets) * log_expit(-scaled)).sum())

    return _best(cross_entropy)


def _best(loss: Callable[[float], float]) -> float:
    """Return the most probable temperature, given the total loss of all pictures in nats."""

    def improbability(log: float) -> float:
        return loss(float(np.exp(log))) + (log / PRIOR_SD) ** 2 / 2

    found = minimize_scalar(improbability, bounds=tuple(np.log(BOUNDS)), method="bounded")
    return float(np.exp(found.x))
