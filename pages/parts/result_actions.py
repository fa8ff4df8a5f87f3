"""Actions on results, from the list and from an open result: export, delete, undo, rename, share."""

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from fer.collection.job import RESULTS_NAME
from fer.errors import ResultsError
from fer.names import literal
from fer.results.archive import write_archive
from fer.results.journal import read_finished
from fer.results.pictures import to_csv, to_json
from fer.results.result import FOLDER, Result
from fer.results.store import UNDO_SECONDS, ResultStore
from fer.results.timeline import read_timeline, timeline_csv, timeline_json
from fer.video.job import DRAWN_NAME, TIMELINE_NAME
from fer.video.notes import is_drawn_as_noted, read_notes
from pages.parts.models import reading_of
from pages.parts.results import ADDRESS, addressed, job_folder, job_of, size
from pages.parts.session import attempt, errors_shown
from pages.parts.widgets import counted, fragment

EXPORT_BYTES = 10**9
"""The largest export, because it is held in memory during the download and as long as the page is open."""
_DELETED = "results_deleted"
"""In the session: the ID of each result that can be restored → its name and when it was deleted."""


def show_export(store: ResultStore, results: Sequence[Result], name: str, said: Mapping[str, str]) -> None:
    """Offer results as a ZIP, or show that they are too large.

    Args:
        store: the store that keeps the results.
        results: the results, in the order of the table.
        name: the name of the file.
        said: this visitor's labels by `face_key`, because the visitor is unknown where the file is made.
    """
    with errors_shown():
        made = export_of(store, results, said)
        st.download_button("Export (ZIP)", made, name, "application/zip", icon=":material/download:", on_click="ignore")


def export_of(store: ResultStore, results: Sequence[Result], said: Mapping[str, str]) -> Callable[[], bytes]:
    """Return a function that makes a ZIP of results on demand; see `show_export`.

    Its size is limited because Streamlit holds downloads in memory, even files on disk.

    Raises:
        ResultsError: the results are larger than `EXPORT_BYTES`.
    """
    found = sum(result.file_bytes + sum(file.stat().st_size for file in annotated_videos(result)) for result in results)
    if found > EXPORT_BYTES:
        raise ResultsError(
            f"expected at most {size(EXPORT_BYTES)} for an export, found {size(found)}. Select fewer results, or "
            "download a video from its own page."
        )

    def made() -> bytes:
        with tempfile.TemporaryFile() as file:
            write_archive(store, results, file, partial(_more, store, said=said), said)
            file.seek(0)
            return file.read()

    return made


def _more(store: ResultStore, result: Result, said: Mapping[str, str]) -> Iterator[tuple[str, str | Path]]:
    """Yield the tables of a recording or a job, and its annotated video if that is kept and up to date."""
    seen = job_of(result)
    folder = seen.folder if seen else store.folder(result)
    if timeline := read_timeline(folder / TIMELINE_NAME):
        timeline = read_notes(folder).applied(timeline)
        yield "expressions.csv", "".join(timeline_csv(timeline))
        yield "expressions.json", timeline_json(timeline)
    if seen and seen.request and result.kind == FOLDER:
        finished = read_finished(folder / RESULTS_NAME)
        labels, unsure_below = reading_of(seen.request, finished)
        found = [one.result for one in finished]
        yield "faces.csv", to_csv(found, labels, unsure_below, said)
        yield "faces.json", to_json(found, unsure_below, said)
    for video in annotated_videos(result):
        yield video.name, video


def annotated_videos(result: Result) -> Iterable[Path]:
    """Return the annotated video of a job if it is kept, finished and shows the current notes."""
    folder = job_folder(result)
    found = folder.glob(DRAWN_NAME) if result.job and is_drawn_as_noted(folder) else ()
    return [path for path in found if path.suffix == ".mp4"]


def delete(store: ResultStore, results: Sequence[Result]) -> None:
    """Delete results and show the list, which offers to undo it."""
    ids = [result.id for result in results]
    name = results[0].name

    def delete_them() -> None:
        store.delete(ids, results[0].owner)
        st.session_state.setdefault(_DELETED, {}).update(dict.fromkeys(ids, (name, time.time())))
        st.query_params.pop(ADDRESS, None)

    attempt(delete_them)


def show_undo(store: ResultStore, owner: str, opens: str = "") -> None:
    """Offer to restore the results that were just deleted, also before a reload, as long as that is possible.

    If the page shows no result, a restored one is opened, if it is of the kind that the page `opens`.
    """
    if _DELETED not in st.session_state:
        st.session_state[_DELETED] = {one.id: (one.name, one.deleted_at) for one in store.deleted(owner)}
    if deleted := st.session_state[_DELETED]:
        until = min(when for _, when in deleted.values()) + UNDO_SECONDS
        with st.bottom:
            fragment(_undo_bar, run_every=max(until - time.time(), 0.1))(store, owner, opens)


def _undo_bar(store: ResultStore, owner: str, opens: str) -> None:
    deleted: dict[str, tuple[str, float]] = st.session_state.get(_DELETED, {})
    names = [name for name, _ in deleted.values()]
    what = f"“{names[0][:40]}{'…' * (len(names[0]) > 40)}”" if len(names) == 1 else counted(len(names), "result")
    with st.container(border=True, horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.markdown(f"{literal(what)} deleted.", width="content")
        pressed = st.button("Undo", type="primary", icon=":material/undo:")

    def undo() -> None:
        st.session_state.pop(_DELETED, None)
        if store.undo(deleted, owner) < len(deleted):
            raise ResultsError(f"{what} cannot be restored any more. Undo works for {UNDO_SECONDS:.0f} s.")
        if ADDRESS not in st.query_params:
            addressed([one for one in deleted if (kept := store.get(one, owner)) and kept.kind == opens][-1:])

    if pressed:
        attempt(undo)
    there = {key: one for key, one in deleted.items() if time.time() - one[1] < UNDO_SECONDS}
    if there != deleted or not there:
        st.session_state[_DELETED] = there
        st.rerun()


@st.dialog("Rename")
def rename(store: ResultStore, result: Result) -> None:
    """Ask for a new name."""
    with st.form("rename", border=False):
        name = st.text_input("Name", result.name, max_chars=200)
        if st.form_submit_button("Rename", type="primary"):
            with errors_shown():
                store.rename(result.id, result.owner, name)
                st.rerun()


@st.dialog("Share", on_dismiss="rerun")
def share(store: ResultStore, result: Result) -> None:
    """Offer to make a link that opens a result for others; show the one that is there, and offer to end it."""
    with errors_shown():
        now = store.get(result.id, result.owner)
        st.markdown(
            "Anybody with the link can see this result, with the pictures that were kept, but none of your other "
            "results."
        )
        if now and now.token:
            here = urlsplit(st.context.url or "")
            st.code(f"{here.scheme}://{here.netloc}{here.path}?{ADDRESS}={now.token}", language=None, wrap_lines=True)
            if st.button("Stop sharing", icon=":material/link_off:"):
                store.revoke(result.id, result.owner)
                st.rerun()
        elif st.button("Create link", type="primary", icon=":material/link:"):
            store.share(result.id, result.owner)
            st.rerun(scope="fragment")
