"""A picture with its faces: click one to select it, scroll to zoom; a strip of tiles below shows them all."""

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
       aria-label="Picture: plus and minus zoom, the arrow keys pan, Escape fits it">
    <img draggable="false">
    <div class="faces" role="group" aria-label="Faces in the picture: use the arrow keys to move between them"></div>
    <div class="labels" aria-hidden="true"></div>
  </div>
  <div class="bar">
    <span class="hint">Scroll to zoom · drag to move · click a face</span>
    <span class="level" aria-live="polite"></span>
    <button type="button" class="out" aria-label="Zoom out">−</button>
    <button type="button" class="in" aria-label="Zoom in">+</button>
    <button type="button" class="fit">Fit</button>
  </div>
  <div class="gallery" role="group" aria-label="All faces: use the arrow keys to move between them"></div>
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
    """Show a picture to zoom and pan, whose faces can be selected by mouse, touch or keyboard.

    Args:
        picture: a JPEG file.
        size_wh: width and height in pixels of the picture that `faces` refer to; the file may be a smaller copy.
        faces: numbered from 1 in this order.
        threshold: a face with a lower confidence is called unsure, 0..1.
        alt: the description for screen readers.
        selected: the index of the selected face.
        key: identifies the viewer on its page.
        on_select: called with the index of a newly selected face, before the page reruns.
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
    """Return a URL that serves a file, or the bytes of one, as long as the page shows it.

    Streamlit's own elements do the same. Inside a component's data the file would be sent again with each click.
    """
    content = str(file) if isinstance(file, Path) else file
    base = st.get_option("server.baseUrlPath").strip("/")
    return f"/{base}".rstrip("/") + get_instance().media_file_mgr.add(content, kind, f"part {key}")
