"""The app's pages, their navigation, and signing in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image
from streamlit.errors import StreamlitAuthError
from streamlit.navigation.page import StreamlitPage

from fer.datasets.drawing import draw_face
from fer.names import literal
from pages.parts.session import show_failure


def navigation() -> StreamlitPage:
    """Set up the app's pages and return the requested one."""
    st.set_page_config(page_icon=app_icon(), layout="wide")
    page = st.navigation(
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
    if st.secrets.load_if_toml_exists() and (auth := st.secrets.get("auth")):
        with st.sidebar:
            _show_account(auth)
    return page


def _show_account(auth: Mapping[str, Any]) -> None:
    """Offer to sign in with each provider, or to sign out.

    Args:
        auth: Streamlit's section of that name: a provider's settings, or a section for each provider.
    """
    if st.user.get("is_logged_in"):
        name = st.user.get("email") or st.user.get("name") or "unknown account"
        st.caption(f":material/account_circle: {literal(str(name))}")
        if st.button("Sign out", icon=":material/logout:"):
            st.logout()
        return
    sections = {name: section for name, section in auth.items() if isinstance(section, Mapping)}
    providers: list[str | None] = [name for name, section in sections.items() if "client_id" in section]
    for provider in providers or [None]:
        if st.button(f"Sign in with {literal(provider)}" if provider else "Sign in", icon=":material/login:"):
            try:
                st.login(provider)
            except StreamlitAuthError as error:
                st.error(literal(str(error)), icon=":material/error:")


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
