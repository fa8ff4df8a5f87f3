"""One photo, read and recognized, in a form small enough to keep for as long as somebody looks at it."""

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
"""Longest side of the picture that is kept for showing: enough to look closely at a face. As JPEG it takes 1 MB, a
phone's picture in pixels 150."""

THUMBNAIL_PX = 160
"""Longest side of a face's crop that is kept."""

LYING_DEGREES = 60
"""A face that is tilted more lies on its side or stands on its head: upright ones are found up to there."""


@dataclass(frozen=True, eq=False)
class PhotoFace:
    """A face with what a person wants to see of it."""

    face: Face
    """In pixels of the whole photo, the way up that its file has."""
    shown: Face
    """The same in pixels of the whole photo as it is shown, see `PhotoResult.turns`."""
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

    picture: bytes
    """The photo as it is shown, a JPEG file, at most `PICTURE_PX` long."""
    size_wh: tuple[int, int]
    """Of the whole photo, in pixels, the way up that its file has."""
    faces: tuple[PhotoFace, ...]
    """In the reading order of the photo as it is shown."""
    turns: int = 0
    """By how many quarters against the clock it is shown turned, 0..3."""

    @property
    def shown_wh(self) -> tuple[int, int]:
        """Size of the whole photo as it is shown, in pixels."""
        width, height = self.size_wh
        return (height, width) if self.turns % 2 else (width, height)


def recognize_photo(recognizer: "Recognizer", source: ImageSource, turns: int | None = None) -> PhotoResult:
    """Read a photo, as `read_image` takes it, and find its faces and their expressions.

    Args:
        recognizer: finds and names them.
        source: the photo.
        turns: by how many quarters against the clock it is turned before. None leaves it as it is; if its faces are
            then found lying, it is shown turned so that they are upright.

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
    """Return by how many quarters against the clock a picture is to be turned so that most faces are upright, 0..3."""
    rolls = (roll_degrees(face) for face in faces)
    ways = Counter(round(roll / 90) % 4 if abs(roll) > LYING_DEGREES else 0 for roll in rolls)
    return ways.most_common(1)[0][0] if ways else 0
