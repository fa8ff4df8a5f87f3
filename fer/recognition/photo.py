"""Recognize one photo, with a result small enough to keep while somebody looks at it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fer.faces import Detection, Face, reading_order, turned
from fer.images import ImageSource, encode_jpeg, read_image, shrink_to_fit
from fer.model.preprocessing import roll_degrees

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer

PICTURE_PX = 2560
"""Longest side of the picture kept for display: enough to inspect a face. As JPEG it takes 1 MB; the pixels of a
phone's
picture take 150."""

THUMBNAIL_PX = 160
"""Longest side of the crop kept of a face."""

UPRIGHT_DEGREES = 60
"""A face tilted more is sideways or upside down: upright faces are detected up to this angle."""


@dataclass(frozen=True, eq=False)
class PhotoFace:
    """A face with the pictures that are shown of it."""

    face: Face
    """In pixels of the whole photo, in the orientation of its file."""
    shown: Face
    """In pixels of the whole photo as it is displayed, see `PhotoResult.turns`."""
    network_input: np.ndarray
    """The network's input, uint8 (S, S) or RGB uint8 (S, S, 3)."""
    crop: np.ndarray
    """The upright crop that it was made from, RGB uint8 (side, side, 3), at most `THUMBNAIL_PX` wide."""

    @property
    def pixels(self) -> np.ndarray:
        """The network's input as `Preprocessing.shrink` returns it, uint8 (C, S, S)."""
        return self.network_input[None] if self.network_input.ndim == 2 else self.network_input.transpose(2, 0, 1)


@dataclass(frozen=True, eq=False)
class PhotoResult:
    """What was found in one photo."""

    picture: bytes
    """The displayed photo as a JPEG file, at most `PICTURE_PX` long."""
    size_wh: tuple[int, int]
    """Size of the whole photo in pixels, in the orientation of its file."""
    faces: tuple[PhotoFace, ...]
    """In the reading order of the displayed photo."""
    turns: int = 0
    """Quarter turns counterclockwise from the file to the displayed photo, 0..3."""

    @property
    def shown_wh(self) -> tuple[int, int]:
        """Size of the whole photo as it is displayed, in pixels."""
        width, height = self.size_wh
        return (height, width) if self.turns % 2 else (width, height)


def recognize_photo(recognizer: "Recognizer", source: ImageSource, turns: int | None = None) -> PhotoResult:
    """Read a photo, and recognize its faces.

    Args:
        recognizer: the recognizer to use.
        source: the photo, as for `read_image`.
        turns: quarter turns counterclockwise to apply first. None applies none, but if most faces turn out to be
            sideways, the displayed photo is rotated so that they are upright.

    Raises:
        ImageError: the photo cannot be read.
    """
    photo = read_image(source)
    searched = _turned_picture(photo, turns or 0)
    found = recognizer.recognize(searched)
    more = quarters_to_upright(found) if turns is None else 0
    upright = _turned_picture(searched, more)
    way = ((turns or 0) + more) % 4
    preprocessing = recognizer.info.preprocessing
    faces = []
    for shown in reading_order(turned(face, more, _size_wh(searched)) for face in found):
        crop = preprocessing.crop(upright, shown)
        pixels = preprocessing.shrink(crop)
        network_input = pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
        face = turned(shown, -way, _size_wh(upright))
        faces.append(PhotoFace(face, shown, network_input, shrink_to_fit(crop, THUMBNAIL_PX)))
    return PhotoResult(encode_jpeg(shrink_to_fit(upright, PICTURE_PX)), _size_wh(photo), tuple(faces), way)


def _turned_picture(image: np.ndarray, turns: int) -> np.ndarray:
    return np.ascontiguousarray(np.rot90(image, turns))


def _size_wh(image: np.ndarray) -> tuple[int, int]:
    return image.shape[1], image.shape[0]


def quarters_to_upright(faces: Sequence[Detection]) -> int:
    """Return the quarter turns counterclockwise that make most faces of a picture upright, 0..3."""
    rolls = (roll_degrees(face) for face in faces)
    ways = Counter(round(roll / 90) % 4 if abs(roll) > UPRIGHT_DEGREES else 0 for roll in rolls)
    return ways.most_common(1)[0][0] if ways else 0
