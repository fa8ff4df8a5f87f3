"""Gives each test of a page its own results and data."""

from pathlib import Path

import pytest

from pages.parts import visitor


@pytest.fixture
def at_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the visitor be the owner of the machine, as AppTest has no address, unless nobody may be."""
    monkeypatch.setenv("FER_ALLOW_TRAINING", "1")
    monkeypatch.setattr(visitor, "may_train", lambda *signs: True)


@pytest.fixture(autouse=True)
def results(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The folder of the pages' results."""
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("FER_RESULTS", str(tmp_path / "results"))
    return tmp_path / "results"
