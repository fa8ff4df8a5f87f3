"""Where the commands and the app keep what they make, and where the app itself lies.

All is kept below the working folder if the package is used from its checkout, below the user's data folder if it is
installed, or where `fer-studio --home DIR` says. That travels to other processes in the environment.
"""

import os
from pathlib import Path

HOME_VARIABLE, RUNS_VARIABLE, DATA_VARIABLE = "FER_HOME", "FER_RUNS", "FER_DATA"
RESULTS_VARIABLE = "FER_RESULTS"
"""Environment variables: another folder for all, for the runs, for the data, for the results."""
APP_FILE = "streamlit_app.py"
_INSTALLED_APP = Path(__file__).parent / "app"


def app_folder() -> Path:
    """Return the folder with the app's entry and its pages: in the installed package, or the checkout's own."""
    return _INSTALLED_APP if _INSTALLED_APP.is_dir() else _INSTALLED_APP.parents[1]


def home() -> Path:
    """Return the folder below which all is kept; a relative path, that of the working folder, in a checkout."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen)
    if not _INSTALLED_APP.is_dir():
        return Path()
    from platformdirs import user_data_path

    return user_data_path("fer-studio", appauthor=False)


def runs_folder() -> Path:
    """Return where training runs are kept."""
    return Path(os.environ.get(RUNS_VARIABLE) or home() / "runs")


def data_folder() -> Path:
    """Return where data sets and the pages' jobs are kept."""
    return Path(os.environ.get(DATA_VARIABLE) or home() / "data")


def results_folder() -> Path:
    """Return where the results of photos, videos and recordings are kept."""
    return Path(os.environ.get(RESULTS_VARIABLE) or data_folder() / "results")
