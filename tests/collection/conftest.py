"""Whether there is a Ray to test with."""

import os

import pytest


@pytest.fixture(scope="session")
def ray_is_installed() -> None:
    """Without Ray tests are skipped; in CI they fail then."""
    try:
        import ray.data  # noqa: F401
    except ImportError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f'Ray is not installed: {error}; pip install "ray[data]"')
