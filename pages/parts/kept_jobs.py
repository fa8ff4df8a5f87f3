"""Jobs as results: a video or many photos become a result when their job starts, and have an address.

The page's address names the result. Before the job starts, and if the settings keep nothing, it names the job. The
session also remembers the job while other pages are open.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from fer import home
from fer.collection import job as collections
from fer.collection.job import RESULTS_NAME
from fer.errors import CheckpointError, FerError
from fer.faces import UNSURE_BELOW
from fer.jobs import job
from fer.jobs.job import JobView, Kind
from fer.jobs.visitors import Claim, check_room, claim, claim_of, size_bytes
from fer.names import literal
from fer.results.content import Content
from fer.results.journal import read_finished
from fer.results.result import FOLDER, NOTHING, PICTURES, RUNNING, VIDEO, Figures, Result
from fer.results.store import ResultStore
from fer.results.summary import summary_of_photos, summary_of_timeline
from fer.results.timeline import read_timeline
from fer.video import job as videos
from fer.video.job import TIMELINE_NAME
from fer.video.notes import read_notes
from pages.parts.jobs import jobs_folder, remove
from pages.parts.models import checkpoint_path, model_name, reading_of
from pages.parts.permissions import allowed_bytes
from pages.parts.result_actions import delete
from pages.parts.results import ADDRESS, JOBS, KEPT_NOTES, address_of, job_of, result_store, show_missing, state_of
from pages.parts.session import session_id
from pages.parts.visitor import owner
from pages.parts.widgets import delete_button

_JOB = "job"
"""Parameter of a page's address with the ID of a job that has no result."""
_EARLIER = 5
_STARTS: dict[str, Callable[[Path, Any], object]] = {
    FOLDER: lambda folder, request: collections.start(folder),
    VIDEO: videos.begin,
}
"""Kind of a result → starts or resumes its job."""

R = TypeVar("R")


def job_looked_at(kind: Kind[R]) -> tuple[JobView[R] | None, Result | None]:
    """Return the job in the address or the session, and its result; show it if the job does not exist any more.

    Raises:
        ResultsError: the results cannot be read.
    """
    store, asked = result_store(), st.query_params.get(ADDRESS)
    name: str | None
    if asked:
        mine = store.get(asked, owner())
        if mine is None or job_of(mine) is None or JOBS[mine.kind] is not kind:
            st.switch_page("pages/results.py", query_params={ADDRESS: asked})
        name = mine.job.rpartition("/")[2]
    else:
        name = st.query_params.get(_JOB) or st.session_state.get(f"{kind.name}_job")
    seen = job.find(jobs_folder(kind), name, kind) if name else None
    result = seen and _result_of(store, seen)
    if seen is None or (result and (result.owner != owner() or result.deleted_at is not None)):
        gone = _JOB in st.query_params
        leave(kind)
        if gone:
            show_missing()
        return None, None
    look_at(seen.name, kind)
    claimed = claim_of(seen.folder)
    if claimed and (now := claimed.seen_by(session_id(), not seen.active)) != claimed:
        claim(seen.folder, now)
    st.query_params.from_dict({ADDRESS: result.id} if result else {_JOB: seen.name})
    return seen, as_it_stands(store, result, seen) if result else None


def _result_of(store: ResultStore, seen: JobView[Any]) -> Result | None:
    """Return the result of a job; a job that the owner started with an earlier version gets one."""
    return store.of_job(_key(seen.folder)) or _adopt(store, seen)


def look_at(name: str, kind: Kind[Any]) -> None:
    """Show a job from now on."""
    st.session_state[f"{kind.name}_job"] = name


def leave(kind: Kind[Any]) -> None:
    """Return to the page's start without deleting the job."""
    st.session_state.pop(f"{kind.name}_job", None)
    for name in (_JOB, ADDRESS):
        st.query_params.pop(name, None)


def delete_job(seen: JobView[Any], kind: Kind[Any], result: Result | None, what: str) -> None:
    """Offer to delete a job: with undo if it has a result, else after confirming `what`: "The results are"."""
    if result is None:
        delete_button(what, lambda: remove(seen.folder, kind))
    elif st.button("Delete", icon=":material/delete:"):
        leave(kind)
        delete(result_store(), [result])


@contextmanager
def filling(folder: Path, kind: Kind[Any]) -> Iterator[float]:
    """Store uploads in a new job and show it from then on; an error in the block removes the job.

    Yields how many bytes an unpacked archive may have, which is limited for remote visitors.
    """
    claimed = _claim()

    def check() -> None:
        if claimed.is_elsewhere:
            check_room(home.data_folder(), claimed.owner, allowed_bytes())

    try:
        claim(folder, claimed)
        check()
        yield allowed_bytes() / 2 if claimed.is_elsewhere else math.inf
        check()
    except FerError:
        job.delete(folder, kind)
        raise
    look_at(folder.name, kind)


def begin_kept(folder: Path, sort: str, name: str, start: Callable[[], object]) -> None:
    """Add a result of some kind for a job, unless the settings keep nothing, and start the job.

    Raises:
        FerError: the result cannot be kept, or the job cannot be started; then the result counts as interrupted.
    """
    store = result_store()
    keep = store.settings.keep
    model = model_name(checkpoint_path())
    _add(store, owner(), folder, sort, name, model)
    claim(folder, _claim(keeps_pictures=keep == PICTURES, keeps_found=keep != NOTHING, asked=True, waits=True))
    start()


def _claim(**keeps: bool) -> Claim:
    """Return this visitor's claim; who may train from another machine is a remote visitor, too."""
    return Claim((session_id(),), owner() != "", owner=owner(), **keeps)


def resume(seen: JobView[Any], result: Result | None) -> None:
    """Resume a job, which may have a result.

    Raises:
        FerError: it cannot be started.
    """
    if result:
        result_store().update(result.id, result.owner, state=RUNNING)
    if claimed := claim_of(seen.folder):
        claim(seen.folder, replace(claimed, waits=True))
    _STARTS[_sort_of(seen.request)](seen.folder, seen.request)


def as_it_stands(store: ResultStore, result: Result, seen: JobView[Any] | None) -> Result:
    """Return a result, updated to the state of its job, if any; the first look after the job's end keeps its findings.

    Raises:
        ResultsError: the result has been deleted, or cannot be kept.
    """
    state = state_of(result, seen)
    if state == result.state:
        return result
    if seen is None or state == RUNNING:
        return store.update(result.id, result.owner, state=state)
    return keep_found(store, result, seen)


def keep_found(store: ResultStore, result: Result, seen: JobView[Any]) -> Result:
    """Keep what a job has found so far.

    Raises:
        ResultsError: the result has been deleted, or cannot be kept.
    """
    figures, content = _summary(result.kind, seen)
    return store.update(
        result.id,
        result.owner,
        content=content,
        state=state_of(result, seen),
        figures=figures,
        people=list(read_notes(seen.folder).names.values()),
        job_bytes=size_bytes(seen.folder),
    )


def _summary(kind: str, seen: JobView[Any]) -> tuple[Figures | None, Content | None]:
    """Return what a job has found; (None, None) if that cannot be read."""
    unsure_below = reading_of(seen.request, ())[1] if seen.request else UNSURE_BELOW
    if kind == VIDEO:
        timeline = read_timeline(seen.folder / TIMELINE_NAME)
        told = timeline and read_notes(seen.folder).applied(timeline)
        return summary_of_timeline(told, unsure_below) if told else (None, None)
    with suppress(FerError):  # the page shows what is wrong with the file
        return summary_of_photos(read_finished(seen.folder / RESULTS_NAME), unsure_below)
    return None, None


def look_after(store: ResultStore) -> None:
    """Keep what jobs have found that ended while nobody was watching."""
    for result in store.going():
        with suppress(FerError):  # it has been deleted, or the next call tries again
            as_it_stands(store, result, job_of(result))


def adopt_jobs(store: ResultStore) -> None:
    """Add results for the jobs that the owner started with an earlier version."""
    known = {key.rpartition("/")[2] for key in store.jobs()}
    for kind in JOBS.values():
        for seen in sorted(job.views(jobs_folder(kind), kind, known), key=lambda seen: seen.created):
            _adopt(store, seen)


def _adopt(store: ResultStore, seen: JobView[Any]) -> Result | None:
    if seen.request is None or claim_of(seen.folder) or not job.is_begun(seen.folder):
        return None
    sort = _sort_of(seen.request)
    name = seen.request.path.name if sort == VIDEO else seen.request.title
    try:
        model = model_name(seen.request.checkpoint)
    except CheckpointError:
        model = seen.request.checkpoint.parent.name
    return _add(store, "", seen.folder, sort, name, model)


def _sort_of(request: Any) -> str:
    """Return the kind of a request's result."""
    return next(sort for sort, kind in JOBS.items() if isinstance(request, kind.request))


def _add(store: ResultStore, whose: str, folder: Path, sort: str, name: str, model: str) -> Result | None:
    key = _key(folder)
    return store.add(whose, sort, name or sort, state=RUNNING, model=model, source=key, job=key)


def _key(folder: Path) -> str:
    """Return the key of a job in its result: "videos/ID"."""
    return f"{folder.parent.name}/{folder.name}"


def measure(folder: Path) -> None:
    """Update the size of a job in its result, after files of it were removed."""
    with suppress(FerError):  # it has been deleted; if the results cannot be read, their page shows why
        store = result_store()
        if result := store.of_job(_key(folder)):
            store.update(result.id, result.owner, job_bytes=size_bytes(folder))


def earlier_jobs(sort: str) -> None:
    """List the latest results of a kind, each with a button to open it."""
    store = result_store()
    found = store.list(owner(), kinds=[sort], limit=_EARLIER)
    if not found.results:
        return
    st.subheader("Latest results", divider="gray")
    for result in found.results:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(literal(result.name), width="stretch")
            if st.button("Open", key=f"open {result.id}", icon=":material/visibility:"):
                page, said = address_of(result, job_of(result))
                st.switch_page(page, query_params=said)
    if found.total > _EARLIER:
        st.page_link("pages/results.py", label="All results", icon=":material/history:")


def upload_note(what: str) -> None:
    """Show where uploads stay, and for how long."""
    keep = result_store().settings.keep
    until = "you delete it" if keep == PICTURES and owner() == "" else "you have seen the finished work and left"
    st.caption(
        f":material/lock: {what} on the machine that runs the app. An upload is kept until {until}, so work continues "
        f"even if you close the page. {KEPT_NOTES[keep]}"
    )


def closing_note(folder: Path, pictures: str) -> None:
    """Show what becomes of a running job if its page is closed; `pictures` names what it draws: "annotated copies"."""
    claimed = claim_of(folder)
    if claimed and not claimed.keeps_found:
        st.caption("Keep this page open: nothing is kept after you leave.")
        return
    within = "" if claimed is None or claimed.keeps_pictures else f", within a day if you want the {pictures}"
    st.caption(f"You can close this page: the job keeps running. Open this address again to see it{within}.")
