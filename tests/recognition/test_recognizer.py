"""From a picture to its faces: with fakes for the order of steps, with a tiny model for the numbers."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch

from fer.errors import CheckpointError, ImageError
from fer.faces import Box, Detection, Face
from fer.images import check_rgb
from fer.labels import FERPLUS
from fer.model.checkpoint import ModelInfo, save_checkpoint
from fer.model.classifier import Classifier
from fer.model.network import build_network
from fer.model.preprocessing import Preprocessing
from fer.recognition.detector import FaceDetector
from fer.recognition.recognizer import Recognizer

Image = npt.NDArray[np.uint8]


def detection(x: float, y: float = 20, size: float = 30) -> Detection:
    eyes = ((x + 0.3 * size, y + 0.4 * size), (x + 0.7 * size, y + 0.4 * size))
    return Detection(Box(x, y, x + size, y + size), eyes, 0.95)


class FakeDetector:
    """Finds the given faces, and keeps its pictures."""

    def __init__(self, found: list[Detection]) -> None:
        self.found = found
        self.seen: list[np.ndarray] = []

    def detect(self, image: np.ndarray, smallest_face: float | None = None) -> list[Detection]:
        self.seen.append(image)
        return self.found


class FakeClassifier:
    """Reads "bright" with a probability equal to the brightness, and keeps its batches."""

    info = ModelInfo("none", ("dark", "bright"), Preprocessing(size_px=16))

    def __init__(self) -> None:
        self.batches: list[np.ndarray] = []

    def with_opinions(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        self.batches.append(pixels)
        bright = pixels.mean(axis=(1, 2, 3)) / 255
        found = np.stack([1 - bright, bright], axis=1)
        return found, np.stack([found, found[:, ::-1]], axis=1)


def fake_recognizer(found: list[Detection]) -> tuple[Recognizer, Any, Any]:
    detector: Any = FakeDetector(found)
    classifier: Any = FakeClassifier()
    return Recognizer(detector, classifier), detector, classifier


def gray_ramp() -> Image:
    """Gray from left, 0, to right, 255; RGB uint8 (80, 256, 3)."""
    return np.repeat(np.tile(np.arange(256, dtype=np.uint8), (80, 1))[..., None], 3, axis=-1)


@pytest.fixture(scope="module")
def recognizer(tiny_checkpoint: Path) -> Recognizer:
    return Recognizer.load(tiny_checkpoint)


@pytest.fixture(scope="module")
def crowd(astronaut: Image) -> Image:
    """Two people, the right one tilted the other way and darker, with space between them: RGB uint8 (300, 620, 3)."""
    face = astronaut[:300, 80:380]
    return np.concatenate([face, np.full((300, 20, 3), 128, np.uint8), (face[:, ::-1] * 0.6).astype(np.uint8)], axis=1)


# With fakes


def test_each_face_has_both_readings() -> None:
    recognizer, _, _ = fake_recognizer([detection(10), detection(200)])
    for face in recognizer.recognize(gray_ramp()):
        assert face.opinions == (face.probabilities, face.probabilities[::-1])
        assert face.differing == (face.label, "dark" if face.label == "bright" else "bright")


def test_each_face_gets_its_own_row_in_the_order_of_the_detector() -> None:
    found = [detection(10), detection(200), detection(100)]
    recognizer, detector, _ = fake_recognizer(found)
    image = gray_ramp()
    faces = recognizer.recognize(image)
    assert [(face.box, face.landmarks, face.score) for face in faces] == [
        (one.box, one.landmarks, one.score) for one in found
    ]
    assert [face.probabilities[1] for face in faces] == pytest.approx([24.5 / 255, 214.5 / 255, 114.5 / 255], abs=0.01)
    assert [face.luma for face in faces] == pytest.approx([24.5, 214.5, 114.5], abs=1)
    assert {face.labels for face in faces} == {("dark", "bright")}
    assert [face.label for face in faces] == ["dark", "bright", "dark"]
    assert detector.seen[0] is image


def test_all_faces_go_through_the_network_in_one_batch() -> None:
    recognizer, _, classifier = fake_recognizer([detection(10), detection(100), detection(200)])
    image = gray_ramp()
    recognizer.recognize(image)
    (batch,) = classifier.batches
    assert batch.shape == (3, 1, 16, 16)
    assert batch.dtype == np.uint8
    for row, found in zip(batch, recognizer.detector.detect(image), strict=True):
        assert np.array_equal(row, recognizer.network_input(image, found))


def test_a_picture_without_a_face_gives_an_empty_list_and_no_work() -> None:
    recognizer, _, classifier = fake_recognizer([])
    assert recognizer.recognize(gray_ramp()) == []
    assert recognizer.classify(gray_ramp(), []) == []
    assert classifier.batches == []


def test_known_detections_need_no_detector() -> None:
    recognizer, detector, _ = fake_recognizer([detection(10)])
    faces = recognizer.classify(gray_ramp(), [detection(200)])
    assert [face.box for face in faces] == [detection(200).box]
    assert detector.seen == []


def test_a_refused_picture_does_not_lock_out_the_next_one() -> None:
    class Refusing(FakeDetector):
        def detect(self, image: np.ndarray, smallest_face: float | None = None) -> list[Detection]:
            check_rgb(image)
            return super().detect(image)

    detector: Any = Refusing([detection(10)])
    classifier: Any = FakeClassifier()
    recognizer = Recognizer(detector, classifier)
    with pytest.raises(ImageError):
        recognizer.recognize(np.zeros((80, 256)))
    assert not recognizer.lock.locked()
    assert len(recognizer.recognize(gray_ramp())) == 1


# With a model


def test_probabilities_are_those_of_the_classifier_for_the_same_input(recognizer: Recognizer, astronaut: Image) -> None:
    (face,) = recognizer.recognize(astronaut)
    assert isinstance(face, Face)
    assert sum(face.probabilities) == pytest.approx(1, abs=1e-9)
    assert {type(probability) for probability in face.probabilities} == {float}
    (found,) = recognizer.detector.detect(astronaut)
    pixels = recognizer.network_input(astronaut, found)
    assert pixels.shape == (1, 48, 48)
    expected = recognizer.classifier.probabilities(pixels[None])[0]
    assert face.probabilities == pytest.approx(expected.tolist(), abs=1e-5)
    assert expected.std() > 1e-4, "a model that says the same of everything would pass any comparison"


def test_a_face_alone_and_in_a_batch_are_the_same(recognizer: Recognizer, crowd: Image) -> None:
    found = recognizer.detector.detect(crowd)
    together = recognizer.recognize(crowd)
    assert len(together) == len(found) == 2
    assert together[0].probabilities != pytest.approx(together[1].probabilities, abs=1e-4)
    for face, one in zip(together, found, strict=True):
        (alone,) = recognizer.classify(crowd, [one])
        assert alone.box == face.box
        assert alone.probabilities == pytest.approx(face.probabilities, abs=1e-5)


def test_the_labels_have_the_order_of_the_model_file(tiny_checkpoint: Path, tmp_path: Path, astronaut: Image) -> None:
    """The same network in a file with reversed labels: the numbers stay, the labels change places."""
    original = Classifier.load(tiny_checkpoint)
    turned = ModelInfo("resnet18", FERPLUS[::-1], original.info.preprocessing)
    save_checkpoint(tmp_path / "turned.safetensors", turned, original.network.in_torch().module.state_dict())
    detector = FaceDetector()
    (face,) = Recognizer(detector, original).recognize(astronaut)
    (other,) = Recognizer.load(tmp_path / "turned.safetensors").recognize(astronaut)
    assert face.labels == FERPLUS
    assert other.labels == FERPLUS[::-1]
    assert other.probabilities == pytest.approx(face.probabilities, abs=1e-6)
    assert other.label == FERPLUS[::-1][FERPLUS.index(face.label)]


def test_swapped_channels_give_another_network_input(recognizer: Recognizer, astronaut: Image) -> None:
    (found,) = recognizer.detector.detect(astronaut)
    right = recognizer.network_input(astronaut, found).astype(int)
    swapped = recognizer.network_input(astronaut[..., ::-1], found).astype(int)
    assert np.abs(right - swapped).mean() > 5  # red skin is brighter in gray than blue skin
    assert right.mean() > swapped.mean()


def test_a_model_for_color_sees_red_first(astronaut: Image, tmp_path: Path) -> None:
    torch.manual_seed(0)
    info = ModelInfo("resnet18", ("a", "b"), Preprocessing(size_px=24, channels=3))
    network = build_network("resnet18", classes=2, channels=3, size_px=24)
    save_checkpoint(tmp_path / "colors.safetensors", info, network.state_dict())
    recognizer = Recognizer.load(tmp_path / "colors.safetensors")
    (found,) = recognizer.detector.detect(astronaut)
    pixels = recognizer.network_input(astronaut, found)
    assert pixels.shape == (3, 24, 24)
    red, green, blue = pixels.mean(axis=(1, 2))
    assert red > green > blue, "skin"
    assert np.array_equal(recognizer.network_input(astronaut[..., ::-1], found), pixels[::-1])
    assert len(recognizer.recognize(astronaut)[0].probabilities) == 2


@pytest.mark.slow
def test_concurrent_threads_give_the_same_results(recognizer: Recognizer, astronaut: Image, crowd: Image) -> None:
    pictures = [astronaut, crowd, crowd[:, :300], np.zeros((60, 60, 3), np.uint8)] * 2
    one_by_one = [recognizer.recognize(picture) for picture in pictures]
    with ThreadPoolExecutor(2) as threads:
        at_once = list(threads.map(recognizer.recognize, pictures))
    assert [len(faces) for faces in at_once] == [1, 2, 1, 0] * 2
    for faces, expected in zip(at_once, one_by_one, strict=True):
        for face, other in zip(faces, expected, strict=True):
            assert face.box.xyxy == pytest.approx(other.box.xyxy, abs=1e-3)
            assert face.probabilities == pytest.approx(other.probabilities, abs=1e-5)


def test_a_tilted_head_is_turned_upright(recognizer: Recognizer, astronaut: Image) -> None:
    """For a photo rotated by 20° the network's input is nearly that of the upright one."""
    matrix = cv2.getRotationMatrix2D((225, 120), 20, 1.0)
    tilted = cv2.warpAffine(astronaut, matrix, (512, 512), borderMode=cv2.BORDER_REPLICATE)
    upright, turned = (
        recognizer.network_input(image, recognizer.detector.detect(image)[0]).ravel() for image in (astronaut, tilted)
    )
    assert np.corrcoef(upright, turned)[0, 1] > 0.8


def test_an_array_that_is_no_picture_is_refused(recognizer: Recognizer) -> None:
    with pytest.raises(ImageError, match="RGB"):
        recognizer.recognize(np.zeros((100, 100)))


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"missing\.safetensors"):
        Recognizer.load(tmp_path / "missing.safetensors")
