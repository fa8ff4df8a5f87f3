"""Draw faces onto their picture, and heat maps over a face."""

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from fer.faces import UNSURE_BELOW, Box, Face, describe
from fer.images import check_rgb, shrink_to_fit
from fer.labels import color_of

UNSURE_COLOR = "#8A8F98"
HEAT_PX = 320
"""Side of the picture with the heat map."""
HEAT_SHARE = 0.6
"""Opacity of the map over the face."""
Place = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels."""


def draw_faces(image: np.ndarray, faces: Sequence[Face], *, threshold: float = UNSURE_BELOW) -> np.ndarray:
    """Return a copy of the picture with each face's box, number and expression.

    Args:
        image: RGB uint8 (H, W, 3).
        faces: from `Recognizer.recognize`; numbered from 1 in this order.
        threshold: a face with less confidence is unsure, 0..1.
    """
    check_rgb(image)
    picture = Image.fromarray(image)
    canvas = ImageDraw.Draw(picture)
    longest_px = max(picture.size)
    line_px = max(round(longest_px / 300), 2)
    font = ImageFont.load_default(size=max(longest_px / 45, 13))
    colors = [UNSURE_COLOR if face.confidence < threshold else color_of(face.label) for face in faces]
    for face, color in zip(faces, colors, strict=True):
        x1, y1, x2, y2 = map(round, face.box.xyxy)  # Pillow's rectangles include the last pixel, boxes do not
        canvas.rectangle((x1, y1, max(x2 - 1, x1), max(y2 - 1, y1)), outline=color, width=line_px)
    tags: list[Place] = []
    pad = 2 * line_px
    for number, (face, color) in enumerate(zip(faces, colors, strict=True), start=1):
        # After all boxes, so that no line crosses a text.
        text = f"{number}  {'unsure' if face.confidence < threshold else describe(face)}"
        left, top, right, bottom = canvas.textbbox((0, 0), text, font=font)
        size_wh = right - left + 2 * pad, bottom - top + 2 * pad
        place = place_tag(size_wh, face.box, picture.size, [other.box for other in faces], tags)
        canvas.rectangle((*place[:2], place[2] - 1, place[3] - 1), fill=color)
        canvas.text((place[0] + pad - left, place[1] + pad - top), text, fill=text_color_on(color), font=font)
        tags.append(place)
    return np.array(picture)


def place_tag(
    size_wh: tuple[float, float], box: Box, picture_wh: tuple[int, int], faces: Sequence[Box], tags: Sequence[Place]
) -> Place:
    """Return the place of a face's tag: above, below or beside its box, inside the picture.

    It avoids faces and other tags; if that is impossible, other tags only; at worst, nothing.

    Args:
        size_wh: size of the tag in pixels.
        box: the box of its face.
        picture_wh: size of the picture.
        faces: the boxes of all faces.
        tags: the places already taken.
    """
    width, height = size_wh
    rightmost, lowest = (max(space, 0) for space in (picture_wh[0] - width, picture_wh[1] - height))
    along = [float(np.clip(x, 0, rightmost)) for x in (box.x1, box.x2 - width)]
    beside = float(np.clip(box.y1, 0, lowest))
    outside = [(x, y) for y in (box.y1 - height, box.y2) for x in along]
    outside += [(x, y) for x in (box.x2, box.x1 - width) for y in (beside, box.y2 - height)]
    inside = [(along[0], y) for y in (box.y1, box.y2 - height, beside)]
    corners = [(x, y) for x, y in (*outside, *inside) if 0 <= x <= rightmost and 0 <= y <= lowest]
    places = [(x, y, x + width, y + height) for x, y in corners]
    free = [place for place in places if not any(_overlap(place, tag) for tag in tags)]
    clear = [place for place in free if not any(_overlap(place, face.xyxy) for face in faces)]
    return next(iter(clear or free or places))


def _overlap(a: Place, b: Place) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def text_color_on(background: str) -> str:
    """Return "#000000" or "#FFFFFF", whichever is more readable on "#RRGGBB" (WCAG 2 contrast)."""
    channels = np.array([int(background[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#FFFFFF"


def heat_picture(crop: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Overlay a heat map on a face, in colors of evenly rising brightness, readable with color blindness.

    Args:
        crop: RGB uint8 (side, side, 3).
        heat: float32 (h, w), 0..1, of the same square.

    Returns:
        RGB uint8 (HEAT_PX, HEAT_PX, 3): the face in gray, from dark violet (0) to bright yellow (1).
    """
    size = (HEAT_PX, HEAT_PX)
    smooth = cv2.resize(heat, size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    shown = cv2.resize(shrink_to_fit(crop, HEAT_PX), size, interpolation=cv2.INTER_CUBIC)
    gray = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)
    face = gray[..., None].astype(np.float32)
    return np.asarray((HEAT_SHARE * viridis(smooth) + (1 - HEAT_SHARE) * face).round(), np.uint8)


def viridis(values: np.ndarray) -> np.ndarray:
    """Map values of 0..1 to colors: float (h, w) → RGB uint8 (h, w, 3)."""
    levels = (255 * values).round().astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1])
