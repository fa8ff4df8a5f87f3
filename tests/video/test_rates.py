"""Events per second, over a moving window."""

import pytest

from fer.video.live import RateMeter

START = 300.0


def test_before_the_first_event_the_rate_is_zero() -> None:
    meter = RateMeter()
    assert (meter.total, meter.per_second(START)) == (0, 0.0)


@pytest.mark.parametrize("rate", [1, 5, 30, 60])
def test_a_steady_rate_is_seen(rate: int) -> None:
    meter = RateMeter()
    for step in range(10 * rate):
        meter.count(START + step / rate)
    assert meter.total == 10 * rate
    assert meter.per_second(START + 10 - 1 / rate) == pytest.approx(rate, rel=0.1)


def test_a_change_of_the_rate_is_seen_within_the_window() -> None:
    meter = RateMeter(window_seconds=2.0)
    for step in range(90):
        meter.count(START + step / 30)
    for step in range(25):
        meter.count(START + 3 + step / 10)
    assert meter.per_second(START + 5.4) == pytest.approx(10, rel=0.1)


def test_after_a_pause_the_rate_is_zero_and_the_total_stays() -> None:
    meter = RateMeter()
    for step in range(30):
        meter.count(START + step / 30)
    assert meter.per_second(START + 10) == 0.0
    assert meter.total == 30


def test_the_first_moments_are_not_exaggerated() -> None:
    meter = RateMeter()
    meter.count(START)
    assert meter.per_second(START) <= 2
    meter.count(START + 1 / 30)
    assert meter.per_second(START + 1 / 30) <= 4


def test_memory_is_bounded() -> None:
    meter = RateMeter()
    for step in range(100_000):
        meter.count(START + step / 30)
    assert meter.total == 100_000
    assert len(meter._times) <= 1000
