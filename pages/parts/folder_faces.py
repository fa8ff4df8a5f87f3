"""The faces of many photos as a gallery or a table, the selected one in its photo, and the exports."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from fer.charts.expressions import probability_bars
from fer.collection.job import Request
from fer.collection.selection import (
    NO_FACE,
    ORDERS,
    UNSURE,
    Entry,
    annotated_zip,
    entries_of,
    groups_of,
    pictures_of,
    select,
)
from fer.errors import CheckpointError
from fer.faces import describe
from fer.images import encode_jpeg, read_image, shrink_to_fit
from fer.model.checkpoint import read_info
from fer.model.preprocessing import Preprocessing
from fer.names import literal
from fer.recognition.photo import PICTURE_PX, THUMBNAIL_PX
from fer.results.corrections import face_key
from fer.results.journal import Finished
from fer.results.photo import blank_picture
from fer.results.pictures import concern_words, to_csv, to_json
from pages.parts.corrections import ask_right, said_labels
from pages.parts.face_gallery import face_gallery
from pages.parts.kept_photos import sha_of
from pages.parts.models import reading_of
from pages.parts.photo_result import PICTURE_GONE, said
from pages.parts.picture_viewer import picture_viewer
from pages.parts.session import FILES_AS_THEY_ARE, errors_shown
from pages.parts.widgets import (
    STATIC,
    cells,
    download,
    download_figures,
    one_of,
    show_concerns,
    show_opinions,
    threshold_slider,
)

GALLERY, TABLE = "Gallery", "Table"
VIEWS = {GALLERY: ":material/grid_view: Gallery", TABLE: ":material/table_rows: Table"}
AT_ONCE = {GALLERY: 500, TABLE: 200}
WHO_SAYS = "What raters would say, and what the label would be, if these differ."
_CHOSEN = "folder_face"
"""In the session: the name of the selected face."""


def show_results(request: Request, finished: list[Finished], shared: Path | None = None) -> None:
    """Show totals, the faces, the selected face in its photo, and the exports.

    Args:
        request: what was analyzed, and how.
        finished: what was found.
        shared: the job's folder, for visitors who only have a link: they see the pictures in it, but no others, and
            cannot correct readings.
    """
    labels, unsure_below = reading_of(request, finished)
    entries = entries_of(finished)
    broken = [one for one in finished if one.result.error is not None]
    totals = st.container(horizontal=True)  # three in a row on a phone
    if broken:
        with st.expander(f"{len(broken):,} could not be read", icon=":material/broken_image:"):
            st.text("\n".join(str(one.result.error) for one in broken))
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    with controls:
        view = one_of("View", VIEWS, "folder_view")
        with st.container(width=176):
            threshold = threshold_slider(unsure_below)
        order = st.selectbox("Order", ORDERS, key="folder_order", width=150)
    counts = {name: len(group) for name, group in groups_of(entries, labels, threshold).items()}
    without, unsure = counts.get(NO_FACE, 0), counts.get(UNSURE, 0)
    figures = {"Pictures": len(finished), "Faces": len(entries) - without, "Unsure": unsure, "No face": without}
    with totals:
        for name, value in (figures | {"Unreadable": len(broken)}).items():
            st.metric(name, f"{value:,}", width=105)
    if not entries:
        return
    wanted = st.pills(
        "Expression",
        list(counts),
        selection_mode="multi",
        format_func=lambda label: f"{literal(label)} {counts[label]:,}",
        label_visibility="collapsed",
        key="folder_labels",
        wrap=True,
    )
    count = sum(bool(entry.face and entry.face.differing) for entry in entries)
    differing = bool(count) and st.toggle(
        f"Only faces where raters and label differ: {count:,}", key="folder_differing", help=WHO_SAYS
    )
    chosen = select(entries, wanted, threshold, order, differing)
    if not chosen:
        st.info("No face matches these filters.", icon=":material/filter_alt_off:")
        return
    corrected = {} if shared else said_labels()
    show_faces(view, chosen, labels, threshold, corrected, request.checkpoint, shared)
    downloads(pictures_of(chosen) if wanted or differing else finished, len(finished), labels, threshold, corrected)


def show_faces(
    view: str,
    chosen: list[Entry],
    labels: Sequence[str],
    threshold: float,
    corrected: Mapping[str, str],
    checkpoint: Path,
    shared: Path | None,
) -> None:
    """Show one page of the faces in the chosen view, with the selected face beside it."""
    groups = groups_of(chosen, labels, threshold)
    if view == GALLERY:
        chosen = [entry for group in groups.values() for entry in group]
    at_once = AT_ONCE[view]
    pages = -(-len(chosen) // at_once)
    number = (
        int(st.number_input(f"Page, of {pages:,}", 1, pages, key=f"folder_page {view} {pages}", width=160))
        if pages > 1
        else 1
    )
    rows = chosen[(number - 1) * at_once : number * at_once]
    left, right = st.columns([3, 2], gap="medium")
    shown = next((entry for entry in rows if entry.name == st.session_state.get(_CHOSEN)), rows[0])
    with left:
        if view == GALLERY:
            counts = {name: len(group) for name, group in groups.items()}
            marks = {entry.name: corrected.get(face_key(entry.face), "") for entry in rows if entry.face}
            face_gallery(groups_of(rows, labels, threshold), counts, shown.name, "gallery", choose, marks)
        else:
            show_table(rows, threshold)
    with right, errors_shown():
        show_entry(shown, threshold, checkpoint, shared)


def choose(name: str) -> None:
    """Select a face by its name."""
    st.session_state[_CHOSEN] = name


def show_table(rows: list[Entry], threshold: float) -> None:
    """Show the faces as rows; clicking one selects it."""
    table = [
        {
            "face": entry.thumbnail,
            "expression": entry.called(threshold),
            "confidence": entry.face and 100 * entry.face.confidence,
            "raters / label": " / ".join(entry.face.differing or ()) if entry.face else "",
            "concerns": concern_words(entry.face, threshold) if entry.face else "",
            "picture": entry.name,
        }
        for entry in rows
    ]
    differ = any(entry["raters / label"] for entry in table)
    key = f"faces {hash(tuple(entry.name for entry in rows))}"  # new rows start without a selection

    def take_choice() -> None:
        for row in st.session_state[key]["selection"]["rows"]:
            choose(rows[row].name)

    st.dataframe(
        cells(table),
        hide_index=True,
        row_height=72,
        height=min(72 * len(rows) + 42, 560),
        column_config={
            "face": st.column_config.ImageColumn(width=80),
            "expression": st.column_config.TextColumn(width=100),
            "confidence": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100, width=110),
            "raters / label": st.column_config.TextColumn(width=130, help=WHO_SAYS) if differ else None,
            "concerns": st.column_config.TextColumn(width=110),
            "picture": st.column_config.TextColumn(width="medium"),
        },
        on_select=take_choice,
        selection_mode="single-row",
        key=key,
        alt="faces with their expression, confidence and warnings",
    )


def show_entry(entry: Entry, threshold: float, checkpoint: Path, shared: Path | None) -> None:
    """Show the selected face in its photo with its reading; the model's file may be gone."""
    picture, faces = entry.finished.picture, entry.finished.result.faces
    names = [Entry(entry.finished, number).name for number in range(1, len(faces) + 1)]
    alt = f"{picture.name} with its faces marked"
    with st.container(border=True):
        st.markdown(f"**{literal(picture.name)}**")
        is_there = picture.path.is_file() and (shared is None or picture.path.is_relative_to(shared))
        if not is_there and picture.output and picture.output.is_file():
            st.image(picture.output, width="stretch", alt=alt)
        else:
            if shown := _picture(picture.path) if is_there else _blank(entry.finished):
                jpeg, size_wh = shown
                picture_viewer(
                    jpeg, size_wh, faces, threshold, alt, entry.number - 1, "viewer", lambda face: choose(names[face])
                )
            if not is_there:
                st.caption(PICTURE_GONE)
        if not entry.face:
            st.info("No face found.", icon=":material/search_off:")
            return
        st.markdown(f"**{entry.number} · {said(entry.face, threshold)}**")
        show_concerns(entry.face, threshold)
        show_opinions(entry.face)
        if shared is None:
            try:
                model, preprocessing = sha_of(checkpoint), read_info(checkpoint).preprocessing
            except CheckpointError:
                model, preprocessing = "", None
            ask_right(entry.face, lambda: _crop(entry, preprocessing), model, "folder")
        described = describe(entry.face)
        st.plotly_chart(probability_bars(entry.face), config=STATIC, key="selected face", alt=described)


def downloads(
    finished: list[Finished], total: int, labels: Sequence[str], threshold: float, corrected: Mapping[str, str]
) -> None:
    """Offer tables and annotated copies of the shown pictures, out of `total`."""
    results = [one.result for one in finished]
    with errors_shown(), st.container(horizontal=True):
        download_figures(
            "faces",
            lambda: to_csv(results, labels, threshold, corrected).encode(errors="backslashreplace"),
            lambda: to_json(results, threshold, corrected),
        )
        are_drawn = any(one.picture.output and one.picture.output.is_file() for one in finished)
        if are_drawn:
            download("Annotated copies (ZIP)", lambda: annotated_zip(finished), "annotated.zip", "folder_zip")
    which = "all photos" if len(finished) == total else f"the {len(finished):,} photos shown"
    copies = " Annotated copies are at most 1,280 pixels long." * are_drawn
    st.caption(f"Exports hold {which} with all their faces.{copies}")


@st.cache_resource(max_entries=20, show_spinner=False, scope="session", hash_funcs=FILES_AS_THEY_ARE)
def _picture(path: Path) -> tuple[bytes, tuple[int, int]]:
    """Return a photo as JPEG, at most `PICTURE_PX` long, and the size of the original, (width, height).

    Raises:
        ImageError: it cannot be read.
    """
    image = read_image(path)
    return encode_jpeg(shrink_to_fit(image, PICTURE_PX)), (image.shape[1], image.shape[0])


def _blank(finished: Finished) -> tuple[bytes, tuple[int, int]] | None:
    """Return the same for a photo that was not kept: its thumbnails on an empty frame; None if its size is unknown."""
    result = finished.result
    if result.size_wh is None:
        return None
    crops = zip(result.faces, map(_pixels, finished.thumbnails), strict=False)
    return encode_jpeg(blank_picture(result.size_wh, crops)), result.size_wh


def _pixels(thumbnail: str) -> np.ndarray:
    """Return one of `Finished.thumbnails`, RGB uint8 (side, side, 3)."""
    return read_image(b64decode(thumbnail.partition(",")[2]))


def _crop(entry: Entry, preprocessing: Preprocessing | None) -> np.ndarray:
    """Return the upright crop of a face, RGB uint8 (side, side, 3), at most `THUMBNAIL_PX` wide.

    If the photo or the model is gone, the stored thumbnail is returned.
    """
    path, face = entry.finished.picture.path, entry.face
    if face and preprocessing and path.is_file():
        return shrink_to_fit(preprocessing.crop(read_image(path), face), THUMBNAIL_PX)
    return _pixels(entry.thumbnail or "")
