"""One result, as its files say: for those who kept it, and for those who have its link."""

import time
from collections.abc import Mapping

import streamlit as st

from fer.charts.expressions import count_bars, probability_bars
from fer.draw.picture import draw_faces
from fer.faces import describe, scaled
from fer.images import encode_png, read_image
from fer.names import literal
from fer.results.photo import PhotoRecord, restored_photo
from fer.results.pictures import to_csv, to_json
from fer.results.result import Result
from fer.results.store import ResultStore
from pages.parts.corrections import said_labels
from pages.parts.result_actions import delete, export_of, rename, share
from pages.parts.result_list import parts_of, size
from pages.parts.results import addressed
from pages.parts.widgets import STATIC, download, download_figures, show_concerns, show_opinions


def show_result(store: ResultStore, result: Result, is_mine: bool) -> None:
    """Show what was kept of a result; who only has its link changes nothing."""
    if is_mine:
        back_button()
    st.title(literal(result.name))
    parts = [*parts_of(result, time.time()).values(), size(result.size_bytes)]
    st.caption(literal(" · ".join(part for part in parts if part)))
    with st.container(horizontal=True):
        st.download_button(
            "Export (ZIP)", export_of(store, [result]), "result.zip", "application/zip",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        if is_mine:
            if st.button("Rename", icon=":material/edit:"):
                rename(store, result)
            if st.button("Link for others", icon=":material/link:"):
                share(store, result)
            if st.button("Delete", icon=":material/delete:"):
                delete(store, [result])
    record = store.record(result, PhotoRecord)
    if record:
        _show_photo(store, result, record, said_labels() if is_mine else {})
    else:
        _show_sums(store, result)


def back_button() -> None:
    """Lead back to the list: a link to the page that is open would leave the address as it is."""
    if st.button("All results", icon=":material/arrow_back:", type="tertiary"):
        addressed([])
        st.rerun()


def _show_photo(store: ResultStore, result: Result, record: PhotoRecord, corrected: Mapping[str, str]) -> None:
    photo = restored_photo(record, store.folder(result))
    threshold = record.unsure_below
    left, right = st.columns([3, 2], gap="medium")
    with left:
        image = read_image(photo.picture)
        faces = [scaled(item.shown, image.shape[1] / photo.shown_wh[0]) for item in photo.faces]
        annotated = draw_faces(image, faces, threshold=threshold)
        st.image(annotated, width="stretch", alt=f"{result.name} with its faces marked")
        if store.picture(result) is None:
            st.caption(":material/hide_image: The picture was not kept, only its faces.")
        found = [record.picture_result(result.name)]
        with st.container(horizontal=True):
            download("Annotated picture", lambda: encode_png(annotated), "faces.png")
            download_figures(
                "faces",
                lambda: to_csv(found, record.labels, threshold, corrected),
                lambda: to_json(found, threshold, corrected),
            )
    with right, st.container(height=720 if len(photo.faces) > 2 else "content", border=False):
        for number, item in enumerate(photo.faces, start=1):
            with st.container(border=True):
                with st.container(horizontal=True, vertical_alignment="center"):
                    st.image(item.crop, width=72, alt=f"face {number}")
                    with st.container():
                        st.markdown(f"**{number} · {literal(describe(item.face))}**")
                        show_concerns(item.face, threshold)
                show_opinions(item.face)
                st.plotly_chart(
                    probability_bars(item.face), config=STATIC, key=f"bars {number}", alt=describe(item.face)
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
        st.info("Nothing was kept of it that can be shown here.", icon=":material/hide_image:")
