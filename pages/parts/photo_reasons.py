"""Why a face got its expression, computed when somebody asks."""

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import streamlit as st

from fer.recognition.photo import PhotoFace

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer


@st.fragment
def show_reasons(recognizer: "Recognizer", item: PhotoFace, key: str) -> None:
    """Show an expander; what is in it is computed when it is opened, and once. Nothing else on the page runs again.

    Args:
        recognizer: the one that found the face.
        item: the face.
        key: names the face among all of the page.
    """
    expander = st.expander(f"Why {item.face.label}?", icon=":material/help:", key=f"why {key}", on_change="rerun")
    if not expander.open:
        return
    # Kept for as long as the photo's result is.
    reasons: WeakKeyDictionary[PhotoFace, str] = st.session_state.setdefault("photo_reasons", WeakKeyDictionary())
    with expander:
        if item not in reasons:
            from fer.display.explanation import explanation_html
            from fer.recognition.explain import explain

            with st.spinner("Covering one part after the other …"):
                reasons[item] = explanation_html(explain(recognizer, item.face, item.pixels), item.crop)
        st.html(reasons[item])
