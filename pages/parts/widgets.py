"""What several pages show."""

import base64
import html
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from fer.datasets.drawing import draw_face
from fer.faces import Face
from fer.images import encode_png
from fer.labels import FERPLUS, color_of
from fer.recognition.quality import concerns

if TYPE_CHECKING:
    pass

_LEGEND_SEEDS = (8, 12, 13, 7, 11, 12, 13, 8)
"""Of the drawn people in the legend, chosen for clear pictures of different people."""


def duration(seconds: float) -> str:
    """Say a time as people do: 45 s, 12 min, 2.5 h."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def show_concerns(face: Face, unsure_below: float) -> None:
    """Say what speaks against trusting a prediction, a line for each concern."""
    for word, meaning in concerns(face, unsure_below).items():
        st.caption(f":material/warning: {word}: {meaning}")


def expression_legend(labels: tuple[str, ...]) -> None:
    """Show each label in its colour, under a drawn face that makes it where there is one."""
    entries = "".join(map(_legend_entry, labels))
    st.html(
        '<div style="display:grid;grid-template-columns:repeat(auto-fill,minmax(80px,1fr));gap:.75rem;max-width:64rem">'
        f"{entries}</div>"
    )


@st.cache_data(show_spinner=False)
def _legend_entry(label: str) -> str:
    picture = ""
    if label in FERPLUS:
        person = np.random.default_rng(_LEGEND_SEEDS[FERPLUS.index(label)])
        encoded = base64.b64encode(encode_png(draw_face(label, person, size_px=96, strength=1.0))).decode()
        style = "display:block;width:100%;border-radius:.6rem .6rem 0 0"
        picture = f'<img src="data:image/png;base64,{encoded}" alt="" style="{style}">'
    return (
        f"<div>{picture}"
        f'<div style="border-bottom:.3rem solid {color_of(label)};padding:.2rem 0;text-align:center;font-size:.9rem">'
        f"{html.escape(label)}</div></div>"
    )


def privacy_note() -> None:
    """Say where pictures go: nowhere."""
    st.caption(
        ":material/lock: Pictures stay on this machine. They are held in memory while the page is open, then gone."
    )
