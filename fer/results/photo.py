"""Photos as results: the record of a photo without its picture, and the photo restored from it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fer.faces import Face, scaled, turned
from fer.images import encode_jpeg, encode_png, read_image, shrink_to_fit
from fer.recognition.photo import PICTURE_PX, PhotoFace, PhotoResult
from fer.recognition.quality import concerns
from fer.results.content import Content, face_files, picture_file
from fer.results.pictures import PictureResult
from fer.results.result import Figures

EMPTY_RGB = 136, 143, 154
"""Color of the blank picture shown if the picture was not kept; fits light and dark pages."""


@dataclass(frozen=True)
class PhotoRecord:
    """The content of a photo's result.json."""

    size_wh: tuple[int, int]
    """The size of the whole photo, in pixels."""
    labels: tuple[str, ...]
    """The labels of the model."""
    unsure_below: float
    """The confidence below which a face was called unsure, 0..1."""
    faces: tuple[dict[str, Any], ...]
    """`Face.to_dict` of each face, with its `concerns`."""
    network_inputs: tuple[bytes, ...]
    """The network's input for each face, PNG."""
    turns: int = 0
    """See `PhotoResult`."""

    def picture_result(self, name: str) -> PictureResult:
        """Return the result that tables and JSON are made from."""
        return PictureResult(name, tuple(map(Face.from_dict, self.faces)), None, self.size_wh)


def photo_content(
    result: PhotoResult, labels: Sequence[str], unsure_below: float, picture: tuple[str, bytes] | None = None
) -> tuple[Figures, Content]:
    """Return the figures and the files to keep of a photo.

    Args:
        result: the analyzed photo.
        labels: the labels of the model.
        unsure_below: the confidence below which a face is called unsure, 0..1.
        picture: suffix and bytes of the file, written only if pictures are kept.
    """
    faces = [item.face for item in result.faces]
    sure = Counter(face.label for face in faces if face.confidence >= unsure_below)
    record = PhotoRecord(
        result.size_wh,
        tuple(labels),
        unsure_below,
        tuple(face.to_dict() | {"concerns": list(concerns(face, unsure_below))} for face in faces),
        tuple(encode_png(_rgb(item.network_input)) for item in result.faces),
        result.turns,
    )
    largest = max(result.faces, key=lambda item: item.face.box.height, default=None)
    crops = [item.crop for item in result.faces]
    thumbnail = largest.crop if largest else None  # a picture without faces has no thumbnail
    return Figures(faces=len(faces), expressions=sure), Content(record, thumbnail, crops, picture)


def restored_photo(record: PhotoRecord, folder: Path) -> PhotoResult:
    """Return the analyzed photo; if its picture was not kept, a blank picture with the faces in their places.

    Args:
        record: the record of the photo.
        folder: the folder of the result, see `ResultStore.folder`.

    Raises:
        ImageError: a picture cannot be read.
    """
    picture = picture_file(folder)
    items = []
    for face, seen, path in zip(
        map(Face.from_dict, record.faces), record.network_inputs, face_files(folder), strict=False
    ):
        crop, network_input = read_image(path), read_image(seen)
        shown = turned(face, record.turns, record.size_wh)
        is_gray = bool((network_input == network_input[..., :1]).all())
        items.append(PhotoFace(face, shown, network_input[..., 0] if is_gray else network_input, crop))
    crops = [(item.face, np.rot90(item.crop, -record.turns)) for item in items]
    image = read_image(picture) if picture else blank_picture(record.size_wh, crops)
    upright = np.ascontiguousarray(np.rot90(image, record.turns))
    return PhotoResult(encode_jpeg(shrink_to_fit(upright, PICTURE_PX)), record.size_wh, tuple(items), record.turns)


def blank_picture(size_wh: tuple[int, int], faces: Iterable[tuple[Face, np.ndarray]]) -> np.ndarray:
    """Return what is shown for a picture that was not kept: its faces on an empty frame, RGB uint8 (H, W, 3).

    Args:
        size_wh: the size of the picture in pixels; the frame has the same shape and is at most `PICTURE_PX` long.
        faces: the faces, each with its square crop, RGB uint8 (side, side, 3).
    """
    scale = min(PICTURE_PX / max(size_wh), 1.0)
    width, height = (max(round(length * scale), 1) for length in size_wh)
    frame = Image.new("RGB", (width, height), EMPTY_RGB)
    for face, crop in faces:
        box = scaled(face, width / size_wh[0]).box
        side = max(round(box.height), 1)
        left, top = (round(middle - side / 2) for middle in box.center)
        frame.paste(Image.fromarray(crop).resize((side, side)), (left, top))
    return np.array(frame)


def _rgb(pixels: np.ndarray) -> np.ndarray:
    """Return a network input, (S, S) or (S, S, 3), as RGB (S, S, 3)."""
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
