"""A photo's result, as pages keep it."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer.errors import ImageError
from fer.faces import Box, Detection
from fer.images import encode_png, read_image
from fer.model.checkpoint import ModelInfo
from fer.model.network import build_network
from fer.model.preprocessing import Preprocessing
from fer.model.torch_network import torch_classifier
from fer.recognition.photo import PICTURE_PX, THUMBNAIL_PX, quarters_to_upright, recognize_photo
from fer.recognition.recognizer import Recognizer


@pytest.fixture(scope="module")
def recognizer(tiny_checkpoint: Path) -> Recognizer:
    return Recognizer.load(tiny_checkpoint)


def test_a_small_photo_is_kept_unchanged(recognizer: Recognizer, astronaut: np.ndarray) -> None:
    result = recognize_photo(recognizer, encode_png(astronaut))
    assert np.abs(read_image(result.picture).astype(int) - astronaut).mean() < 3  # JPEG
    assert (result.size_wh, result.shown_wh, result.turns) == ((512, 512), (512, 512), 0)
    (item,) = result.faces
    assert item.shown == item.face == recognizer.recognize(astronaut)[0]
    assert np.array_equal(item.network_input, recognizer.network_input(astronaut, item.face)[0])
    assert item.crop.shape[0] == item.crop.shape[1] <= THUMBNAIL_PX


@pytest.mark.slow
def test_a_large_photo_is_recognized_whole_and_shown_small(recognizer: Recognizer, astronaut: np.ndarray) -> None:
    large = cv2.resize(astronaut, (3072, 3072), interpolation=cv2.INTER_CUBIC)
    result = recognize_photo(recognizer, encode_png(large))
    assert read_image(result.picture).shape == (PICTURE_PX, PICTURE_PX, 3)
    assert result.size_wh == (3072, 3072)
    (item,) = result.faces
    assert item.shown == item.face == recognizer.recognize(large)[0]
    assert item.crop.shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_sideways_photo_is_shown_upright(recognizer: Recognizer, astronaut: np.ndarray, turns: int) -> None:
    portrait = np.ascontiguousarray(astronaut[:400, 60:380])
    lying = np.rot90(portrait, turns)
    result = recognize_photo(recognizer, encode_png(np.ascontiguousarray(lying)))
    assert result.turns == 4 - turns
    assert result.size_wh == lying.shape[1::-1]
    assert result.shown_wh == portrait.shape[1::-1]
    assert np.abs(read_image(result.picture).astype(int) - portrait).mean() < 3
    (item,), (upright,) = result.faces, recognize_photo(recognizer, encode_png(portrait)).faces
    (in_the_file,) = recognizer.recognize(lying)
    assert item.face.box.xyxy == pytest.approx(in_the_file.box.xyxy)
    assert item.shown.box.xyxy == pytest.approx(upright.shown.box.xyxy, abs=6)
    assert np.abs(item.network_input.astype(int) - upright.network_input).mean() < 12


def test_a_photo_is_rotated_as_requested(recognizer: Recognizer, astronaut: np.ndarray) -> None:
    portrait = np.ascontiguousarray(astronaut[:400, 60:380])
    lying = np.ascontiguousarray(np.rot90(portrait))
    result = recognize_photo(recognizer, encode_png(lying), turns=0)
    assert (result.turns, result.shown_wh) == (0, (400, 320))
    result = recognize_photo(recognizer, encode_png(lying), turns=3)
    assert (result.turns, result.shown_wh, result.size_wh) == (3, (320, 400), (400, 320))
    (item,) = result.faces
    assert item.shown == recognizer.recognize(portrait)[0], "looked for anew, in the turned picture"
    x1, y1, x2, y2 = item.shown.box.xyxy
    assert item.face.box.xyxy == pytest.approx((y1, 320 - x2, y2, 320 - x1))


def test_the_majority_of_faces_decides_what_is_upright() -> None:
    def face(*eyes: tuple[float, float]) -> Detection:
        return Detection(Box(0, 0, 40, 40), eyes, 1.0)

    upright, tilted = face((10, 10), (30, 10)), face((10, 10), (22, 26))
    with_the_clock, against_it = face((30, 10), (30, 30)), face((10, 30), (10, 10))
    head_down = face((30, 30), (10, 30))
    assert [quarters_to_upright([one]) for one in (upright, tilted, with_the_clock, head_down, against_it)] == [
        0,
        0,
        1,
        2,
        3,
    ]
    assert quarters_to_upright([]) == 0
    assert quarters_to_upright([with_the_clock, upright, with_the_clock]) == 1


def test_a_photos_face_keeps_the_network_input(tiny_checkpoint: Path, astronaut: np.ndarray) -> None:
    gray = Recognizer.load(tiny_checkpoint)
    network = build_network("squeezenet1_1", classes=2, channels=3, size_px=48).eval()
    colors = torch_classifier(ModelInfo("squeezenet1_1", ("a", "b"), Preprocessing(channels=3)), network)
    for recognizer in (gray, Recognizer(gray.detector, colors)):
        (item,) = recognize_photo(recognizer, encode_png(astronaut)).faces
        assert np.array_equal(item.pixels, recognizer.network_input(astronaut, item.face))


def test_a_file_that_is_no_photo_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(ImageError, match="picture"):
        recognize_photo(recognizer, b"no picture")
