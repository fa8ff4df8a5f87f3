"""Custom components in plain HTML, CSS and JavaScript, for what Streamlit lacks; their files are beside this one."""

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


def own_part(name: str, html: str) -> "ComponentRenderer":
    """Return a component made of `name`.css and `name`.js, which exports the function that Streamlit calls."""
    css, js = (Path(__file__).with_name(f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    return st.components.v2.component(name, html=html, css=css, js=js)
