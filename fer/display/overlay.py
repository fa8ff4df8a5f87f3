"""Faces drawn onto the frames of a video, in about a millisecond each.

Every person has a colour and a number; the name of the expression stands on a dark tag, and below the face are bars for
the three most probable expressions.
"""

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
from PIL import ImageColor, ImageFont

from fer.faces import Box, Face, describe
from fer.labels import color_of
from fer.video.live import LiveSettings
from fer.video.tracking import TrackedFace

PERSON_COLORS = ("#FFD23F", "#3BCEAC", "#FF6B81", "#8FB8FF", "#FF9F5A", "#B28DFF", "#9BE564", "#FF8AD8")
"""The ninth person has the first one's colour, and another number."""
BARS = 3
_DARK = np.array([18, 22, 28], np.float32)
_DARK_SHARE = 0.72


def person_color(number: int) -> str:
    """Return a person's colour, "#RRGGBB"."""
    return PERSON_COLORS[(number - 1) % len(PERSON_COLORS)]


def draw_live(image: np.ndarray, faces: Sequence[TrackedFace], settings: LiveSettings) -> np.ndarray:
    """Return a copy of a frame with what the settings ask for.

    Args:
        image: RGB uint8 (H, W, 3).
        faces: in pixels of that frame, as it came from the camera.
        settings: what to draw, the threshold for "unsure", and whether the copy is mirrored.
    """
    canvas = np.ascontiguousarray(image[:, ::-1]) if settings.mirror else image.copy()
    width = canvas.shape[1]
    text_px = max(round(max(canvas.shape[:2]) / 45), 11)
    boxes = [_mirrored(face.box, width) if settings.mirror else face.box for face in faces]
    if settings.show_boxes:
        for face, box in zip(faces, boxes, strict=True):
            _draw_box(canvas, box, _rgb(person_color(face.track_id or 1)), max(text_px // 6, 2))
    for face, box in zip(faces, boxes, strict=True):
        if settings.show_labels:
            _draw_tag(canvas, face, box, text_px, settings.threshold)
        if settings.show_bars:
            _draw_bars(canvas, face, box, round(0.85 * text_px))
    return canvas


def _mirrored(box: Box, width: int) -> Box:
    return Box(width - box.x2, box.y1, width - box.x1, box.y2)


def _draw_box(canvas: np.ndarray, box: Box, color: tuple[int, ...], line_px: int) -> None:
    x1, y1, x2, y2 = map(round, box.xyxy)
    cv2.rectangle(canvas, (x1, y1), (x2 - 1, y2 - 1), color, line_px, cv2.LINE_AA)


def _draw_tag(canvas: np.ndarray, face: Face, box: Box, text_px: int, threshold: float) -> None:
    """Write the number and the expression above the box, or at the top of the frame."""
    name = describe(face) if face.confidence >= threshold else "unsure"
    number, text = _text(f"{face.track_id}", text_px), _text(name, text_px)
    pad = text_px // 2
    height = text_px + pad
    width = number.shape[1] + text.shape[1] + 4 * pad
    x = int(np.clip(box.x1, 0, max(canvas.shape[1] - width, 0)))
    y = int(np.clip(box.y1 - height, 0, max(canvas.shape[0] - height, 0)))
    chip = number.shape[1] + 2 * pad
    _darken(canvas, x, y, width, height)
    color = np.array(_rgb(person_color(face.track_id or 1)), np.float32)
    canvas[y : y + height, x : x + chip] = color
    _write(canvas, number, x + pad, y + (height - number.shape[0]) // 2, np.zeros(3, np.float32))
    _write(canvas, text, x + chip + pad, y + (height - text.shape[0]) // 2, np.full(3, 255, np.float32))


def _draw_bars(canvas: np.ndarray, face: Face, box: Box, text_px: int) -> None:
    """Draw the most probable expressions below the box, or at the bottom of the frame."""
    rows = sorted(zip(face.labels, face.probabilities, strict=True), key=lambda pair: -pair[1])[:BARS]
    row_px, pad = round(1.5 * text_px), text_px // 2
    texts = [_text(label, text_px) for label, _ in rows]
    text_width = max(text.shape[1] for text in texts)
    width = max(round(box.width), text_width + 5 * text_px)
    height = row_px * len(rows) + pad
    x = int(np.clip(box.x1, 0, max(canvas.shape[1] - width, 0)))
    y = int(np.clip(box.y2, 0, max(canvas.shape[0] - height, 0)))
    _darken(canvas, x, y, width, height)
    left = x + text_width + 2 * pad
    for row, ((label, probability), text) in enumerate(zip(rows, texts, strict=True)):
        top = y + pad // 2 + row * row_px
        _write(canvas, text, x + pad, top + (row_px - text.shape[0]) // 2, np.full(3, 255, np.float32))
        right = left + round(probability * (x + width - pad - left))
        cv2.rectangle(canvas, (left, top + row_px // 5), (right, top + row_px - row_px // 5), _rgb(color_of(label)), -1)


def _darken(canvas: np.ndarray, x: int, y: int, width: int, height: int) -> None:
    part = canvas[y : y + height, x : x + width]
    part[:] = part * (1 - _DARK_SHARE) + _DARK * _DARK_SHARE


def _write(canvas: np.ndarray, text: np.ndarray, x: int, y: int, color: np.ndarray) -> None:
    part = canvas[max(y, 0) : y + text.shape[0], x : x + text.shape[1]]
    ink = text[: part.shape[0], : part.shape[1], None]
    part[:] = part * (1 - ink) + color * ink


@lru_cache(maxsize=2000)
def _text(text: str, size_px: int) -> np.ndarray:
    """Return how much ink lies on each pixel, 0..1, float32 (height, width); all texts of a size are as high."""
    font = _font(size_px)
    mask, (_, top) = font.getmask2(text, mode="L", anchor="ls")
    ink = np.asarray(mask, np.float32).reshape(mask.size[::-1]) / 255
    ascent, descent = font.getmetrics()
    page = np.zeros((ascent + descent, max(ink.shape[1], 1)), np.float32)
    y = max(ascent + top, 0)
    ink = ink[: page.shape[0] - y]
    page[y : y + ink.shape[0]] = ink
    return page


@lru_cache(maxsize=16)
def _font(size_px: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size_px)
    assert isinstance(font, ImageFont.FreeTypeFont)  # with a size Pillow always gives this one
    return font


@lru_cache(maxsize=64)
def _rgb(color: str) -> tuple[int, ...]:
    return ImageColor.getrgb(color)
