"""A picture with its faces: a click shows one, a wheel zooms; below it all of them as tiles."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime import get_instance

from fer.draw.picture import UNSURE_COLOR, text_color_on
from fer.faces import Face, describe
from fer.labels import color_of
from fer.reports.rendering import tied
from pages.parts.component import own_part

_HTML = """
<div class="viewer">
  <div class="stage" tabindex="0" role="group"
       aria-label="Picture: plus and minus zoom, the arrow keys move it, Escape shows it whole">
    <img draggable="false">
    <div class="faces" role="group" aria-label="Faces in the picture: the arrow keys go from one to the next"></div>
    <div class="labels" aria-hidden="true"></div>
  </div>
  <div class="bar">
    <span class="hint">Scroll to zoom · drag to move · click a face</span>
    <span class="level" aria-live="polite"></span>
    <button type="button" class="out" aria-label="Zoom out">−</button>
    <button type="button" class="in" aria-label="Zoom in">+</button>
    <button type="button" class="fit">Fit</button>
  </div>
  <div class="gallery" role="group" aria-label="All faces: the arrow keys go from one to the next"></div>
</div>
"""
_component = own_part("picture_viewer", _HTML)


def picture_viewer(
    picture: bytes,
    size_wh: tuple[int, int],
    faces: Sequence[Face],
    threshold: float,
    alt: str,
    selected: int,
    key: str,
    on_select: Callable[[int], None],
) -> None:
    """Show a picture whose faces can be looked at closely and chosen, with a pointer, a finger or a keyboard.

    Args:
        picture: a JPEG file.
        size_wh: in pixels, of the picture that `faces` lie in; the file may be a smaller copy of it.
        faces: numbered from 1 in this order.
        threshold: a face whose confidence is lower is called unsure, 0..1.
        alt: what a screen reader says of the picture.
        selected: the index of the chosen face.
        key: names the viewer on its page.
        on_select: is called with the index of a face that was chosen, before the page runs again.
    """

    def take_choice() -> None:
        if (face := st.session_state[key].face) is not None:
            on_select(face)

    shown = [_mark(number, face, threshold) for number, face in enumerate(faces, start=1)]
    data = {"url": media_url(picture, key), "size": list(size_wh), "faces": shown, "alt": alt, "selected": selected}
    _component(data=data, key=key, on_face_change=take_choice)


def _mark(number: int, face: Face, threshold: float) -> dict[str, Any]:
    unsure = face.confidence < threshold
    color = UNSURE_COLOR if unsure else color_of(face.label)
    said = "unsure" if unsure else tied(describe(face))
    return {
        "box": list(face.box.xyxy),
        "number": str(number),
        "text": f"{number} · {said}",
        "caption": f"{number} · {'unsure' if unsure else face.label}",
        "name": f"Face {number}: {said}",
        "color": color,
        "ink": text_color_on(color),
        "unsure": unsure,
    }


def media_url(file: bytes | Path, key: str, kind: str = "image/jpeg") -> str:
    """Return the address under which the server gives a file, or what is in one, for as long as the page shows it.

    Streamlit's own elements do the same; in what a component is told, a megabyte would travel with each click.
    """
    content = str(file) if isinstance(file, Path) else file
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}".rstrip("/") + get_instance().media_file_mgr.add(content, kind, f"part {key}")
