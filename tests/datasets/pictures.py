"""Generated pictures that are as different from each other as photos, and files of them."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image


def pattern(seed: int, size_px: int = 48) -> npt.NDArray[np.uint8]:
    """Return soft random blobs, gray uint8 (size, size); the same seed gives the same ones."""
    blots = np.random.default_rng(seed).integers(0, 256, (6, 6), np.uint8)
    return np.array(Image.fromarray(blots).resize((size_px, size_px), Image.Resampling.BICUBIC))


def write_picture(file: Path, picture: npt.NDArray[np.uint8]) -> Path:
    """Save a picture, creating its folder."""
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture).save(file)
    return file
