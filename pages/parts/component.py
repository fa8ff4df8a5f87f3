"""Our own parts of pages, for what Streamlit has none: plain HTML, CSS and JavaScript in files beside this one."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


def own_part(name: str, html: str) -> "ComponentRenderer":
    """Return what shows a part with `name`.css and `name`.js, which exports the function that Streamlit calls."""
    css, js = (Path(__file__).with_name(f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return st.components.v2.component(name, html=html, css=css, js=js)
