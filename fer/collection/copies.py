"""Annotated copies of pictures, and thumbnails of their faces."""

import base64
from collections.abc import Sequence

import numpy as np

from fer.draw.picture import draw_faces
from fer.faces import Face
from fer.files import replace_file
from fer.images import encode_jpeg, encode_png, shrink_to_fit
from fer.model.checkpoint import ModelInfo
from fer.recognition.photo import PREVIEW_PX, scaled
from fer.results.journal import PictureTask

THUMBNAIL_PX = 96


def write_whole(
    unsure_below: float, picture: PictureTask, image: np.ndarray, faces: tuple[Face, ...]
) -> tuple[str, ...]:
    """Write the annotated picture as PNG, as large as it is; no thumbnails."""
    if picture.output:
        data = encode_png(draw_faces(image, faces, threshold=unsure_below))
        replace_file(picture.output, lambda file: file.write(data), durable=False)
    return ()


def write_preview(info: ModelInfo, picture: PictureTask, image: np.ndarray, faces: tuple[Face, ...]) -> tuple[str, ...]:
    """Write the annotated picture as JPEG, at most `PREVIEW_PX` long, and return the thumbnails that a page shows."""
    preview = shrink_to_fit(image, PREVIEW_PX)
    if picture.output:
        shown = [scaled(face, preview.shape[1] / image.shape[1]) for face in faces]
        data = encode_jpeg(draw_faces(preview, shown, threshold=info.unsure_below))
        picture.output.parent.mkdir(parents=True, exist_ok=True)
        replace_file(picture.output, lambda file: file.write(data), durable=False)
    return _thumbnails([info.preprocessing.crop(image, face) for face in faces] or [preview])


def _thumbnails(images: Sequence[np.ndarray]) -> tuple[str, ...]:
    encoded = (base64.b64encode(encode_jpeg(shrink_to_fit(image, THUMBNAIL_PX))).decode() for image in images)
    return tuple(f"data:image/jpeg;base64,{text}" for text in encoded)
