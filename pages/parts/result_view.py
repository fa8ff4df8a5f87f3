"""One result, shown from its files to its owner and to visitors with its link."""

import time
from collections.abc import Mapping

import streamlit as st

from fer.charts.expressions import count_bars
from fer.names import literal
from fer.results.photo import PhotoRecord
from fer.results.pictures import to_csv, to_json
from fer.results.result import Result
from fer.results.store import ResultStore
from pages.parts.corrections import said_labels
from pages.parts.kept_photos import restored
from pages.parts.photo_result import show_photo
from pages.parts.photo_source import Photo
from pages.parts.result_actions import delete, rename, share, show_export
from pages.parts.result_list import parts_of
from pages.parts.results import addressed, job_of, size
from pages.parts.video_result import show_downloads, show_seen, timeline_of
from pages.parts.widgets import STATIC, download_figures


def show_result(store: ResultStore, result: Result, is_mine: bool) -> None:
    """Show a result; visitors who only have its link cannot change it."""
    if is_mine:
        back_button()
    st.title(literal(result.name))
    parts = [*parts_of(result, job_of(result), time.time()).values(), size(result.size_bytes)]
    st.caption(literal(" · ".join(part for part in parts if part)))
    said = said_labels() if is_mine else {}
    with st.container(horizontal=True):
        show_export(store, [result], "result.zip", said)
        if is_mine:
            if st.button("Rename", icon=":material/edit:"):
                rename(store, result)
            if st.button("Share", icon=":material/link:"):
                share(store, result)
            if st.button("Delete", icon=":material/delete:"):
                delete(store, [result])
    if record := store.record(result, PhotoRecord):
        _show_photo(store, result, record, said)
    elif (seen := timeline_of(store, result)) and seen.people:
        if video := store.picture(result):
            st.video(str(video), alt="the annotated video", width=720)
        show_seen(seen)
        with st.container(horizontal=True):
            show_downloads(seen, "expressions")
    else:
        _show_sums(store, result)


def back_button() -> None:
    """Show a button that returns to the list; a link to the current page would not change the address."""
    if st.button("All results", icon=":material/arrow_back:", type="tertiary"):
        addressed([])
        st.rerun()


def _show_photo(store: ResultStore, result: Result, record: PhotoRecord, corrected: Mapping[str, str]) -> None:
    threshold, picture = record.unsure_below, store.picture(result)
    read = picture.read_bytes if picture else bytes
    photo = Photo(result.id, result.name, read, picture is not None, result.model_sha, is_new=False)
    show_photo(photo, restored(store.folder(result), result.changed, record), None, threshold)
    if picture is None:
        st.caption(":material/hide_image: Only the faces were kept, not the picture.")
    found = [record.picture_result(result.name)]
    with st.container(horizontal=True):
        download_figures(
            "faces",
            lambda: to_csv(found, record.labels, threshold, corrected),
            lambda: to_json(found, threshold, corrected),
        )


def _show_sums(store: ResultStore, result: Result) -> None:
    shown = {label: round(count) for label, count in result.figures.expressions.items() if count >= 0.5}
    if shown:
        alt = ", ".join(f"{label} {count}" for label, count in shown.items())
        st.plotly_chart(count_bars(shown), config=STATIC, key="sums", alt=alt)
    faces = [str(path) for path in store.faces(result)]
    if faces:
        st.image(faces, width=96)
    if not shown and not faces:
        st.info("No faces or figures were kept for this result.", icon=":material/hide_image:")
