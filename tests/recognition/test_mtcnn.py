"""Our loop finds facenet-pytorch's faces, in generated and real pictures, and none where facenet-pytorch fails."""

import copy
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from fer.datasets.drawing import draw_portrait
from fer.faces import Box, Detection
from fer.images import read_image
from fer.recognition.detector import FaceDetector
from fer.recognition.mtcnn import Candidates, Mtcnn, suppress
from fer.recognition.recognizer import Recognizer

Image = npt.NDArray[np.uint8]
Make = Callable[[Image], Image]

QUICK = ("whole", "200 pixels", "cut at 205, 0", "tilted by 20°", "chelsea")
"""The generated pictures used by `make check`."""
SETTINGS = (None, 0.125)
"""Sizes of a photo and of the webcam."""
SAME_SIDE = 0.03
"""Tolerance of corners and landmarks, as a share of the face's longer side."""


@pytest.fixture(scope="module")
def ours() -> FaceDetector:
    return FaceDetector()


@pytest.fixture(scope="module")
def facenet() -> FaceDetector:
    """facenet-pytorch on the same pictures, shrunk the same way."""
    from fer.recognition.facenet import FacenetMtcnn

    return FaceDetector(mtcnn=FacenetMtcnn())


def resized(image: Image, side: int) -> Image:
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA if side < len(image) else cv2.INTER_CUBIC)


def tilted(image: Image, degrees: float) -> Image:
    matrix = cv2.getRotationMatrix2D((225, 120), degrees, 1.0)
    return cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def montage(image: Image) -> Image:
    """Draw nine people of three sizes on a wall, some dark, some mirrored: RGB uint8 (900, 1200, 3)."""
    wall = np.full((900, 1200, 3), 120, np.uint8)
    for index in range(9):
        side = (160, 240, 320)[index % 3]
        person = resized(image[:360, 60:420], side)
        person = person[:, ::-1] if index % 2 else person
        top, left = 20 + 290 * (index // 3), 20 + 400 * (index % 3)
        part = wall[top : top + side, left : left + side]
        part[:] = (person * (0.4 + 0.1 * (index % 7)))[: len(part), : part.shape[1]]
    return wall


def crowd(image: Image) -> Image:
    """Fill a picture with 96 people whose faces are 30 pixels high: RGB uint8 (640, 960, 3)."""
    return np.tile(resized(image[:360, 60:420], 80), (8, 12, 1))


def portrait(expression: str, seed: int) -> Make:
    return lambda _: draw_portrait(expression, np.random.default_rng(seed))[0]


def sample(name: str) -> Make:
    def read(_: Image) -> Image:
        import skimage.data

        return np.asarray(getattr(skimage.data, name)(), np.uint8)

    return read


PICTURES: dict[str, Make] = {
    **{f"{side} pixels": lambda image, side=side: resized(image, side) for side in (90, 133, 200, 301, 777, 1600)},
    **{
        f"cut at {left}, {top}": lambda image, left=left, top=top: image[top : top + 300, left : left + 300]
        for left, top in ((0, 0), (205, 0), (0, 90), (100, 60), (212, 101))
    },
    "whole": lambda image: image,
    "mirrored": lambda image: image[:, ::-1],
    "dark": lambda image: (image * 0.25).astype(np.uint8),
    "bright": lambda image: np.clip(image * 1.8, 0, 255).astype(np.uint8),
    "blue": lambda image: image[..., ::-1],
    **{f"tilted by {angle}°": lambda image, angle=angle: tilted(image, angle) for angle in (-35, -15, 20, 45, 90, 180)},
    "four": lambda image: np.tile(image, (2, 2, 1)),
    "montage": montage,
    "crowd": crowd,
    "a strip": lambda image: np.pad(image[:200, 100:350], ((0, 0), (1500, 900), (0, 0)), mode="reflect"),
    "a column": lambda image: np.pad(image[:200, 160:290], ((700, 2100), (0, 0), (0, 0)), mode="edge"),
    **{f"drawn, {expression}": portrait(expression, seed) for seed, expression in enumerate(("happiness", "anger"))},
    **{name: sample(name) for name in ("coffee", "chelsea", "rocket")},
    "noise": lambda _: np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8),
    "coarse noise": lambda _: cv2.resize(
        np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8), (640, 500)
    ),
}


def differences(expected: list[Detection], found: list[Detection]) -> list[float]:
    """Return the error of each confident face as a share of its side; all must be found, and no others."""
    sure, others = ([face for face in faces if face.score > 0.9] for faces in (expected, found))
    assert len(sure) == len(others)
    off = []
    for face in sure:
        other = min(others, key=lambda one: np.hypot(*np.subtract(one.box.center, face.box.center)))
        others.remove(other)
        assert other.score == pytest.approx(face.score, abs=0.01)
        points = np.subtract((*face.landmarks, face.box.xyxy[:2], face.box.xyxy[2:]),
                             (*other.landmarks, other.box.xyxy[:2], other.box.xyxy[2:]))  # fmt: skip
        off.append(float(np.abs(points).max()) / max(face.box.width, face.box.height))
    return off


@pytest.mark.parametrize("smallest_face", SETTINGS)
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PICTURES]
)
def test_the_faces_are_facenet_pytorchs(
    ours: FaceDetector, facenet: FaceDetector, astronaut: Image, name: str, smallest_face: float | None
) -> None:
    image = PICTURES[name](astronaut)
    expected = facenet.detect(image, smallest_face)
    off = differences(expected, ours.detect(image, smallest_face))
    assert max(off, default=0) < SAME_SIDE


@pytest.mark.slow
def test_the_pictures_have_faces_to_find(facenet: FaceDetector, astronaut: Image) -> None:
    """An empty list equals an empty list, so the number of faces in these is known."""
    for name, count in {"whole": 1, "four": 4, "montage": 9, "crowd": 96, "dark": 1, "a strip": 1}.items():
        assert len(facenet.detect(PICTURES[name](astronaut))) >= 0.9 * count, name


@pytest.mark.slow
def test_real_faces_and_their_expressions_are_the_same(
    ours: FaceDetector, facenet: FaceDetector, shared_faces: Path
) -> None:
    files = sorted((shared_faces / "wild-val").rglob("*.jpg"))
    if not files:
        pytest.skip("the real photos are not there: ../shared/data/wild-val beside the repository")
    recognizer = Recognizer.load()
    off, same = [], []
    for path in files[:: max(len(files) // 200, 1)][:200]:
        image = read_image(path)
        expected, found = facenet.detect(image), ours.detect(image)
        off += differences(expected, found)
        faces = (recognizer.classify(image, faces) for faces in (expected, found))
        same += [face.label == other.label for face, other in zip(*faces, strict=True)]
    assert len(off) > 100
    assert max(off) < SAME_SIDE
    assert np.mean(same) >= 0.99


@pytest.mark.parametrize("name", ["pnet", "rnet", "onet"])
def test_the_networks_match_facenet_pytorchs(name: str) -> None:
    import torch

    from fer.recognition.facenet import networks

    size = {"pnet": (61, 84), "rnet": (24, 24), "onet": (48, 48)}[name]
    pixels = np.random.default_rng(0).uniform(-1, 1, (3, 3, *size)).astype(np.float32)
    with torch.inference_mode():
        box, *more, shares = (values.numpy() for values in networks()[name](torch.from_numpy(pixels)))
    session = getattr(Mtcnn(), f"_{name}")
    (output,) = session.run(None, {"image": pixels})
    assert 1 / (1 + np.exp(-output[:, 0])) == pytest.approx(shares[:, 1], abs=1e-5)
    assert output[:, 1:] == pytest.approx(np.concatenate([box, *more], axis=1), abs=1e-5)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 900), (7, 7), (10, 10), (12, 12), (13, 300), (23, 24)])
@pytest.mark.parametrize("min_face_px", [1, 12, 20])
def test_tiny_pictures_give_no_faces_and_no_error(height: int, width: int, min_face_px: int) -> None:
    noise = np.random.default_rng(height).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert len(Mtcnn().find(noise, min_face_px).boxes) == 0


def test_candidates_of_zero_width_are_skipped(astronaut: Image) -> None:
    """At the picture's border P-Net's corrections can move a candidate outside, where there are no pixels."""
    mtcnn = Mtcnn()
    propose = mtcnn._propose

    def with_empty_ones(*given: object) -> npt.NDArray[np.float32]:
        outside = [(-40, 10, -8, 42), (600, 10, 640, 50), (10, -70, 60, -20), (10, 530, 20, 540), (5, 5, 5, 5)]
        return np.concatenate((np.array(outside, np.float32), propose(*given)))  # type: ignore[arg-type]

    expected = mtcnn.find(astronaut, 24)
    mtcnn._propose = with_empty_ones  # type: ignore[method-assign, assignment]
    found = mtcnn.find(astronaut, 24)
    assert np.array_equal(found.boxes, expected.boxes)
    assert np.array_equal(found.landmarks, expected.landmarks)


def test_where_facenet_pytorch_fails_our_own_loop_finds_the_faces(astronaut: Image) -> None:
    from fer.recognition.facenet import FacenetMtcnn

    class Failing:
        def detect(self, image: object, landmarks: bool) -> None:
            raise IndexError("mask of another length")

    mtcnn = FacenetMtcnn()
    assert not FaceDetector(mtcnn=mtcnn).detect(np.zeros((11, 9, 3), np.uint8))  # no face fits
    mtcnn.mtcnn = Failing()
    assert FaceDetector(mtcnn=mtcnn).detect(astronaut) == FaceDetector().detect(astronaut)


def test_a_fake_takes_its_place() -> None:
    class One:
        def find(self, image: Image, min_face_px: float) -> Candidates:
            boxes = np.array([[-5, 10, 30, 60]], np.float32)
            return Candidates(boxes, np.array([0.95], np.float32), np.zeros((1, 5, 2), np.float32))

        def look_again(self, image: Image, boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            return np.full(len(boxes), 0.25, np.float32)

    (face,) = FaceDetector(mtcnn=One()).detect(np.zeros((100, 100, 3), np.uint8))
    assert (face.box, face.score_again) == (Box(0.0, 10.0, 30.0, 60.0), 0.25)


@pytest.mark.slow
def test_threads_share_it(astronaut: Image) -> None:
    detector = FaceDetector()
    copied = copy.deepcopy(detector)
    assert copied.mtcnn is detector.mtcnn and copied is not detector
    pictures = [astronaut, crowd(astronaut), astronaut[:300, 100:400]] * 2
    with ThreadPoolExecutor(3) as pool:
        at_once = list(pool.map(copied.detect, pictures))
    assert at_once == [detector.detect(picture) for picture in pictures]


def test_two_threads_find_the_same_as_one(astronaut: Image) -> None:
    assert max(differences(FaceDetector().detect(astronaut), FaceDetector(threads=2).detect(astronaut))) < 0.001


@pytest.mark.slow
def test_memory_does_not_grow_with_each_size_of_a_picture() -> None:
    program = """
import numpy as np, psutil
from fer.recognition.mtcnn import Mtcnn
mtcnn, process, random = Mtcnn(), psutil.Process(), np.random.default_rng(0)
def look(count):
    for _ in range(count):
        height, width = random.integers(200, 700, 2)
        mtcnn.find(random.integers(0, 256, (height, width, 3), dtype=np.uint8), 40)
    return process.memory_info().rss
print(-look(20) + look(60))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 30e6


def test_finding_faces_needs_no_torch() -> None:
    program = "import sys, fer.recognition.detector as it; it.FaceDetector(); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False"]


# Suppression


def plainly_suppressed(boxes: npt.NDArray[np.float32], scores: npt.NDArray[np.float32], most: float, of_smaller: bool,
) -> list[int]:  # fmt: skip
    edge = 1 if of_smaller else 0
    stay: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        x1, y1, x2, y2 = boxes[index]
        for other in stay:
            a1, b1, a2, b2 = boxes[other]
            shared = max(min(x2, a2) - max(x1, a1) + edge, 0) * max(min(y2, b2) - max(y1, b1) + edge, 0)
            areas = [(x2 - x1 + edge) * (y2 - y1 + edge), (a2 - a1 + edge) * (b2 - b1 + edge)]
            if shared > most * (min(areas) if of_smaller else sum(areas) - shared):
                break
        else:
            stay.append(int(index))
    return stay


@pytest.mark.parametrize("of_smaller", [False, True])
@pytest.mark.parametrize("count", [0, 1, 7, 256, 700])
def test_suppression_matches_the_plain_loop(count: int, of_smaller: bool) -> None:
    random = np.random.default_rng(count)
    corners = random.integers(0, 150, (count, 2))
    boxes = np.concatenate((corners, corners + random.integers(1, 60, (count, 2))), axis=1).astype(np.float32)
    scores = random.permutation(count).astype(np.float32)
    expected = plainly_suppressed(boxes, scores, 0.5, of_smaller)
    assert suppress(boxes, scores, 0.5, of_smaller=of_smaller).tolist() == expected
    assert count < 256 or len(expected) < count


def test_boxes_without_an_area_overlap_nothing() -> None:
    boxes = np.array([[5, 5, 5, 5], [5, 5, 5, 5], [0, 0, 9, 9]], np.float32)
    assert sorted(suppress(boxes, np.array([3, 2, 1], np.float32), 0.5).tolist()) == [0, 1, 2]
