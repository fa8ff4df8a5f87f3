"""One photo, read and recognized, in a form small enough to keep for as long as somebody looks at it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fer.faces import Box, Face
from fer.images import ImageSource, read_image, shrink_to_fit

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer

PREVIEW_PX = 1280
"""Longest side of the picture that is kept for showing; a phone's picture takes 150 MB as it is."""

THUMBNAIL_PX = 160
"""Longest side of a face's crop that is kept."""


@dataclass(frozen=True, eq=False)
class PhotoFace:
    """A face with what a person wants to see of it."""

    face: Face
    """In pixels of the whole photo."""
    shown: Face
    """The same in pixels of the preview."""
    network_input: np.ndarray
    """What the network saw, uint8 (S, S) or RGB uint8 (S, S, 3)."""
    crop: np.ndarray
    """The upright square that was shrunk to it, RGB uint8 (side, side, 3), at most `THUMBNAIL_PX` wide."""

    @property
    def pixels(self) -> np.ndarray:
        """`network_input` as the network takes it, uint8 (C, S, S)."""
        return self.network_input[None] if self.network_input.ndim == 2 else self.network_input.transpose(2, 0, 1)


@dataclass(frozen=True, eq=False)
class PhotoResult:
    """What was found in one photo."""

    preview: np.ndarray
    """RGB uint8 (h, w, 3), at most `PREVIEW_PX` long."""
    size_wh: tuple[int, int]
    """Of the whole photo, in pixels."""
    faces: tuple[PhotoFace, ...]


def recognize_photo(recognizer: "Recognizer", source: ImageSource) -> PhotoResult:
    """Read a photo, as `read_image` takes it, and find its faces and their expressions.

    Raises:
        ImageError: the photo cannot be read.
    """
    image = read_image(source)
    height, width = image.shape[:2]
    preview = shrink_to_fit(image, PREVIEW_PX)
    scale = preview.shape[1] / width
    faces = tuple(_photo_face(recognizer, image, face, scale) for face in recognizer.recognize(image))
    return PhotoResult(preview, (width, height), faces)


def _photo_face(recognizer: "Recognizer", image: np.ndarray, face: Face, scale: float) -> PhotoFace:
    crop = recognizer.info.preprocessing.crop(image, face)
    pixels = recognizer.info.preprocessing.shrink(crop)
    return PhotoFace(
        face,
        scaled(face, scale),
        pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0),
        shrink_to_fit(crop, THUMBNAIL_PX),
    )


def scaled(face: Face, scale: float) -> Face:
    """Return a face where it is in its picture after that was made `scale` times as large."""
    return replace(
        face,
        box=Box(*(value * scale for value in face.box.xyxy)),
        landmarks=tuple((x * scale, y * scale) for x, y in face.landmarks),
    )
