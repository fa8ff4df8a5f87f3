"""Why a face got its expression, computed when somebody asks.

A module of its own: a fragment is kept with all that the file around it holds, on a page the photos.
"""

from typing import TYPE_CHECKING
from weakref import ReferenceType, WeakKeyDictionary, ref

import streamlit as st

from fer.names import literal
from fer.recognition.photo import PhotoFace
from pages.parts.session import errors_shown

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer


def show_reasons(recognizer: "Recognizer", item: PhotoFace, key: str) -> None:
    """Show an expander; what is in it is computed when it is opened, and once. Nothing else on the page runs again.

    Args:
        recognizer: the one that found the face.
        item: the face.
        key: names the face among all of the page.
    """
    # Streamlit may keep the arguments of a fragment after the picture was taken away: it must not keep the picture.
    _show(recognizer, ref(item), key)


@st.fragment
def _show(recognizer: "Recognizer", reference: ReferenceType[PhotoFace], key: str) -> None:
    item = reference()
    if item is None:
        return
    expander = st.expander(
        f"Why {literal(item.face.label)}?", icon=":material/help:", key=f"why {key}", on_change="rerun"
    )
    if expander.open:
        with expander, errors_shown():  # a model that was exported does without torch; this does not
            st.html(_reasons(recognizer, item))


def _reasons(recognizer: "Recognizer", item: PhotoFace) -> str:
    """Return the explanation as HTML, kept for as long as the photo's result is."""
    kept: WeakKeyDictionary[PhotoFace, str] = st.session_state.setdefault("photo_reasons", WeakKeyDictionary())
    if item not in kept:
        from fer.recognition.explain import explain
        from fer.reports.explanation import explanation_html

        with st.spinner("Covering one part after the other …"):
            kept[item] = explanation_html(explain(recognizer, item.face, item.pixels), item.crop)
    return kept[item]
