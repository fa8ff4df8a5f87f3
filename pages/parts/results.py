"""What all pages use of the results: the store, their jobs, their addresses, times and sizes."""

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from fer import home
from fer.collection import job as collections
from fer.jobs import job
from fer.jobs.job import JobView, Kind
from fer.jobs.status import DAMAGED, FINISHED
from fer.results.result import (
    COMPLETE,
    FAILED,
    FOLDER,
    INTERRUPTED,
    NOTHING,
    PHOTO,
    PICTURES,
    RESULTS,
    RUNNING,
    VIDEO,
    Result,
)
from fer.results.store import ResultStore
from fer.results.timeline import read_timeline
from fer.video import job as videos
from fer.video.job import TIMELINE_NAME, VideoRequest
from pages.parts.jobs import remove

ADDRESS = "result"
"""Parameter of a page's address with the IDs of the results shown, or the token of a shared one."""
KEPT_NOTES = {
    PICTURES: "Pictures, annotated copies and everything found in them are kept under Results.",
    RESULTS: "Pictures are not kept. Everything found is kept under Results, with small thumbnails of the faces.",
    NOTHING: "Pictures are only held in memory while the page is open, and no new results are kept.",
}
"""Setting → what is kept."""
JOBS: dict[str, Kind[Any]] = {FOLDER: collections.KIND, VIDEO: videos.KIND}


def result_store() -> ResultStore:
    """Return the store of this machine.

    Raises:
        ResultsError: it cannot be opened.
    """
    return _opened(home.results_folder().absolute())


@lru_cache(maxsize=4)
def _opened(folder: Path) -> ResultStore:
    return ResultStore(folder, _forget_job)


def _forget_job(result: Result) -> None:
    if result.job and job_folder(result).is_dir():
        remove(job_folder(result), JOBS[result.kind])


def job_of(result: Result) -> JobView[Any] | None:
    """Return the job behind a result in its current state; None if there is none."""
    if not result.job:
        return None
    place = job_folder(result)
    return job.find(place.parent, place.name, JOBS[result.kind])


def job_folder(result: Result) -> Path:
    """Return the folder of the job behind a result, which may have been deleted."""
    return home.data_folder().absolute() / result.job


def address_of(result: Result, seen: JobView[Any] | None) -> tuple[str, dict[str, str]]:
    """Return the page that shows a result, given its job, and the parameters of the address."""
    page = result.kind if result.kind == PHOTO or seen else "results"
    return f"pages/{page}.py", {ADDRESS: result.id}


def state_of(result: Result, seen: JobView[Any] | None) -> str:
    """Return the state of a result, which is that of its job if it has one."""
    if seen is None:
        return INTERRUPTED if result.job and result.state == RUNNING else result.state
    if seen.active:
        return RUNNING
    if seen.state == FINISHED or _only_drawing_ended(seen):
        return COMPLETE
    return FAILED if seen.state in (FAILED, DAMAGED) else INTERRUPTED


def _only_drawing_ended(seen: JobView[Any]) -> bool:
    """Whether a job was only drawing the annotated video again, after it had analyzed all."""
    if not (isinstance(seen.request, VideoRequest) and seen.request.draws_only):
        return False
    timeline = read_timeline(seen.folder / TIMELINE_NAME)
    return timeline is not None and timeline.complete


def show_missing() -> None:
    """Show that the result in the address does not exist or belongs to somebody else."""
    st.info("This result has been deleted, or you have no access to it.", icon=":material/delete:")


def addressed(given: Iterable[str]) -> None:
    """Put results into the page's address, so that it opens them again."""
    ids = list(given)
    if ids:
        st.query_params[ADDRESS] = ids
    else:
        st.query_params.pop(ADDRESS, None)


def when(moment: float, now: float, offset_minutes: int | None) -> str:
    """Return a readable time: "now", "2 min ago", "today 10:14", "yesterday 9:05", "Monday 17:30", "3 Nov 2025".

    Args:
        moment: the time, in seconds since 1970.
        now: the current time, in seconds since 1970.
        offset_minutes: how far UTC is ahead of the visitor's local time; None for the time zone of this machine.
    """
    zone = None if offset_minutes is None else timezone(timedelta(minutes=-offset_minutes))
    then, today = (datetime.fromtimestamp(seconds, zone) for seconds in (moment, now))
    days = (today.date() - then.date()).days
    if now - moment < 60:
        return "now"
    if now - moment < 3600:
        return f"{(now - moment) // 60:.0f} min ago"
    clock = f"{then.hour}:{then.minute:02}"
    if days < 2:
        return f"{'yesterday' if days else 'today'} {clock}"
    if days < 7:
        return f"{then:%A} {clock}"
    return f"{then.day} {then:%b}" + f" {then.year}" * (then.year != today.year)


def size(count: float) -> str:
    """Return a readable number of bytes: "12 MB", "5 GB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count / 1000:.0f} kB"
