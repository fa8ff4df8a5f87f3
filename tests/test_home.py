"""The folders: in a checkout, installed, and as configured."""

from pathlib import Path

import pytest

from fer import home


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (home.HOME_VARIABLE, home.RUNS_VARIABLE, home.DATA_VARIABLE, home.RESULTS_VARIABLE):
        monkeypatch.delenv(name, raising=False)


def test_a_checkout_keeps_everything_below_the_working_folder() -> None:
    assert (home.runs_folder(), home.data_folder()) == (Path("runs"), Path("data"))
    assert (home.app_folder() / "pages" / "home.py").is_file()


def test_an_installed_package_keeps_everything_in_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home, "_INSTALLED_APP", tmp_path)
    assert home.app_folder() == tmp_path
    assert home.runs_folder().is_absolute() and home.runs_folder().parts[-2:] == ("fer-studio", "runs")


def test_one_variable_moves_everything_and_others_each_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(home.HOME_VARIABLE, str(tmp_path))
    monkeypatch.setenv(home.RUNS_VARIABLE, "elsewhere")
    assert (home.runs_folder(), home.data_folder()) == (Path("elsewhere"), tmp_path / "data")
    assert home.results_folder() == tmp_path / "data" / "results"
    monkeypatch.setenv(home.RESULTS_VARIABLE, "kept")
    assert home.results_folder() == Path("kept")
