"""The temperature: found again where it is known, and never a loss."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.special import log_softmax, softmax

from fer.evaluation.calibration import BOUNDS, fit_multilabel_temperature, fit_temperature
from fer.evaluation.reliability import expected_calibration_error


def _loss(logits: npt.NDArray[np.float64], truth: npt.NDArray[np.int64], temperature: float) -> float:
    return float(-log_softmax(logits / temperature, axis=1)[np.arange(len(truth)), truth].mean())


def _calibrated(count: int, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Return logits (n, 5) and a truth drawn from their own softmax: nothing is to be gained by any temperature."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (count, 5))
    return logits, (logits + random.gumbel(size=logits.shape)).argmax(axis=1)


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_a_known_temperature_is_found_again(temperature: float) -> None:
    logits, truth = _calibrated(20_000)
    overconfident = logits * temperature
    found = fit_temperature(overconfident, truth)
    assert found == pytest.approx(temperature, rel=0.05)
    assert expected_calibration_error(softmax(overconfident / found, axis=1), truth) < 0.015


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_the_loss_never_grows(seed: int, scale: float) -> None:
    logits, truth = _calibrated(60, seed)
    logits = logits * scale
    found = fit_temperature(logits, truth)
    assert _loss(logits, truth, found) <= _loss(logits, truth, 1.0) + 1e-9
    for other in (0.7 * found, 1.4 * found):
        assert _loss(logits, truth, found) <= _loss(logits, truth, other) + 1e-9


def test_labels_that_have_nothing_to_do_with_the_logits_make_it_hot() -> None:
    logits, truth = _calibrated(500)
    assert fit_temperature(20 * logits, np.roll(truth, 1)) == pytest.approx(BOUNDS[1], rel=0.01)


def test_logits_that_are_always_right_stay_within_bounds() -> None:
    found = fit_temperature(np.eye(5), np.arange(5))
    assert BOUNDS[0] <= found < 1


def test_a_few_pictures_that_are_all_right_do_not_make_it_sure_of_everything() -> None:
    assert fit_temperature(2 * np.eye(8), np.arange(8)) > 0.3
    assert fit_temperature(np.tile(2 * np.eye(8), (400, 1)), np.tile(np.arange(8), 400)) < 0.2


def test_float32_logits_are_taken_as_the_network_gives_them() -> None:
    logits, truth = _calibrated(500)
    assert fit_temperature(logits.astype(np.float32), truth) == pytest.approx(fit_temperature(logits, truth), rel=1e-3)


def test_the_temperature_of_separate_labels_is_found() -> None:
    random = np.random.default_rng(0)
    honest = random.normal(0, 2, (4000, 4))
    targets = (random.random(honest.shape) < 1 / (1 + np.exp(-honest))).astype(float)
    assert fit_multilabel_temperature(3 * honest, targets) == pytest.approx(3, rel=0.05)
