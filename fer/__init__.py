"""Facial expression recognition: MTCNN finds faces, a ResNet reads their expressions, and everything runs locally.

    from fer import Recognizer, draw_faces, read_image

    image = read_image("photo.jpg")
    faces = Recognizer.load().recognize(image)
    annotated = draw_faces(image, faces)

Each of these names is imported on first use, so importing the package itself costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fer.draw.picture import draw_faces
    from fer.faces import Face
    from fer.images import read_image
    from fer.recognition.recognizer import Recognizer

__all__ = ["Face", "Recognizer", "__version__", "draw_faces", "read_image"]
__version__ = "1.0.0"

_MODULES = {
    "Face": "fer.faces",
    "Recognizer": "fer.recognition.recognizer",
    "draw_faces": "fer.draw.picture",
    "read_image": "fer.images",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'fer' has no attribute {name!r}")
    from fer.errors import PackageMissingError

    try:
        value = getattr(importlib.import_module(_MODULES[name]), name)
    except ModuleNotFoundError as error:
        raise PackageMissingError.from_import(error) from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
