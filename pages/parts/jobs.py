"""What the pages show of whatever runs in the background.

The pages for many photos and for videos show a visitor's jobs: the address holds the one that is looked at, so that a
closed tab can be opened again, and the session does while other pages are looked at.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from fer import home
from fer.errors import FerError
from fer.jobs import job, visitors
from fer.jobs.job import JobView, Kind
from fer.jobs.status import DAMAGED, FAILED, FINISHED, INTERRUPTED, RUNNING, STARTING, STOPPED, Status
from fer.names import literal
from pages.parts.permissions import allowed_bytes, training_allowed
from pages.parts.session import attempt, session_id
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
_ADDRESS = "job"

R = TypeVar("R")


def progress_text(status: Status) -> str:
    """Say what a job does and how long it will take."""
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
    """Show, every second, how far a job is; when it has begun or ended, tell `on_end` and show the page anew."""
    st.fragment(_show_progress, run_every=1.0)(seen.folder, seen.state, kind, on_end, text)


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
    """Return where jobs of a kind are kept, "collections" or "videos": the whole path, as other processes get it."""
    return home.data_folder().absolute() / f"{kind.name}s"


def job_looked_at(kind: Kind[R]) -> JobView[R] | None:
    """Return the job that the address or the session names; say so where it is gone."""
    name = st.query_params.get(_ADDRESS) or st.session_state.get(f"{kind.name}_job")
    seen = job.find(jobs_folder(kind), name, kind) if name else None
    if seen:
        look_at(seen.name, kind)
        if visitors.is_claimed(seen.folder):
            visitors.claim(seen.folder, session_id())
        st.query_params[_ADDRESS] = seen.name
    else:
        leave(kind)
        if name:
            st.info("What was here has been deleted.", icon=":material/delete:")
    return seen


def look_at(name: str, kind: Kind[Any]) -> None:
    """Show a job from now on."""
    st.session_state[f"{kind.name}_job"] = name


def leave(kind: Kind[Any]) -> None:
    """Go back to where a job is chosen; it stays."""
    st.session_state.pop(f"{kind.name}_job", None)
    st.query_params.pop(_ADDRESS, None)


def remove(folder: Path, kind: Kind[Any]) -> None:
    """End a job and remove all that is known of it, uploads too; what lies elsewhere on this machine stays."""
    job.stop(folder, kind)
    job.delete(folder, kind)


@contextmanager
def filling(folder: Path, kind: Kind[Any]) -> Iterator[float]:
    """Put uploads into a new job and show it from now on; what goes wrong within removes the job.

    Gives how many bytes an archive may have unpacked: a visitor from elsewhere has so much room in all.
    """
    try:
        if training_allowed():
            yield math.inf
        else:
            visitors.claim(folder, session_id())
            visitors.check_room(home.data_folder(), session_id(), allowed_bytes())
            yield allowed_bytes() / 2
            visitors.check_room(home.data_folder(), session_id(), allowed_bytes())
    except FerError:
        job.delete(folder, kind)
        raise
    st.session_state.setdefault(f"{kind.name}_jobs", []).append(folder.name)
    look_at(folder.name, kind)


def upload_note(what: str) -> None:
    """Say where uploads stay, and how long."""
    until = "you delete it, at most a week" if training_allowed() else "the work has ended and you have left"
    st.caption(
        f":material/lock: {what} on the machine that runs the app. An upload is kept until {until}, so that the work "
        "goes on when you close the page."
    )


def earlier_jobs(kind: Kind[R], line: Callable[[JobView[R]], str]) -> None:
    """List the jobs of this visitor, or all for those who sit at the machine; `line` gives each as Markdown."""
    mine, allowed = st.session_state.get(f"{kind.name}_jobs", []), training_allowed()
    earlier = [seen for seen in job.views(jobs_folder(kind), kind) if allowed or seen.name in mine]
    if earlier:
        st.subheader("Earlier ones", divider="gray")
    for seen in earlier:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(line(seen), width="stretch")
            if st.button("Open", key=f"open {seen.name}", icon=":material/visibility:"):
                look_at(seen.name, kind)
                st.rerun()
            if st.button("Delete", key=f"delete {seen.name}", icon=":material/delete:"):
                attempt(partial(remove, seen.folder, kind))
