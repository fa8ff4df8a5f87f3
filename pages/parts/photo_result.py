"""One photo with its faces: a picture to zoom into and, beside it, the selected face."""

from collections.abc import Callable
from functools import partial
from pathlib import PurePath

import numpy as np
import streamlit as st

from fer.charts.expressions import probability_bars
from fer.draw.picture import draw_faces
from fer.faces import Face, describe, scaled
from fer.images import encode_jpeg, read_image
from fer.names import literal
from fer.recognition.photo import PhotoFace, PhotoResult
from fer.reports.rendering import render, tied
from pages.parts.corrections import ask_right
from pages.parts.kept_photos import chosen_sha
from pages.parts.models import Model
from pages.parts.photo_reasons import show_reasons
from pages.parts.photo_source import Photo
from pages.parts.picture_viewer import picture_viewer
from pages.parts.widgets import STATIC, counted, download, show_concerns, show_opinions

TURNS, RESULTS = "photo_turns", ("photo_results", "photo_other_results")
"""Keys in the session: the quarter turns of each photo, and the results of the first and of the compared model. Each
maps the key of a photo to its value."""
PICTURE_GONE = ":material/hide_image: Only the faces were kept, not the picture."


def chosen_turns(photo: Photo) -> int | None:
    """Return how many quarter turns counterclockwise the visitor chose for a photo, 0..3; None if they chose none."""
    turns: int | None = st.session_state.get(TURNS, {}).get(photo.key)
    return turns


def _turn(photo: Photo, turns: int) -> None:
    st.session_state.setdefault(TURNS, {})[photo.key] = turns % 4
    for results in RESULTS:
        st.session_state.get(results, {}).pop(photo.key, None)


def show_photo(
    photo: Photo,
    result: PhotoResult,
    model: Model | None,
    threshold: float,
    other: tuple[PhotoResult, Model] | None = None,
) -> None:
    """Show a photo, its faces and the actions for it.

    Args:
        photo: the file.
        result: what was found in it.
        model: the model that found it; None for a kept result that can only be viewed.
        threshold: a face whose confidence is lower is called unsure, 0..1.
        other: the readings of another model for the same faces.
    """
    count = len(result.faces)
    found = counted(count, "face") if count else "no face"
    chosen = f"face {photo.key} {result.turns}"
    _show_heading(photo, result, found, threshold)
    left, right = st.columns([3, 2], gap="medium")
    selected = min(st.session_state.get(chosen, 0), count - 1)
    with left:
        picture_viewer(
            result.picture,
            result.shown_wh,
            [item.shown for item in result.faces],
            threshold,
            f"{photo.name} with {found} marked",
            selected,
            f"viewer {photo.key}",
            lambda face: st.session_state.update({chosen: face}),
        )
    with right:
        if not count:
            st.info(
                "No face found. Faces are found best from the front, in good light, and at least a fiftieth of the "
                "picture wide. If the picture lies on its side, rotate it.",
                icon=":material/search_off:",
            )
            return
        item = result.faces[selected]
        with st.container(border=True):
            key = f"{photo.key} {selected + 1}"
            ask: Callable[[], None] = lambda: None  # noqa: E731
            if model:
                ask = partial(ask_right, item.face, lambda: item.crop, photo.model or chosen_sha(), key)
            if model and other:
                _compare(item, model.name, other[0].faces[selected], other[1].name, selected + 1, threshold)
                ask()
            else:
                _show_face(item, selected + 1, threshold, key, ask)
            if model and photo.model in ("", chosen_sha()):
                show_reasons(model.recognizer, item, key)


def _show_heading(photo: Photo, result: PhotoResult, found: str, threshold: float) -> None:
    itself = " · rotated automatically: its faces lay on their side" * (
        photo.is_new and result.turns > 0 and chosen_turns(photo) is None
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{literal(photo.name)} · {result.size_wh[0]} × {result.size_wh[1]} pixels · {found}{itself}",
            width="stretch",
        )
        for name, icon, quarters in (("left", "rotate_left", 1), ("right", "rotate_right", -1)) * photo.is_new:
            st.button(
                f"Rotate {name}",
                icon=f":material/{icon}:",
                key=f"turn {name} {photo.key}",
                on_click=_turn,
                args=(photo, result.turns + quarters),
            )
        download(
            "Annotated photo",
            lambda: _annotated(photo, result, threshold),
            f"{PurePath(photo.name).stem}-faces.jpg",
            key=f"annotated {photo.key}",
        )


def _annotated(photo: Photo, result: PhotoResult, threshold: float) -> bytes:
    image = np.rot90(read_image(photo.read()), result.turns) if photo.is_there else read_image(result.picture)
    faces = [scaled(item.shown, image.shape[1] / result.shown_wh[0]) for item in result.faces]
    return encode_jpeg(draw_faces(np.ascontiguousarray(image), faces, threshold=threshold))


def _show_face(item: PhotoFace, number: int, threshold: float, key: str, ask: Callable[[], None]) -> None:
    face = item.face
    with st.container(horizontal=True, vertical_alignment="center"):
        size = item.network_input.shape[0]
        st.image(item.network_input, width=72, alt=f"face {number} as the model sees it, {size} × {size} pixels")
        with st.container():
            st.markdown(f"**{number} · {said(face, threshold)}**")
            show_concerns(face, threshold)
    show_opinions(face)
    ask()
    st.plotly_chart(probability_bars(face), config=STATIC, key=f"bars {key}", alt=f"face {number}: {describe(face)}")


def _compare(item: PhotoFace, name: str, same: PhotoFace, other: str, number: int, threshold: float) -> None:
    """Show the readings of two models for a face, side by side."""
    st.markdown(f"**Face {number}**")
    with st.container(horizontal=True):
        st.image(item.crop, width=72, alt=f"face {number}")
        with st.container():
            for one, by in ((item, name), (same, other)):
                st.markdown(f"{literal(by)}: **{said(one.face, threshold)}**")
    columns = [dict(one.face.ranked()) for one in (item, same)]
    labels = list(dict.fromkeys(label for column in columns for label in column))
    st.html(render("shares.html", heads=[name, other], labels=labels, columns=columns))
    show_concerns(item.face, threshold)


def said(face: Face, threshold: float) -> str:
    """Return what a face shows, as Markdown; "unsure" if its confidence is below the threshold, 0..1."""
    return literal(tied(describe(face))) if face.confidence >= threshold else "unsure"
