"""Pictures that the settings no longer keep: how many are left, how large they are, and deleting them."""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import streamlit as st

from fer.collection import job as collections
from fer.errors import ResultsError
from fer.jobs.visitors import claim, claim_of, size_bytes
from fer.results.result import FOLDER, NOTHING, PICTURES, VIDEO, Result
from fer.results.store import ResultStore
from fer.video import job as videos
from pages.parts.kept_photos import restored
from pages.parts.result_actions import delete
from pages.parts.results import job_folder, size
from pages.parts.session import attempt
from pages.parts.widgets import counted

_OFFERED = "pictures_offered"
"""In the session: whether the settings now keep less and the visitor has not decided about the rest yet."""
JOB_PICTURES = {
    FOLDER: (collections.UPLOADS_NAME, collections.DRAWN_NAME),
    VIDEO: (videos.UPLOAD_FOLDER, videos.DRAWN_NAME),
}
"""Kind of a result → the name of the job's uploads, and a pattern for their annotated copies."""


def offer_deletion(keep: str) -> None:
    """Ask what to do with everything kept so far, after the settings changed to `keep`."""
    st.session_state[_OFFERED] = keep != PICTURES


def show_offer(store: ResultStore, owner: str) -> None:
    """Offer to delete what the settings no longer keep, until the visitor has decided."""
    if not st.session_state.get(_OFFERED):
        return
    kept = [(result, path) for result in store.ended() for path in _pictures(store, result)]
    files = [file for _, path in kept for file in ([path] if path.is_file() else path.rglob("*")) if file.is_file()]
    usage = store.usage(owner)
    deletes_all = usage.count > 0 and store.settings.keep == NOTHING
    if not files and not deletes_all:
        st.session_state[_OFFERED] = False
        return
    with st.container(border=True):
        st.markdown("The setting applies from now on. What was kept before is still there.")
        with st.container(horizontal=True):
            number, bytes_ = counted(len(files), "picture"), size(sum(file.stat().st_size for file in files))
            if files and st.button(f"Delete {number} ({bytes_})", icon=":material/hide_image:"):
                attempt(lambda: _forget(store, kept))
            if deletes_all:
                own = f"Delete {counted(usage.count, 'result')} ({size(usage.size_bytes)})"
                if st.button(own, icon=":material/delete:"):
                    delete(store, store.list(owner, limit=usage.count).results)
            if st.button("Keep everything"):
                attempt(lambda: st.session_state.update({_OFFERED: False}))
        if files:
            st.caption("Pictures and videos are deleted for good, those of other visitors, too. Their results stay.")


def _pictures(store: ResultStore, result: Result) -> Iterator[Path]:
    """Yield the files and folders with the pictures of a result that is complete."""
    if picture := store.picture(result):
        yield picture
    for pattern in JOB_PICTURES[result.kind] if result.job else ():
        yield from job_folder(result).glob(pattern)


def _forget(store: ResultStore, kept: list[tuple[Result, Path]]) -> None:
    for result, path in kept:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        folder = job_folder(result)
        if result.job and (claimed := claim_of(folder)):
            claim(folder, replace(claimed, keeps_pictures=False))
        with suppress(ResultsError):  # deleted meanwhile, by its owner or in another tab
            store.update(result.id, result.owner, job_bytes=size_bytes(folder) if result.job else 0)
    restored.clear()
