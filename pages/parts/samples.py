"""What to try the app with: one photo by NASA, in the public domain, one drawing, one drawn video."""

from pathlib import Path

import numpy as np

from fer.datasets.drawing import draw_portrait
from fer.images import read_image

PHOTO, DRAWING = "Astronaut Eileen Collins (NASA)", "Four drawn faces"
SAMPLES = (PHOTO, DRAWING)


def sample_picture(name: str) -> np.ndarray:
    """Return one of `SAMPLES`, RGB uint8 (H, W, 3)."""
    if name == PHOTO:
        return read_image(Path(__file__).with_name("astronaut.jpg"))
    random = np.random.default_rng(7)
    portraits = [
        draw_portrait(expression, random, width_px=320, height_px=400, face_height_px=190)[0]
        for expression in ("happiness", "surprise", "anger", "sadness")
    ]
    return np.hstack(portraits)


def sample_clip(path: Path) -> None:
    """Write a video of ten seconds, with a tone: a drawn person whose expression changes, MP4."""
    from fer.datasets.drawing.clip import known_frames, write_clip

    write_clip(path, known_frames())
