"""Explain why a face got its expression, on request.

It is a separate module because Streamlit keeps a fragment together with the globals of its file, on a page the photos.
"""

from typing import TYPE_CHECKING
from weakref import ReferenceType, WeakKeyDictionary, ref

import streamlit as st

from fer.names import literal
from fer.recognition.photo import PhotoFace
from pages.parts.session import errors_shown
from pages.parts.widgets import fragment

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer


def show_reasons(recognizer: "Recognizer", item: PhotoFace, key: str) -> None:
    """Show an expander whose content is computed once, when it is first opened, without rerunning the page.

    Args:
        recognizer: the one that found the face.
        item: the face.
        key: identifies the face on the page.
    """
    # Streamlit may keep a fragment's arguments after the photo was removed; a weak reference lets the photo go.
    fragment(_show)(recognizer, ref(item), key)


def _show(recognizer: "Recognizer", reference: ReferenceType[PhotoFace], key: str) -> None:
    item = reference()
    if item is None:
        return
    expander = st.expander(
        f"Why {literal(item.face.label)}?", icon=":material/help:", key=f"why {key}", on_change="rerun"
    )
    if expander.open:
        with expander, errors_shown():  # an exported model needs no torch, but the explanation does
            st.html(_reasons(recognizer, item))


def _reasons(recognizer: "Recognizer", item: PhotoFace) -> str:
    """Return the explanation as HTML, cached as long as the photo's result."""
    kept: WeakKeyDictionary[PhotoFace, str] = st.session_state.setdefault("photo_reasons", WeakKeyDictionary())
    if item not in kept:
        from fer.recognition.explain import explain
        from fer.reports.explanation import explanation_html

        with st.spinner("Covering one part of the face at a time …"):
            kept[item] = explanation_html(explain(recognizer, item.face, item.pixels), item.crop)
    return kept[item]
