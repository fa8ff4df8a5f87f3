"""The results that were kept, as all pages use them."""

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
from fer.jobs.status import FINISHED
from fer.results.result import (
    COMPLETE,
    FOLDER,
    INTERRUPTED,
    NOTHING,
    PHOTO,
    PICTURES,
    RESULTS,
    RUNNING,
    VIDEO,
    WEBCAM,
    Result,
)
from fer.results.store import ResultStore
from fer.video import job as videos
from pages.parts.corrections import corrections_note
from pages.parts.jobs import remove
from pages.parts.session import errors_shown

ADDRESS = "result"
"""What the address calls the results that are looked at: their IDs, or the token of one that is shared."""
NAMES = {PHOTO: "Photo", FOLDER: "Many photos", VIDEO: "Video", WEBCAM: "Recording"}
"""Of each kind, as people read them."""
KEPT_NOTES = {
    PICTURES: "Pictures, annotated ones too, and what was found in them are kept under Results.",
    RESULTS: "Pictures are not kept; what was found is kept under Results, with small faces.",
    NOTHING: "Pictures are held in memory while the page is open, then gone. Nothing new is kept under Results.",
}
"""What becomes of pictures, by what the settings say."""
JOBS: dict[str, Kind[Any]] = {FOLDER: collections.KIND, VIDEO: videos.KIND}


def result_store() -> ResultStore:
    """Return the results of this machine.

    Raises:
        ResultsError: they cannot be opened.
    """
    return _opened(home.results_folder().absolute())


@lru_cache(maxsize=4)
def _opened(folder: Path) -> ResultStore:
    return ResultStore(folder, _forget_job)


def _forget_job(result: Result) -> None:
    if result.job and job_folder(result).is_dir():
        remove(job_folder(result), JOBS[result.kind])


def job_of(result: Result) -> JobView[Any] | None:
    """Return the job that makes a result, as it stands now; None where there is none."""
    if not result.job:
        return None
    place = job_folder(result)
    return job.find(place.parent, place.name, JOBS[result.kind])


def job_folder(result: Result) -> Path:
    """Return where the job that makes a result lies, or lay."""
    return home.data_folder().absolute() / result.job


def address_of(result: Result, seen: JobView[Any] | None) -> tuple[str, dict[str, str]]:
    """Return the page that shows a result, which is named like its kind, and what its address says, given its job."""
    page = result.kind if result.kind == PHOTO or seen else "results"
    return f"pages/{page}.py", {ADDRESS: result.id}


def state_of(result: Result, seen: JobView[Any] | None) -> str:
    """Return where a result stands: as its job says, if it has one."""
    if seen is None:
        return INTERRUPTED if result.job and result.state == RUNNING else result.state
    return RUNNING if seen.active else COMPLETE if seen.state == FINISHED else INTERRUPTED


def privacy_note() -> None:
    """Say where pictures go, and what is kept."""
    with errors_shown():
        kept = KEPT_NOTES[result_store().settings.keep]
        st.caption(f":material/lock: Pictures stay on the machine that runs the app. {kept}{corrections_note()}")


def addressed(given: Iterable[str]) -> None:
    """Let the address name these results from now on, so that it opens them again."""
    ids = list(given)
    if ids:
        st.query_params[ADDRESS] = ids
    else:
        st.query_params.pop(ADDRESS, None)


def when(moment: float, now: float, offset_minutes: int | None) -> str:
    """Say a time as people do: "now", "2 min ago", "today 10:14", "yesterday 9:05", "Monday 17:30", "3 Nov 2025".

    Args:
        moment: seconds since 1970.
        now: likewise.
        offset_minutes: how far UTC is ahead of whoever reads, as browsers say it; None: the time of this machine.
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
    """Say a number of bytes as people do: "12 MB", "5 GB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count / 1000:.0f} kB"
