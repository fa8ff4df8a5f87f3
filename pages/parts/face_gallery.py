"""Many faces as tiles, in groups: a click, a finger or the keyboard chooses one."""

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

_HTML = """<div class="groups" role="group" aria-label="Faces: the arrow keys go from one to the next"></div>"""
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
        groups: what the faces are called → those that are shown.
        counts: how many there are of each group, shown or not.
        selected: the name of the chosen one.
        key: names the gallery on its page.
        on_select: is called with the name of a face that was chosen, before the page runs again.
        marks: the name of a face → what somebody said that it shows.
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
        "name": f"{name}: {words}" + f", said to be {mark}" * bool(mark),
    }
