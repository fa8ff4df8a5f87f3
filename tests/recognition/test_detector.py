"""The real MTCNN on a photo of one person, cropped, tiled and enlarged, and on pictures of nobody."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from fer.errors import ImageError
from fer.faces import Box, Detection
from fer.images import read_image
from fer.model.preprocessing import Preprocessing, roll_degrees
from fer.recognition.detector import MAX_SIDE_PX, MIN_FACE_PX, FaceDetector

CASES = Path(__file__).parents[2] / "../shared/cases"
Image = npt.NDArray[np.uint8]

FACE_XYXY = (181, 60, 269, 178)
"""The astronaut's face in pixels, measured by eye with a grid: hairline to chin, without the ears."""

LANDMARKS = ((204, 101), (246, 103), (225, 129), (203, 141), (246, 141))
"""Her eyes, tip of the nose and corners of the mouth, measured the same way."""


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def overlap(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Intersection over union of two (x1, y1, x2, y2)."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def only(found: list[Detection]) -> Detection:
    assert len(found) == 1
    return found[0]


def test_finds_the_one_face_where_it_is(detector: FaceDetector, astronaut: Image) -> None:
    face = only(detector.detect(astronaut))
    assert overlap(face.box.xyxy, FACE_XYXY) > 0.8
    assert 0.99 < face.score <= 1


def test_landmarks_come_in_the_promised_order(detector: FaceDetector, astronaut: Image) -> None:
    face = only(detector.detect(astronaut))
    left_eye, right_eye, nose, left_mouth, right_mouth = face.landmarks
    assert np.abs(np.subtract(face.landmarks, LANDMARKS)).max() < 5
    for x, y in face.landmarks:
        assert face.box.x1 < x < face.box.x2
        assert face.box.y1 < y < face.box.y2
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


def test_a_mirrored_photo_still_has_the_pictures_left_eye_first(detector: FaceDetector, astronaut: Image) -> None:
    face = only(detector.detect(astronaut[:, ::-1]))
    assert face.landmarks[0][0] < face.landmarks[1][0]
    assert overlap(face.box.xyxy, (512 - FACE_XYXY[2], FACE_XYXY[1], 512 - FACE_XYXY[0], FACE_XYXY[3])) > 0.8


def test_results_are_plain_python_numbers(detector: FaceDetector, astronaut: Image) -> None:
    face = only(detector.detect(astronaut))
    numbers = [*face.box.xyxy, face.score, *(value for point in face.landmarks for value in point)]
    assert {type(number) for number in numbers} == {float}
    assert hash(face) == hash(only(detector.detect(astronaut)))


def test_the_networks_see_rgb(detector: FaceDetector, astronaut: Image) -> None:
    """A face has a higher score than the same face in blue; swapped channels would reverse that."""
    for image in (astronaut, astronaut[20:320, :300], astronaut[:300, 100:400]):
        right, swapped = (only(detector.detect(picture)) for picture in (image, image[..., ::-1]))
        assert right.score > swapped.score


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_nobody_is_in_a_blank_picture(detector: FaceDetector, shade: int) -> None:
    assert detector.detect(np.full((120, 160, 3), shade, np.uint8)) == []


@pytest.mark.parametrize("seed", range(3))
def test_nobody_is_in_noise(detector: FaceDetector, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    assert detector.detect(noise) == []


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (10, 10), (MIN_FACE_PX - 1, 200), (MIN_FACE_PX, MIN_FACE_PX), (3000, 5), (57, 3000)]
)
def test_pictures_without_a_face_are_no_error(detector: FaceDetector, height: int, width: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert detector.detect(noise) == []


@pytest.mark.parametrize(
    "image", [np.zeros((60, 60), np.uint8), np.zeros((60, 60, 3), np.float32), np.zeros((60, 60, 4), np.uint8), None]
)
def test_other_arrays_are_refused(detector: FaceDetector, image: Any) -> None:
    with pytest.raises(ImageError, match="RGB"):
        detector.detect(image)


def test_a_huge_picture_is_searched_small_but_answered_in_its_own_pixels(
    detector: FaceDetector, astronaut: Image
) -> None:
    face = only(detector.detect(astronaut))
    huge = cv2.resize(astronaut, (2048, 2048), interpolation=cv2.INTER_CUBIC)
    assert max(huge.shape) > MAX_SIDE_PX
    found = only(detector.detect(huge))
    assert overlap(found.box.xyxy, tuple(4 * value for value in face.box.xyxy)) > 0.85
    for (x, y), (expected_x, expected_y) in zip(found.landmarks, face.landmarks, strict=True):
        assert np.hypot(x - 4 * expected_x, y - 4 * expected_y) < 0.06 * found.box.height


def test_faces_below_the_smallest_size_are_not_searched(detector: FaceDetector, astronaut: Image) -> None:
    assert detector.detect(astronaut, smallest_face=0.8) == []


def test_faces_of_a_low_score_are_left_out(
    detector: FaceDetector, astronaut: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer.recognition.detector.MIN_SCORE", 1.01)
    assert detector.detect(astronaut) == []


@pytest.mark.parametrize(("left", "top"), [(205, 0), (0, 90)])
def test_boxes_of_faces_at_the_border_are_clipped_to_the_picture(
    detector: FaceDetector, astronaut: Image, left: int, top: int
) -> None:
    image = np.ascontiguousarray(astronaut[top : top + 300, left : left + 300])
    face = only(detector.detect(image))
    x1, y1, x2, y2 = face.box.xyxy
    assert (x1 == 0) == (left > 0)
    assert (y1 == 0) == (top > 0)
    assert 0 <= x1 < x2 <= 300
    assert 0 <= y1 < y2 <= 300


def test_four_people_come_row_by_row(detector: FaceDetector, astronaut: Image) -> None:
    found = detector.detect(np.tile(astronaut, (2, 2, 1)))
    tiles = [(int(x // 512), int(y // 512)) for x, y in (face.box.center for face in found)]
    assert tiles == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_people_in_a_sideways_picture_have_the_order_of_the_upright_one(
    detector: FaceDetector, astronaut: Image
) -> None:
    upright = np.hstack([astronaut[:400, 60:380]] * 2)
    left, right = detector.detect(np.rot90(upright))  # the left one is now lower
    assert left.box.center[1] > right.box.center[1]


def test_the_picture_is_unchanged(detector: FaceDetector, astronaut: Image) -> None:
    image = astronaut.copy()
    image.flags.writeable = False
    detector.detect(image)
    assert np.array_equal(image, astronaut)


@pytest.mark.slow
@pytest.mark.parametrize(("rest_px", "across"), [(12_000, True), (12_000, False), (30_000, True)])
def test_faces_of_a_long_picture_are_found(
    detector: FaceDetector, astronaut: Image, rest_px: int, across: bool
) -> None:
    """The gray strips between the faces put one of them on every border between two parts."""
    face = only(detector.detect(astronaut[:300]))
    starts = np.linspace(0, rest_px, 15, dtype=int)
    strip = (
        np.full((300, rest_px + 512, 3), 128, np.uint8) if across else np.full((rest_px + 300, 512, 3), 128, np.uint8)
    )
    for start in starts:
        if across:
            strip[:, start : start + 512] = astronaut[:300]
        else:
            strip[start : start + 300] = astronaut[:300]
    found = detector.detect(strip)
    x, y = face.box.center
    centers = sorted((one.box.center for one in found), key=sum)
    expected = [(x + start, y) if across else (x, y + start) for start in starts.tolist()]
    assert len(found) == len(starts)
    assert np.abs(np.subtract(centers, expected)).max() < 20


@pytest.mark.slow
def test_a_long_picture_from_elsewhere(detector: FaceDetector) -> None:
    if not CASES.is_dir():
        pytest.skip("no cases: ../shared/cases is not beside the repository")
    found = detector.detect(read_image(CASES / "panorama_20000x300.jpg"))
    assert len(found) > 40
    assert all(a.box.center[0] + 100 < b.box.center[0] for a, b in itertools.pairwise(found))


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_sideways_face_is_found_at_its_place(detector: FaceDetector, astronaut: Image, turns: int) -> None:
    portrait = np.ascontiguousarray(astronaut[:400, 60:380])
    upright, lying = only(detector.detect(portrait, 0.1)), only(detector.detect(np.rot90(portrait, turns)))
    height, width = portrait.shape[:2]

    def turned(x: float, y: float) -> tuple[float, float]:
        return {1: (y, width - x), 2: (width - x, height - y), 3: (height - y, x)}[turns]

    assert np.allclose(lying.landmarks, [turned(*point) for point in upright.landmarks], atol=3)
    assert np.allclose(lying.box.center, turned(*upright.box.center), atol=3)
    crops = [
        Preprocessing().crop(image, one) for image, one in ((portrait, upright), (np.rot90(portrait, turns), lying))
    ]
    assert np.abs(cv2.resize(crops[0], (48, 48)).astype(int) - cv2.resize(crops[1], (48, 48))).mean() < 8
    assert abs(roll_degrees(lying)) > 60


def test_a_sideways_face_from_elsewhere(detector: FaceDetector) -> None:
    if not CASES.is_dir():
        pytest.skip("no cases: ../shared/cases is not beside the repository")
    assert abs(roll_degrees(only(detector.detect(read_image(CASES / "sideways_no_exif.jpg"))))) > 60


def test_other_orientations_are_searched_only_without_upright_faces_and_not_in_videos(
    detector: FaceDetector, astronaut: Image
) -> None:
    both = np.hstack([astronaut, np.rot90(astronaut)])
    assert roll_degrees(only(detector.detect(both))) == pytest.approx(0, abs=20)
    assert detector.detect(np.rot90(astronaut), smallest_face=0.125) == []


def test_a_strip_longer_than_opencv_can_warp(astronaut: np.ndarray) -> None:
    strip = np.full((150, 33_000, 3), 128, np.uint8)
    strip[:128, 32_000:32_128] = astronaut[:512:4, :512:4]
    detection = Detection(Box(32_043.0, 15.0, 32_072.0, 48.0), (), 1.0)
    crop = Preprocessing().crop(strip, detection)
    assert np.array_equal(
        crop, Preprocessing().crop(strip[:, 32_000:], replace(detection, box=Box(43.0, 15.0, 72.0, 48.0)))
    )
