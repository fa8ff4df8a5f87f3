"""The detector's second look: people are still people, animals and things are not."""

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import skimage.data

from fer.datasets.drawing import draw_portrait
from fer.recognition.detector import MIN_SCORE, FaceDetector
from fer.recognition.mtcnn import Mtcnn
from scripts.nonhuman import drawn_animal

Image = npt.NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


PEOPLE: dict[str, Callable[[Image], Image]] = {
    "as is": lambda image: image,
    "mirrored": lambda image: image[:, ::-1],
    "dark": lambda image: (image * 0.3).astype(np.uint8),
    "small": lambda image: cv2.resize(image, (200, 200), interpolation=cv2.INTER_AREA),
    "lying": lambda image: np.rot90(image),
    "at the border": lambda image: image[60:, 170:],
    "drawn": lambda _: draw_portrait("happiness", np.random.default_rng(0))[0],
}


@pytest.mark.parametrize("picture", PEOPLE)
def test_people_look_human(detector: FaceDetector, astronaut: Image, picture: str) -> None:
    faces = detector.detect(np.ascontiguousarray(PEOPLE[picture](astronaut)))
    assert faces and max(faces, key=lambda face: face.box.height).looks_human


def animal(seed: int) -> Image:
    return drawn_animal(np.random.default_rng(seed))


def gravel() -> Image:
    """Enlarge 68 pixels of stones: RGB uint8 (160, 160, 3)."""
    stones = cv2.resize(skimage.data.gravel()[143:211, 430:498], (160, 160), interpolation=cv2.INTER_CUBIC)
    return np.stack([stones] * 3, axis=-1)


NOBODY: dict[str, Callable[[], Image]] = {
    **{f"animal {seed}": partial(animal, seed) for seed in (22, 43, 46, 86)},
    "gravel": gravel,
}


@pytest.mark.parametrize("picture", NOBODY)
def test_false_detections_do_not_look_human(detector: FaceDetector, picture: str) -> None:
    (face,) = detector.detect(NOBODY[picture]())
    assert face.score >= MIN_SCORE and not face.looks_human


def test_searches_for_videos_look_again_only_if_asked(detector: FaceDetector) -> None:
    (face,) = detector.detect(animal(46), smallest_face=0.125)
    assert face.score_again is None and face.looks_human
    assert not detector.look_again(animal(46), face).looks_human


def test_a_square_may_extend_beyond_the_picture(astronaut: Image) -> None:
    boxes = [(-300, -300, -100, -100), (600, 40, 700, 140), (3, 3, 4, 4), (173, 60, 276, 200)]
    scores = Mtcnn().look_again(astronaut, np.array(boxes, np.float32))
    assert scores.shape == (4,) and np.isfinite(scores).all()
    assert scores.argmax() == 3
    assert Mtcnn().look_again(astronaut, np.empty((0, 4), np.float32)).shape == (0,)


def test_facenet_pytorch_looks_again_too(detector: FaceDetector, astronaut: Image) -> None:
    from fer.recognition.facenet import FacenetMtcnn

    for image in (astronaut[:300, 100:400], animal(46)):
        (expected,) = detector.detect(image)
        (face,) = FaceDetector(mtcnn=FacenetMtcnn()).detect(image)
        assert face.score_again == pytest.approx(expected.score_again, abs=0.02)
