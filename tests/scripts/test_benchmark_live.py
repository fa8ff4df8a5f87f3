"""What the benchmark of the live engine counts, with a model whose readings are known."""

from typing import Any

import numpy as np
import pytest

from fer.datasets import FaceDataset
from fer.faces import Box, Detection, Face
from scripts.benchmarks import live

LABELS = ("dark", "bright")
BOX = Box(230.0, 230.0, 410.0, 430.0)


class Brightness:
    """Always finds one face; every third reading is wrong, with less confidence than the others."""

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, image: np.ndarray, smallest_face: float | None = None) -> list[Detection]:
        return [Detection(BOX, ((0.0, 0.0),) * 5, 1.0)]

    def look_again(self, image: np.ndarray, detection: Detection) -> Detection:
        return detection

    def classify(self, image: np.ndarray, detections: list[Detection]) -> list[Face]:
        self.looks += 1
        bright = float(image[240:400, 240:400].mean() > 100)
        sure = bright if self.looks % 3 else 0.6 - 0.2 * bright
        return [Face(d.box, d.landmarks, d.score, labels=LABELS, probabilities=(1 - sure, sure)) for d in detections]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "HOLD_SECONDS", 1)


def scene(*words: str) -> live.Scene:
    return [(word, np.full((260, 200, 3), 20 if word == "dark" else 220, np.uint8)) for word in words]


@pytest.mark.slow
def test_wrong_moments_are_counted_and_smoothing_hides_them() -> None:
    recognizer: Any = Brightness()
    figures = live._labels(recognizer, [scene("dark", "bright"), scene("bright", "dark")])
    assert figures["labels without smoothing: correct (%)"] == pytest.approx(100 * 2 / 3, abs=8)
    assert figures["labels with smoothing: correct (%)"] > 90
    # One true change in each of the two scenes of two seconds.
    assert figures["labels with smoothing: changes (1/minute)"] == pytest.approx(60 * 2 / 4)
    assert figures["labels without smoothing: changes (1/minute)"] > 5 * 30


def test_faces_of_a_data_set_become_one_scene() -> None:
    faces = FaceDataset(
        "two", LABELS, np.eye(2, dtype=np.float32)[[0, 1, 1]], np.array(["validation", "validation", "train"]),
        np.stack([np.full((48, 48), shade, np.uint8) for shade in (0, 250, 250)]),
    )  # fmt: skip
    (shown,) = live._known_faces(faces)
    assert sorted((word, int(picture[130, 100, 0])) for word, picture in shown) == [("bright", 250), ("dark", 0)]


@pytest.mark.parametrize("faces", [1, 4])
def test_the_photo_moves(faces: int) -> None:
    frame = live.moving_photo(faces)
    assert frame(0).shape == (480, 640, 3)
    assert not np.array_equal(frame(0), frame(60))
