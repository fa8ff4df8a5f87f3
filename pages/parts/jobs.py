"""Progress of background jobs, as the pages show it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from fer import home
from fer.jobs import job
from fer.jobs.job import JobView, Kind
from fer.jobs.status import DAMAGED, FAILED, FINISHED, INTERRUPTED, RUNNING, STARTING, STOPPED, Status
from fer.names import literal
from pages.parts.widgets import duration, fragment

ICONS = {
    STARTING: ":material/hourglass_empty:",
    RUNNING: ":material/directions_run:",
    STOPPED: ":material/pause_circle:",
    INTERRUPTED: ":material/power_off:",
    FAILED: ":material/error:",
    DAMAGED: ":material/broken_image:",
    FINISHED: ":material/check_circle:",
}
"""The icon of each state."""


def progress_text(status: Status) -> str:
    """Return what a job is doing and how long it will take."""
    if not status.what:
        return "Loading …"
    left = "" if status.seconds_left is None else f" · about {duration(status.seconds_left)} left"
    return f"{literal(status.what[:1].upper() + status.what[1:])}{left}"


def watch(
    seen: JobView[Any],
    kind: Kind[Any],
    on_end: Callable[[JobView[Any]], None] = lambda seen: None,
    text: Callable[[Status], str] = progress_text,
) -> None:
    """Show a job's progress every second; when its state changes, call `on_end` if it ended, and rerun the page."""
    fragment(_show_progress, run_every=1.0)(seen.folder, seen.state, kind, on_end, text)


def _show_progress(
    folder: Path,
    state: str,
    kind: Kind[Any],
    on_end: Callable[[JobView[Any]], None],
    text: Callable[[Status], str],
) -> None:
    seen = job.view(folder, kind)
    if seen.state != state:
        if not seen.active:
            on_end(seen)
        st.rerun()
    st.progress(seen.status.share, text(seen.status))


def jobs_folder(kind: Kind[Any]) -> Path:
    """Return the absolute path of the folder for jobs of a kind, "collections" or "videos"."""
    return home.data_folder().absolute() / f"{kind.name}s"


def remove(folder: Path, kind: Kind[Any]) -> None:
    """Stop a job and delete it with its uploads; files elsewhere on this machine stay."""
    job.stop(folder, kind)
    job.delete(folder, kind)
