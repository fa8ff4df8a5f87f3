"""Draw faces with the eight FER+ expressions, to try training, tests and pages without a data set.

An expression is a set of action units, the facial muscle movements of the Facial Action Coding System (Ekman, Friesen
and Hager 2002). They move the brows, lids, nose and lips of a random person. Points are in face units: the origin is
between the eyes, x to the right, y down, and 1 is the side of a FER2013 crop. Pictures are painted larger than
requested and shrunk, so that thin lines survive at 48 px.
"""

import math
from dataclasses import astuple

import cv2
import numpy as np
import numpy.typing as npt

from fer.datasets.drawing.canvas import Canvas, Image, Points
from fer.datasets.drawing.painting import paint_person
from fer.datasets.drawing.person import EXPRESSIONS, ActionUnits, Person

__all__ = ["EXPRESSIONS", "NOT_REAL", "ActionUnits", "draw_face", "draw_portrait"]

NOT_REAL = "Drawn faces are for trying things out: figures on them say nothing about how good a model is on people."
"""The note of a data set of drawn faces, and of reports about one."""

_CROP_CENTER = np.array([0.0, 0.11])  # of a FER2013 crop, in face units: its eyes are at 39 % of the height
_BOX_SIZE = np.array([1 / 1.24, 1 / 0.95])  # of MTCNN's box around such a face, in face units


def draw_face(expression: str, rng: np.random.Generator, *, size_px: int = 48, strength: float | None = None) -> Image:
    """Draw the face of a random person, cropped the way FER2013 is: RGB uint8 (size_px, size_px, 3).

    Args:
        expression: A label of `fer.labels.FERPLUS`.
        rng: Decides on person, light and noise. The same state gives the same person, whatever the expression.
        size_px: Side of the picture, 16..1024.
        strength: 0 (neutral) .. 1 (full expression); None draws it from 0.6..1.
    """
    drawn_strength = rng.uniform(0.6, 1.0)  # always drawn, so that the person does not depend on the argument
    strength = drawn_strength if strength is None else strength
    movement = strength * np.array(astuple(EXPRESSIONS[expression]))
    crop_px = size_px * rng.normal(1.0, 0.035)
    middle = size_px * (0.5 + rng.uniform(-0.03, 0.03, 2))
    return _draw(movement, rng, (size_px, size_px), middle, crop_px)


def draw_portrait(
    expression: str,
    rng: np.random.Generator,
    *,
    width_px: int = 640,
    height_px: int = 480,
    face_height_px: int = 200,
) -> tuple[Image, tuple[float, float, float, float]]:
    """Draw a person with head, neck and shoulders in front of a wall.

    Returns RGB uint8 (height_px, width_px, 3), and the box of the face, (x1, y1, x2, y2) in pixels, where MTCNN would
    place it, with the requested height: centered horizontally, a little above half height. Person, strength (0.6..1),
    light and noise are random.
    """
    middle = np.array((width_px / 2, 0.47 * height_px))
    crop_px = face_height_px / _BOX_SIZE[1]
    x1, y1, x2, y2 = np.concatenate([middle - crop_px * _BOX_SIZE / 2, middle + crop_px * _BOX_SIZE / 2]).tolist()
    movement = rng.uniform(0.6, 1.0) * np.array(astuple(EXPRESSIONS[expression]))
    image = _draw(movement, rng, (width_px, height_px), middle, crop_px)
    return image, (x1, y1, x2, y2)


def _draw(
    movement: npt.NDArray[np.float64],
    rng: np.random.Generator,
    resolution_wh: tuple[int, int],
    middle: Points,
    crop_px: float,
) -> Image:
    """Paint a random person with the crop's center at `middle` and a crop of `crop_px` pixels, and photograph them."""
    oversampling = 1 if max(resolution_wh) > 2048 else 2
    roll = math.radians(float(np.clip(rng.normal(0, 4), -10, 10)))
    rotation = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    linear = crop_px * oversampling * rotation
    width, height = (oversampling * side for side in resolution_wh)
    person = Person(rng)
    # Nobody moves exactly like the textbook: each muscle has its own strength and is never quite at rest.
    vigor, unrest = rng.uniform(0.75, 1.15, movement.size), np.abs(rng.normal(0, 0.035, movement.size))
    units = ActionUnits(*(vigor * movement + unrest).tolist())
    walls = rng.uniform(70, 225) + rng.normal(0, 22, 3) + rng.normal(0, 22, (2, 1))
    ramp = np.linspace(walls[0], walls[1], height)[:, None].clip(0, 255).astype(np.uint8)
    wall = np.asarray(cv2.resize(ramp, (width, height)), dtype=np.uint8)
    canvas = Canvas(wall, linear, oversampling * middle - linear @ _CROP_CENTER)
    paint_person(canvas, person, units)
    image = cv2.resize(canvas.image, resolution_wh, interpolation=cv2.INTER_AREA)
    return _photograph(np.asarray(image, dtype=np.uint8), rng, crop_px)


def _photograph(image: Image, rng: np.random.Generator, crop_px: float) -> Image:
    """Add light from one side, contrast, lens blur and sensor noise."""
    height, width = image.shape[:2]
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.3)
    contrast, brightness, blur_px = rng.uniform(0.8, 1.1), rng.normal(4, 10), rng.uniform(0, 0.012) * crop_px
    grain = rng.uniform(0, 4)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * math.cos(angle)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * math.sin(angle)
    picture = image * (1 + np.float32(strength) * (x + y))[..., None]
    picture = np.float32(contrast) * (picture - 128) + np.float32(128 + brightness)
    blurred = cv2.GaussianBlur(picture, (0, 0), min(max(blur_px, 0.2), 1.2))
    noisy = blurred + np.float32(grain) * rng.standard_normal((height, width, 1), dtype=np.float32)
    return np.asarray(np.clip(noisy, 0, 255), dtype=np.uint8)
