"""Pictures of textured patches that represent faces, a recognizer that finds them, and engines with controlled timing.

The blue of a patch identifies the person, so a test knows the truth in every picture; the background has no blue.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fer.faces import Box, Detection, Face, Opinions, Point

Image = npt.NDArray[np.uint8]

LABELS = ("neutral", "happiness", "anger")
CALM, HAPPY, ANGRY = (0.8, 0.1, 0.1), (0.1, 0.8, 0.1), (0.1, 0.1, 0.8)
USUAL = tuple(math.log(share) for share in CALM)
"""The fake's mean for neutral faces."""
MOST_PATCHES = 8


@dataclass(frozen=True)
class Patch:
    """A face of the person 0, 1, … with its box centered at (x, y)."""

    person: int
    x: float
    y: float
    size: float = 60.0

    @property
    def box(self) -> Box:
        half = self.size / 2
        return Box(self.x - half, self.y - half, self.x + half, self.y + half)

    @property
    def detection(self) -> Detection:
        return Detection(self.box, _landmarks(self.box), 0.99)


def _landmarks(box: Box) -> tuple[Point, ...]:
    places = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))
    return tuple((box.x1 + x * box.width, box.y1 + y * box.height) for x, y in places)


def _texture(person: int) -> Image:
    coarse = np.random.default_rng(person).integers(0, 255, (12, 12), np.uint8)
    return np.asarray(cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC), np.uint8)


_TEXTURES = [_texture(person) for person in range(MOST_PATCHES)]


def blue_of(person: int) -> int:
    return 250 - 10 * person


@lru_cache
def _ground(size_wh: tuple[int, int]) -> Image:
    width, height = size_wh
    coarse = np.random.default_rng(99).integers(90, 150, (height // 8 + 1, width // 8 + 1), np.uint8)
    gray = cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC)
    return np.stack([gray, gray, np.zeros_like(gray)], axis=-1).astype(np.uint8)


def draw_scene(patches: Sequence[Patch], size_wh: tuple[int, int] = (320, 240)) -> Image:
    """Draw patches, later ones over earlier ones. RGB uint8 (H, W, 3)."""
    image = _ground(size_wh).copy()
    for patch in patches:
        scale = patch.size / 96
        matrix = np.array([[scale, 0, patch.box.x1], [0, scale, patch.box.y1]])
        texture = cv2.warpAffine(_TEXTURES[patch.person], matrix, size_wh)
        inside = cv2.warpAffine(np.ones((96, 96), np.uint8), matrix, size_wh, flags=cv2.INTER_NEAREST) > 0
        image[inside] = np.stack([texture, texture, np.full_like(texture, blue_of(patch.person))], axis=-1)[inside]
    return image


def find(image: Image) -> list[Detection]:
    """Find the patches that are wholly or almost wholly visible, from left to right."""
    found, blue = [], np.ascontiguousarray(image[..., 2])
    for person in range(MOST_PATCHES):
        there = blue == blue_of(person)
        columns, rows = np.flatnonzero(there.any(axis=0)), np.flatnonzero(there.any(axis=1))
        if not len(columns):
            continue
        box = Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
        if 0.85 < box.width / box.height < 1.18:
            found.append(Detection(box, _landmarks(box), 0.99))
    return sorted(found, key=lambda one: one.box.x1)


class FakeRecognizer:
    """Finds patches and gives the configured reading of each person; keeps its inputs."""

    info = SimpleNamespace(labels=LABELS, unsure_below=0.45, neutral=USUAL)

    def __init__(self) -> None:
        self.shown: dict[int, tuple[float, ...]] = {}
        self.opinions: Opinions | None = None
        self.scores_again: list[float] = []
        """The next scores of a second look; later ones are 1."""
        self.looks_again = 0
        self.smallest_faces: list[float | None] = []
        self.pictures: list[tuple[int, ...]] = []
        self.classified = 0
        self.error: Exception | None = None

    @property
    def searches(self) -> int:
        return len(self.smallest_faces)

    def detect(self, image: Image, smallest_face: float | None = None) -> list[Detection]:
        self.smallest_faces.append(smallest_face)
        self.pictures.append(image.shape)
        if self.error:
            error, self.error = self.error, None
            raise error
        return find(image)

    def look_again(self, image: Image, detection: Detection) -> Detection:
        self.looks_again += 1
        return replace(detection, score_again=self.scores_again.pop(0) if self.scores_again else 1.0)

    def classify(self, image: Image, detections: list[Detection]) -> list[Face]:
        self.classified += 1
        return [self._named(image, one) for one in detections]

    def _named(self, image: Image, one: Detection) -> Face:
        x, y = (min(int(place), length - 1) for place, length in zip(one.box.center, image.shape[1::-1], strict=True))
        probabilities = self.shown.get((250 - int(image[y, x, 2])) // 10, CALM)
        return Face(
            one.box,
            one.landmarks,
            one.score,
            score_again=one.score_again,
            labels=LABELS,
            probabilities=probabilities,
            opinions=self.opinions,
        )


class AtOnce(Executor):
    """Runs each task before `submit` returns."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


class Manual(Executor):
    """Runs tasks only when told to."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Callable[[], Any]]] = []

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: fn(*args, **kwargs)))
        return future

    def finish_next(self) -> None:
        future, task = self.waiting.pop(0)
        try:
            future.set_result(task())
        except Exception as error:
            future.set_exception(error)
