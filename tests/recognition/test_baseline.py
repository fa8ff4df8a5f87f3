"""A person's own neutral is subtracted from later readings of the person."""

import math

import numpy as np
import pytest

from fer.recognition.baseline import mean_logarithm, median_shift_of, shift_of, without_shift

USUAL = (math.log(0.8), math.log(0.1), math.log(0.1))
SAD_AT_REST = (0.4, 0.1, 0.5)


def test_somebody_who_looks_sad_at_rest_is_neutral() -> None:
    shift = shift_of([SAD_AT_REST], USUAL)
    assert without_shift(SAD_AT_REST, shift, strength=1.0) == pytest.approx((0.8, 0.1, 0.1))
    found = without_shift(SAD_AT_REST, shift)
    assert sum(found) == pytest.approx(1)
    assert found[0] > 0.6 > SAD_AT_REST[0]
    odds = math.log(found[2] / found[0]) - math.log(SAD_AT_REST[2] / SAD_AT_REST[0])
    assert odds == pytest.approx(0.75 * math.log((0.1 / 0.8) / (0.5 / 0.4)))


def test_an_average_resting_face_changes_nothing() -> None:
    shift = shift_of([(0.8, 0.1, 0.1)] * 3, USUAL)
    assert shift == pytest.approx((0, 0, 0))
    assert without_shift((0.2, 0.7, 0.1), shift) == pytest.approx((0.2, 0.7, 0.1))


def test_several_readings_are_averaged_by_logarithm() -> None:
    rows = [(0.9, 0.05, 0.05), (0.1, 0.8, 0.1)]
    assert mean_logarithm(rows) == pytest.approx(np.log(rows).mean(axis=0))


def test_a_few_smiles_do_not_move_the_median_face() -> None:
    rows = [SAD_AT_REST] * 7 + [(0.01, 0.98, 0.01)] * 3
    assert median_shift_of(rows, USUAL) == pytest.approx(shift_of([SAD_AT_REST], USUAL))


def test_a_probability_of_zero_stays_finite() -> None:
    shift = shift_of([(1.0, 0.0, 0.0)], USUAL)
    assert np.isfinite(shift).all()
    assert np.isfinite(without_shift((0.0, 1.0, 0.0), shift)).all()
