"""A photo in the form that pages keep."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer.errors import ImageError
from fer.images import encode_png
from fer.model.checkpoint import ModelInfo
from fer.model.network import build_network
from fer.model.preprocessing import Preprocessing
from fer.model.torch_network import torch_classifier
from fer.recognition.photo import PREVIEW_PX, THUMBNAIL_PX, recognize_photo
from fer.recognition.recognizer import Recognizer


@pytest.fixture(scope="module")
def recognizer(tiny_checkpoint: Path) -> Recognizer:
    return Recognizer.load(tiny_checkpoint)


def test_a_small_photo_is_kept_as_it_is(recognizer: Recognizer, astronaut: np.ndarray) -> None:
    result = recognize_photo(recognizer, encode_png(astronaut))
    assert np.array_equal(result.preview, astronaut)
    assert result.size_wh == (512, 512)
    (item,) = result.faces
    assert item.shown == item.face == recognizer.recognize(astronaut)[0]
    assert np.array_equal(item.network_input, recognizer.network_input(astronaut, item.face)[0])
    assert item.crop.shape[0] == item.crop.shape[1] <= THUMBNAIL_PX


@pytest.mark.slow
def test_a_large_photo_is_recognized_whole_and_shown_small(recognizer: Recognizer, astronaut: np.ndarray) -> None:
    large = cv2.resize(astronaut, (2048, 2048), interpolation=cv2.INTER_CUBIC)
    result = recognize_photo(recognizer, encode_png(large))
    assert result.preview.shape == (PREVIEW_PX, PREVIEW_PX, 3)
    assert result.size_wh == (2048, 2048)
    (item,) = result.faces
    assert item.face == recognizer.recognize(large)[0]
    scale = PREVIEW_PX / 2048
    assert item.shown.box.xyxy == pytest.approx([scale * value for value in item.face.box.xyxy])
    assert item.shown.landmarks[0] == pytest.approx([scale * value for value in item.face.landmarks[0]])
    assert item.crop.shape == (THUMBNAIL_PX, THUMBNAIL_PX, 3)


def test_a_photos_face_keeps_what_the_network_takes(tiny_checkpoint: Path, astronaut: np.ndarray) -> None:
    gray = Recognizer.load(tiny_checkpoint)
    network = build_network("squeezenet1_1", classes=2, channels=3, size_px=48).eval()
    colours = torch_classifier(ModelInfo("squeezenet1_1", ("a", "b"), Preprocessing(channels=3)), network)
    for recognizer in (gray, Recognizer(gray.detector, colours)):
        (item,) = recognize_photo(recognizer, encode_png(astronaut)).faces
        assert np.array_equal(item.pixels, recognizer.network_input(astronaut, item.face))


def test_what_is_no_photo_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(ImageError, match="picture"):
        recognize_photo(recognizer, b"no picture")
