"""Calibration on validation pictures: known values are recovered, and it never makes things worse."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import log_softmax, softmax

from fer.evaluation.calibration import (
    ACCURACY_TO_GIVE,
    BOUNDS,
    TWO_HEADS,
    UNSURE_SHARE,
    calibrate,
    fit_multilabel_temperature,
    fit_prior_correction,
    fit_temperature,
    fit_unsure_threshold,
)
from fer.evaluation.metrics import reliability
from fer.model.checkpoint import ModelInfo
from fer.model.classifier import probabilities_of
from fer.model.preprocessing import Preprocessing
from fer.model.prior import BETWEEN, EVERYDAY, KINDS_OF_FACES, LABEL, POSED, RATERS, READINGS, SecondHead

Array, Labels = npt.NDArray[np.float64], npt.NDArray[np.int64]


def _loss(logits: npt.NDArray[np.float64], truth: npt.NDArray[np.int64], temperature: float) -> float:
    return float(-log_softmax(logits / temperature, axis=1)[np.arange(len(truth)), truth].mean())


def _calibrated(count: int, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return logits (n, 5) and a truth drawn from their own softmax, which no temperature can improve."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (count, 5))
    return logits, (logits + random.gumbel(size=logits.shape)).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_a_known_temperature_is_recovered(temperature: float) -> None:
    logits, truth = _calibrated(20_000)
    overconfident = logits * temperature
    found = fit_temperature(overconfident, truth)
    assert found == pytest.approx(temperature, rel=0.05)
    assert reliability(softmax(overconfident / found, axis=1), truth, 1.0).expected_calibration_error < 0.015


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_the_loss_never_grows(seed: int, scale: float) -> None:
    logits, truth = _calibrated(60, seed)
    logits = logits * scale
    found = fit_temperature(logits, truth)
    assert _loss(logits, truth, found) <= _loss(logits, truth, 1.0) + 1e-9
    for other in (0.7 * found, 1.4 * found):
        assert _loss(logits, truth, found) <= _loss(logits, truth, other) + 1e-9


def test_unrelated_labels_give_a_high_temperature() -> None:
    logits, truth = _calibrated(500)
    assert fit_temperature(20 * logits, np.roll(truth, 1)) == pytest.approx(BOUNDS[1], rel=0.01)


def test_perfect_logits_stay_within_bounds() -> None:
    found = fit_temperature(np.eye(5), np.arange(5))
    assert BOUNDS[0] <= found < 1


def test_a_few_correct_pictures_do_not_make_it_overconfident() -> None:
    assert fit_temperature(2 * np.eye(8), np.arange(8)) > 0.3
    assert fit_temperature(np.tile(2 * np.eye(8), (400, 1)), np.tile(np.arange(8), 400)) < 0.2


def test_float32_logits_are_accepted() -> None:
    logits, truth = _calibrated(500)
    assert fit_temperature(logits.astype(np.float32), truth) == pytest.approx(fit_temperature(logits, truth), rel=1e-3)


def test_the_temperature_of_independent_labels_is_found() -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 2, (4000, 4))
    targets = (random.random(honest.shape) < 1 / (1 + np.exp(-honest))).astype(float)
    assert fit_multilabel_temperature(3 * honest, targets) == pytest.approx(3, rel=0.05)


# The prior correction


def _imbalanced(count: int, prior: tuple[float, float], seed: int = 0) -> tuple[Array, Labels]:
    """Return exact logits of two overlapping classes with these frequencies, and the truth."""
    random = np.random.default_rng(seed)
    truth = (random.random(count) < prior[1]).astype(int)
    seen = random.normal(2.0 * truth - 1)
    return np.stack([np.log(prior[0]) - seen, np.log(prior[1]) + seen], axis=1), truth


def test_a_correction_helps_the_rare_one_and_costs_hardly_any_accuracy() -> None:
    prior = (0.95, 0.05)
    logits, truth = _imbalanced(20_000, prior)
    correction = fit_prior_correction(logits, truth, prior)
    after = (logits - correction * np.log(prior)).argmax(axis=1)
    before = logits.argmax(axis=1)
    assert 0 < correction < 1
    assert (after == truth).mean() >= (before == truth).mean() - ACCURACY_TO_GIVE
    assert (after[truth == 1] == 1).mean() > (before[truth == 1] == 1).mean() + 0.1
    dearer = logits - (correction + 0.3) * np.log(prior)
    assert (dearer.argmax(axis=1) == truth).mean() < (before == truth).mean() - ACCURACY_TO_GIVE


def test_equal_frequencies_need_no_correction() -> None:
    logits, truth = _imbalanced(2000, (0.5, 0.5))
    assert fit_prior_correction(logits, truth, (0.5, 0.5)) == 0


def test_a_few_pictures_give_no_correction() -> None:
    logits, truth = _imbalanced(400, (0.95, 0.05))
    assert fit_prior_correction(logits, truth, (0.95, 0.05)) == 0


@pytest.mark.parametrize(("confidences", "expected"), [([0.2, 0.4, 0.6, 0.8] * 50, 0.2), ([0.9, 0.95], 0.5)])
def test_the_least_confident_tenth_is_unsure_up_to_a_limit(confidences: list[float], expected: float) -> None:
    assert fit_unsure_threshold(np.array(confidences)) == pytest.approx(expected)


def test_a_tenth_is_below_the_threshold() -> None:
    confidences = np.random.default_rng(0).uniform(0.2, 0.4, 1000)
    assert (confidences < fit_unsure_threshold(confidences)).mean() == pytest.approx(UNSURE_SHARE)


# All readings of a model

LABELS = ("neutral", "anger", "fear", "sadness", "disgust")


def test_a_model_with_one_head_gets_its_kinds_from_validation_pictures() -> None:
    prior = (0.95, 0.05)
    logits, truth = _imbalanced(5000, prior)
    info = calibrate(ModelInfo("resnet18", LABELS[:2], Preprocessing(), prior=prior), (logits, truth))
    assert set(info.kinds) == {*KINDS_OF_FACES, RATERS}
    everyday, between, posed = (info.kinds[kind] for kind in KINDS_OF_FACES)
    assert info.reading(EVERYDAY) == everyday
    assert everyday.prior_correction == fit_prior_correction(logits, truth, prior)
    assert everyday.prior_correction <= between.prior_correction <= posed.prior_correction
    corrected = logits - everyday.prior_correction * np.log(prior)
    assert everyday.temperature == pytest.approx(fit_temperature(corrected, truth), rel=1e-3)
    found = probabilities_of(info, logits)
    assert everyday.unsure_below == pytest.approx(fit_unsure_threshold(found.max(axis=1)))
    assert everyday.neutral == pytest.approx(np.log(found[truth == 0]).mean(axis=0))


def test_each_head_is_calibrated_on_its_own_labels() -> None:
    (votes, truth), (said, label_truth) = _calibrated(8000), _calibrated(8000, seed=1)
    logits = np.concatenate([0.5 * votes, 2.0 * said], axis=1)
    prior = (0.2,) * 5
    bare = ModelInfo("resnet18", LABELS, Preprocessing(), prior=prior, second=SecondHead(LABELS, prior, "labels"))
    info = calibrate(bare, (logits, truth), (logits, label_truth))
    assert set(info.kinds) == set(READINGS)
    assert {kind: (one.prior_correction, one.second_share) for kind, one in info.kinds.items()} == {
        **TWO_HEADS, RATERS: (0, 0), LABEL: (0, 1)
    }  # fmt: skip
    assert info.kinds[RATERS].temperature == pytest.approx(0.5, rel=0.05)
    assert [info.kinds[kind].temperature for kind in (LABEL, POSED)] == pytest.approx([2.0, 2.0], rel=0.05)
    chosen = calibrate(bare, (logits, truth), settings={**TWO_HEADS, BETWEEN: (0.0, 0.3)})
    assert chosen.kinds[BETWEEN].second_share == 0.3


def test_a_model_without_neutral_has_no_mean_of_it() -> None:
    logits, truth = _imbalanced(600, (0.5, 0.5))
    info = calibrate(ModelInfo("resnet18", ("fear", "anger"), Preprocessing(), prior=(0.5, 0.5)), (logits, truth))
    assert info.neutral == ()
