"""The app's pages, and the way into them."""

from pathlib import Path

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.navigation.page import StreamlitPage

from fer.datasets.drawing import draw_face
from pages.parts.session import show_failure


def navigation() -> StreamlitPage:
    """Set up the app's pages and return the one that is asked for."""
    global _entry_has_run
    _entry_has_run = True
    st.set_page_config(page_icon=app_icon(), layout="wide")
    return st.navigation(
        {
            "": [st.Page("pages/home.py", title="Home", icon=":material/home:", default=True)],
            "Look": [
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
    """Begin a page: show its title, and what went wrong with its last button. The first call of every page.

    If the first visitor of a server opens the address of a page, Streamlit takes the files in pages/ for an app of the
    older kind, without our titles, layout and navigation, and does so until the entry has called st.navigation: then
    the page is opened again, through the entry.

    Args:
        page: its file, from the folder of the app.
        title: none where the page begins otherwise.
    """
    if not _entry_has_run:
        navigation()
        said = {name: st.query_params.get_all(name) for name in st.query_params}
        st.switch_page(page, query_params=said)  # an address may say more than the page
    st.html(_STYLE)
    if title:
        st.title(title)
    show_failure()


@st.cache_data(show_spinner=False)
def app_icon() -> Image.Image:
    """Return the icon of the browser's tab. One of Streamlit's own would be fetched from the internet."""
    return Image.fromarray(draw_face("happiness", np.random.default_rng(12), size_px=64, strength=1.0))
