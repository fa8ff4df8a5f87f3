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


_STYLE = Path(__file__).with_name("style.css")


def begin_page(title: str = "") -> None:
    """Start a page: show its title, unless it brings its own, and the error of the last action; every page does."""
    st.html(_STYLE)
    if title:
        st.title(title)
    show_failure()


@st.cache_data(show_spinner=False)
def app_icon() -> Image.Image:
    """Return the icon for the browser tab. Streamlit's own icons would be fetched from the internet."""
    return Image.fromarray(draw_face("happiness", np.random.default_rng(12), size_px=64, strength=1.0))
