"""Many faces as tiles in groups; a click, a tap or the keyboard selects one."""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from fer.collection.selection import NO_FACE, UNSURE, Entry
from fer.draw.picture import UNSURE_COLOR
from fer.faces import describe, percent
from fer.labels import color_of
from fer.reports.rendering import tied
from pages.parts.component import own_part
from pages.parts.picture_viewer import media_url

_HTML = """<div class="groups" role="group" aria-label="Faces: use the arrow keys to move between them"></div>"""
_component = own_part("face_gallery", _HTML)


def face_gallery(
    groups: Mapping[str, Sequence[Entry]],
    counts: Mapping[str, int],
    selected: str,
    key: str,
    on_select: Callable[[str], None],
    marks: Mapping[str, str] | None = None,
) -> None:
    """Show faces as tiles.

    Args:
        groups: the name of each group → its faces on this page.
        counts: the name of each group → the number of its faces on all pages.
        selected: the name of the selected face.
        key: identifies the gallery on its page.
        on_select: called with the name of a newly selected face, before the page reruns.
        marks: the name of a face → the label that the visitor gave it.
    """

    def take_choice() -> None:
        if (name := st.session_state[key].tile) is not None:
            on_select(name)

    told = marks or {}
    shown = [
        {
            "name": name,
            "count": f"{counts[name]:,}",
            "color": UNSURE_COLOR if name in (UNSURE, NO_FACE) else color_of(name),
            "unsure": name == UNSURE,
            "tiles": [_tile(entry, name, told.get(entry.name), key) for entry in group],
        }
        for name, group in groups.items()
    ]
    _component(data={"groups": shown, "selected": selected}, key=key, on_tile_change=take_choice)


def _tile(entry: Entry, called: str, mark: str | None, key: str) -> dict[str, Any]:
    face = entry.face
    name = entry.name
    words = called if face is None or called == UNSURE else tied(describe(face))
    return {
        "id": name,
        "url": media_url(b64decode(entry.thumbnail.partition(",")[2]), f"{key} {name}") if entry.thumbnail else "",
        "caption": percent(face.confidence) if face else "",
        "mark": mark or "",
        "name": f"{name}: {words}" + f", corrected to {mark}" * bool(mark),
    }
