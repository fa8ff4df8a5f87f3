"""The folders of runs, data, results and the app.

Everything is kept below the working folder if the package is used from a checkout, below the user's data folder if it
is installed, or in the folder of `fer-studio --home DIR`, which child processes get through the environment.
"""

import os
from pathlib import Path

HOME_VARIABLE, RUNS_VARIABLE, DATA_VARIABLE = "FER_HOME", "FER_RUNS", "FER_DATA"
RESULTS_VARIABLE = "FER_RESULTS"
"""Environment variables with other folders: for everything, for runs, for data, for results."""
APP_FILE = "streamlit_app.py"
_INSTALLED_APP = Path(__file__).parent / "app"


def app_folder() -> Path:
    """Return the folder with the app's entry script and pages: in the installed package, or the checkout itself."""
    return _INSTALLED_APP if _INSTALLED_APP.is_dir() else _INSTALLED_APP.parents[1]


def home() -> Path:
    """Return the folder for everything that is kept; in a checkout the working folder, as a relative path."""
    if chosen := os.environ.get(HOME_VARIABLE):
        return Path(chosen)
    if not _INSTALLED_APP.is_dir():
        return Path()
    from platformdirs import user_data_path

    return user_data_path("fer-studio", appauthor=False)


def runs_folder() -> Path:
    """Return the folder of training runs."""
    return Path(os.environ.get(RUNS_VARIABLE) or home() / "runs")


def data_folder() -> Path:
    """Return the folder of data sets and of the pages' jobs."""
    return Path(os.environ.get(DATA_VARIABLE) or home() / "data")


def results_folder() -> Path:
    """Return the folder of the results of photos, videos and recordings."""
    return Path(os.environ.get(RESULTS_VARIABLE) or data_folder() / "results")
