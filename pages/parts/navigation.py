"""The app's pages and their navigation."""

from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.navigation.page import StreamlitPage

from fer.datasets.drawing import draw_face
from pages.parts.session import show_failure


def navigation() -> StreamlitPage:
    """Set up the app's pages and return the requested one."""
    global _entry_has_run
    _entry_has_run = True
    st.set_page_config(page_icon=app_icon(), layout="wide")
    return st.navigation(
        {
            "": [st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)],
            "Analyze": [
                st.Page("pages/photo.py", title="Photo", icon=":material/photo_camera:"),
                st.Page("pages/folder.py", title="Many photos", icon=":material/photo_library:"),
                st.Page("pages/webcam.py", title="Webcam", icon=":material/videocam:"),
                st.Page("pages/video.py", title="Video", icon=":material/movie:"),
                st.Page("pages/results.py", title="Results", icon=":material/history:"),
            ],
            "Models": [
                st.Page("pages/training.py", title="Training", icon=":material/model_training:"),
                st.Page("pages/evaluation.py", title="Evaluation", icon=":material/insights:"),
                st.Page("pages/model_card.py", title="Model card", icon=":material/description:"),
            ],
        }
    )


_entry_has_run = False
_STYLE = Path(__file__).with_name("style.css")


def begin_page(page: str, title: str = "") -> None:
    """Start a page: show its title and the error of the last action. Every page calls this first.

    If a server's first visitor opens the address of a page, Streamlit treats the files in pages/ as a multipage app of
    the old kind, without this app's titles, layout and navigation, until the entry file has called st.navigation. In
    that case the page is opened again through the entry file.

    Args:
        page: its file, relative to the app's folder.
        title: empty for a page that brings its own.
    """
    if not _entry_has_run:
        navigation()
        said = {name: st.query_params.get_all(name) for name in st.query_params}
        st.switch_page(page, query_params=said)  # the address may hold more than the page
    st.html(_STYLE)
    if title:
        st.title(title)
    show_failure()


@st.cache_data(show_spinner=False)
def app_icon() -> Image.Image:
    """Return the icon for the browser tab. Streamlit's own icons would be fetched from the internet."""
    return Image.fromarray(draw_face("happiness", np.random.default_rng(12), size_px=64, strength=1.0))
