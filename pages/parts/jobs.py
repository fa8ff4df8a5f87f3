"""What the pages show of whatever runs in the background."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from fer.jobs import job
from fer.jobs.job import JobView, Kind
from fer.jobs.status import DAMAGED, FAILED, FINISHED, INTERRUPTED, RUNNING, STARTING, STOPPED, Status
from pages.parts.widgets import duration

ICONS = {
    STARTING: ":material/hourglass_empty:",
    RUNNING: ":material/directions_run:",
    STOPPED: ":material/pause_circle:",
    INTERRUPTED: ":material/power_off:",
    FAILED: ":material/error:",
    DAMAGED: ":material/broken_image:",
    FINISHED: ":material/check_circle:",
}
"""One for each state."""


def watch(seen: JobView[Any], kind: Kind[Any], on_end: Callable[[JobView[Any]], None] = lambda seen: None) -> None:
    """Show, every second, how far a job is; when it has begun or ended, show the page anew.

    Args:
        seen: the job as the page shows it.
        kind: of the job.
        on_end: is told before the page is shown anew.
    """
    st.fragment(_show_progress, run_every=1.0)(seen.folder, seen.state, kind, on_end)


def _show_progress(folder: Path, state: str, kind: Kind[Any], on_end: Callable[[JobView[Any]], None]) -> None:
    seen = job.view(folder, kind)
    if seen.state != state:
        if not seen.active:
            on_end(seen)
        st.rerun()
    st.progress(seen.status.share, progress_text(seen.status))


def progress_text(status: Status) -> str:
    """Say what a job does and how long it will take."""
    if not status.what:
        return "Loading the model and the pictures …"
    left = "" if status.seconds_left is None else f" · about {duration(status.seconds_left)} left"
    return f"{status.what[:1].upper()}{status.what[1:]}{left}"
