"""Skips tests that need Ray if it is not installed."""

import pytest


@pytest.fixture(scope="session")
def ray_is_installed() -> None:
    """Skip tests without Ray."""
    pytest.importorskip("ray.data", reason='no Ray: pip install "ray[data]"', exc_type=ImportError)
