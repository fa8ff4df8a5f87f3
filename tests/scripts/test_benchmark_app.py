"""What the benchmarks of the running app count; whether it is fast is for people to judge."""

import pytest

from scripts.benchmarks import size, viewers

pytestmark = pytest.mark.slow


def test_a_viewer_without_a_browser_gets_the_video_back_and_updates() -> None:
    figures = viewers.measure(viewers=1, seconds=4)
    assert figures["new pictures, the slowest viewer (1/s)"] > 0
    assert figures["updates, the slowest viewer (1/s)"] > 0
    assert figures["server (% of its core)"] > 0


def test_the_wheel_is_weighed() -> None:
    figures = size.measure(extras="")
    assert 1 < figures["wheel (MB)"] < 100
