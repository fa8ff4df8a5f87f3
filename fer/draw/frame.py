"""Draw faces onto video frames in a fraction of a millisecond each: rendered texts are cached.

Every person has a number or a name, every expression a color, which is also that of the bounding box. The expression's
name is on a dark tag, and below the face are bars for the three most probable expressions.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from fer.draw.picture import UNSURE_COLOR
from fer.faces import NOT_HUMAN, Box, Face, describe
from fer.labels import color_of
from fer.video.settings import VideoSettings
from fer.video.tracking import TrackedFace

BARS, _LONGEST_NAME = 3, 20
_DARK, _LIGHT = "#12161C", "#E6E9EE"


def draw_live(
    image: np.ndarray, faces: Sequence[TrackedFace], settings: VideoSettings, names: Mapping[int, str] | None = None
) -> np.ndarray:
    """Return a copy of a frame, annotated according to the settings.

    Args:
        image: RGB uint8 (H, W, 3).
        faces: in pixels of that frame, as it came from the camera.
        settings: what to draw, the threshold for "unsure", and whether to mirror the copy.
        names: person → name; people without one are shown by their number.
    """
    names = names or {}
    canvas = cv2.flip(image, 1) if settings.mirror else image.copy()
    width = canvas.shape[1]
    text_px = max(round(max(canvas.shape[:2]) / 45), 11)
    boxes = [face.box for face in faces]
    if settings.mirror:
        boxes = [Box(width - box.x2, box.y1, width - box.x1, box.y2) for box in boxes]
    if settings.show_boxes:
        for face, box in zip(faces, boxes, strict=True):
            x1, y1, x2, y2 = map(round, box.xyxy)
            color = UNSURE_COLOR if face.confidence < settings.threshold else color_of(face.label)
            cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), _rgb(color), max(text_px // 6, 2), cv2.LINE_AA)
    for face, box in zip(faces, boxes, strict=True):
        if settings.show_labels:
            number = face.track_id or 1
            _draw_tag(canvas, face, box, _plain(names.get(number, "")) or str(number), text_px, settings.threshold)
        if settings.show_bars:
            _draw_bars(canvas, face, box, round(0.85 * text_px))
    return canvas


def _plain(name: str) -> str:
    """Return the beginning of a name in the letters that Pillow's own font has; "" where others are needed."""
    letters = "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return letters[:_LONGEST_NAME] if letters.isascii() else ""


def _draw_tag(canvas: np.ndarray, face: Face, box: Box, who: str, text_px: int, threshold: float) -> None:
    """Write who it is, the expression, and whether the face may not be human above the box, or at the frame's top."""
    shown = describe(face) if face.confidence >= threshold else "unsure"
    tag = _tag(who, shown if face.looks_human else f"{shown}, {NOT_HUMAN}", text_px)
    _paste(canvas, tag, box.x1, box.y1 - tag.shape[0])


def _draw_bars(canvas: np.ndarray, face: Face, box: Box, text_px: int) -> None:
    """Draw the most probable expressions below the box, or at the bottom of the frame."""
    rows = sorted(zip(face.labels, face.probabilities, strict=True), key=lambda pair: -pair[1])[:BARS]
    texts = [_text(label, text_px, "#FFFFFF") for label, _ in rows]
    row_px, left = round(1.5 * text_px), max(text.shape[1] for text in texts) + text_px
    panel = np.empty((row_px * len(rows), max(round(box.width), left + 4 * text_px), 3), np.uint8)
    panel[:] = _rgb(_DARK)
    for row, ((label, probability), text) in enumerate(zip(rows, texts, strict=True)):
        top = row * row_px
        _paste(panel, text, text_px // 2, top + (row_px - text.shape[0]) // 2)
        right = left + round(probability * (panel.shape[1] - text_px // 2 - left))
        panel[top + row_px // 5 : top + row_px - row_px // 5, left : max(right, left + 1)] = _rgb(color_of(label))
    _paste(canvas, panel, box.x1, box.y2)


def _paste(canvas: np.ndarray, picture: np.ndarray, x: float, y: float) -> None:
    """Paste a picture onto another, moved inside if it would stick out, and clipped if it is larger."""
    picture = picture[: canvas.shape[0], : canvas.shape[1]]
    height, width = picture.shape[:2]
    left = min(max(round(x), 0), canvas.shape[1] - width)
    top = min(max(round(y), 0), canvas.shape[0] - height)
    canvas[top : top + height, left : left + width] = picture


@lru_cache(maxsize=500)
def _tag(who: str, shown: str, text_px: int) -> np.ndarray:
    """Return the tag with a person's name or number and the expression, RGB uint8 (height, width, 3)."""
    return np.hstack([_padded(who, text_px, "#000000", _LIGHT), _padded(shown, text_px, "#FFFFFF", _DARK)])


def _padded(text: str, text_px: int, color: str, background: str) -> np.ndarray:
    picture = _text(text, text_px, color, background)
    height, width, _ = picture.shape
    page = np.empty((height + text_px // 4, width + text_px, 3), np.uint8)
    page[:] = _rgb(background)
    _paste(page, picture, text_px // 2, text_px // 8)
    return page


@lru_cache(maxsize=500)
def _text(text: str, size_px: int, color: str, background: str = _DARK) -> np.ndarray:
    """Render a text as RGB uint8 (height, width, 3); all texts of one size have the same height."""
    font = ImageFont.load_default(size=size_px)
    assert isinstance(font, ImageFont.FreeTypeFont)  # Pillow always returns this for a size
    ascent, descent = font.getmetrics()
    page = Image.new("RGB", (max(round(font.getlength(text)), 1), ascent + descent), background)
    ImageDraw.Draw(page).text((0, ascent), text, fill=color, font=font, anchor="ls")
    return np.asarray(page)


@lru_cache(maxsize=64)
def _rgb(color: str) -> tuple[int, ...]:
    return ImageColor.getrgb(color)
