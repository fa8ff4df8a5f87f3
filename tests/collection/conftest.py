"""Whether there is a Ray to test with."""

import pytest


@pytest.fixture(scope="session")
def ray_is_installed() -> None:
    """Without Ray tests are skipped."""
    pytest.importorskip("ray.data", reason='no Ray: pip install "ray[data]"', exc_type=ImportError)
