"""Samples to try the app with: a public-domain photo by NASA in four variants, and a drawn video."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import cv2
import numpy as np
from PIL import Image, ImageDraw

from fer.images import encode_png, read_image
from fer.recognition.photo import PhotoResult, recognize_photo

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer

PHOTO = "Astronaut"
CREDIT = "Astronaut Eileen Collins. Photo: NASA, public domain. The room and its frames are drawn."


def _astronaut() -> np.ndarray:
    return read_image(Path(__file__).with_name("astronaut.jpg"))


def _tilted(degrees: float, brightness: float = 1.0) -> np.ndarray:
    """Return the astronaut rotated counterclockwise around her chin, with mirrored borders."""
    image = _astronaut()
    matrix = cv2.getRotationMatrix2D((224.0, 180.0), degrees, 1.0)
    turned = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    return np.asarray((turned * brightness).round(), np.uint8)


def _room(*pictures: tuple[np.ndarray, int, int, int]) -> np.ndarray:
    """Return a wall, RGB uint8 (800, 1200, 3), with framed pictures: (square picture, left, top, side in pixels)."""
    room = Image.new("RGB", (1200, 800), "#C9C3B4")
    canvas = ImageDraw.Draw(room)
    canvas.rectangle((0, 690, 1200, 800), fill="#7A5C43")
    canvas.rectangle((0, 676, 1200, 690), fill="#F1EDE4")
    canvas.rounded_rectangle((90, 560, 520, 730), 30, fill="#3F5A66")
    canvas.rounded_rectangle((120, 600, 490, 700), 20, fill="#4D6C7A")
    for picture, left, top, side in pictures:
        frame, mat = round(0.14 * side), round(0.1 * side)
        for border, color in ((frame, "#2B2521"), (mat, "#F7F4EC")):
            canvas.rectangle((left - border, top - border, left + side + border, top + side + border), fill=color)
        room.paste(Image.fromarray(picture).resize((side, side), Image.Resampling.LANCZOS), (left, top))
    return np.asarray(room)


def _head(image: np.ndarray) -> np.ndarray:
    return image[:300, 75:375]


def _small() -> np.ndarray:
    return _room((_astronaut(), 760, 250, 150))


def _several() -> np.ndarray:
    image = _astronaut()
    gray = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    dark = np.asarray(image * 0.35, np.uint8)
    return _room(
        (_head(image), 90, 80, 230),
        (_head(_tilted(18)), 430, 120, 180),
        (_head(image)[:, ::-1], 720, 70, 230),
        (_head(dark), 1030, 120, 120),
        (_head(gray), 690, 410, 190),
        (_head(_tilted(-15, 0.6)), 980, 370, 140),
    )


_MADE: dict[str, Callable[[], np.ndarray]] = {
    PHOTO: _astronaut,
    "Tilted and dark": lambda: _tilted(25, 0.3),
    "Small in a scene": _small,
    "Several in one picture": _several,
}
SAMPLES = tuple(_MADE)
_results: "WeakKeyDictionary[Recognizer, dict[str, PhotoResult]]" = WeakKeyDictionary()


def sample_picture(name: str) -> np.ndarray:
    """Return one of `SAMPLES`, RGB uint8 (H, W, 3)."""
    return _MADE[name]()


def sample_result(recognizer: "Recognizer", name: str) -> PhotoResult:
    """Return the result of one of `SAMPLES`, computed once per model for all visitors."""
    kept = _results.setdefault(recognizer, {})
    if name not in kept:
        kept[name] = recognize_photo(recognizer, encode_png(sample_picture(name)))
    return kept[name]


def sample_clip(path: Path) -> None:
    """Write a ten-second MP4 video with sound: a drawn person whose expression changes."""
    from fer.datasets.drawing.clip import known_frames, write_clip

    write_clip(path, known_frames())
