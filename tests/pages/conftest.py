"""Each test of a page has results and data of its own."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the results that the pages keep."""
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FER_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"
