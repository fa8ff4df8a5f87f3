"""From a face in a picture to the network's input: geometry, colors, and consistency of training and prediction."""

import math

import cv2
import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from fer.datasets.dataset import FaceDataset, prepare_faces
from fer.datasets.drawing import draw_portrait
from fer.faces import Box, Detection
from fer.labels import FERPLUS
from fer.model.checkpoint import ModelInfo
from fer.model.preprocessing import Preprocessing, roll_degrees
from fer.model.torch_network import torch_classifier
from fer.records import from_plain, to_plain

Image = npt.NDArray[np.uint8]


def _noise(height: int, width: int) -> Image:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def _detection(*xyxy: float, eyes: tuple[tuple[float, float], ...] = ()) -> Detection:
    return Detection(Box(*xyxy), eyes, 1.0)


# ---------------------------------------------------------------------------------------------- crop


@pytest.mark.parametrize(
    ("xyxy", "ratio", "rows", "columns"),
    [
        ((10, 5, 50, 45), 1.0, (5, 45), (10, 50)),
        ((10, 5, 51, 46), 1.0, (5, 46), (10, 51)),  # an odd side
        ((10, 5, 50, 45), 0.5, (15, 35), (20, 40)),
        ((22, 10, 38, 40), 1.0, (10, 40), (15, 45)),  # the box is narrow, the crop is square
    ],
)
def test_an_untilted_crop_is_the_slice_of_the_picture(
    xyxy: tuple[int, int, int, int], ratio: float, rows: tuple[int, int], columns: tuple[int, int]
) -> None:
    image, preprocessing = _noise(60, 80), Preprocessing(crop_ratio=ratio)
    crop = preprocessing.crop(image, _detection(*xyxy))
    assert np.array_equal(crop, image[slice(*rows), slice(*columns)])


@pytest.mark.parametrize("left", [0, 60])
@pytest.mark.parametrize("top", [0, 40])
def test_beyond_the_picture_its_border_is_repeated(left: int, top: int) -> None:
    image = _noise(60, 80)
    crop = Preprocessing(crop_ratio=2.0).crop(image, _detection(left, top, left + 20, top + 20))
    padded = np.pad(image, ((10, 10), (10, 10), (0, 0)), mode="edge")
    assert np.array_equal(crop, padded[top : top + 40, left : left + 40])


def test_a_box_larger_than_the_picture_gives_a_whole_square() -> None:
    image = np.full((20, 30, 3), (200, 100, 50), np.uint8)
    crop = Preprocessing(crop_ratio=3.0).crop(image, _detection(0, 0, 30, 20, eyes=((5, 4), (20, 9))))
    assert crop.shape == (60, 60, 3)
    assert np.array_equal(np.unique(crop.reshape(-1, 3), axis=0), [(200, 100, 50)])


def test_half_a_pixel_is_the_mean_of_its_neighbors() -> None:
    image = np.repeat(np.arange(0, 200, 10, dtype=np.uint8)[None, :, None], 20, axis=0).repeat(3, axis=2)
    crop = Preprocessing(crop_ratio=1.0).crop(image, _detection(4.5, 4, 14.5, 14))
    assert np.array_equal(crop[:, :, 0], np.tile(np.arange(45, 145, 10), (10, 1)))


def test_the_smallest_crop_has_two_pixels() -> None:
    assert Preprocessing().crop(_noise(20, 20), _detection(4, 4, 5, 5)).shape == (2, 2, 3)


def _turned(point: tuple[float, float], degrees: float, center: tuple[float, float]) -> tuple[float, float]:
    """Rotate a point clockwise, as seen on the screen."""
    angle = math.radians(degrees)
    x, y = point[0] - center[0], point[1] - center[1]
    cos, sin = math.cos(angle), math.sin(angle)
    return (center[0] + cos * x - sin * y, center[1] + sin * x + cos * y)


@pytest.mark.parametrize("degrees", [-60, -12, 0, 7.5, 45])
def test_a_tilted_face_becomes_level(degrees: float) -> None:
    """A red light in one eye and a green one in the other show where the eyes end up."""
    center, side = (70.0, 66.0), 60
    eyes = tuple(_turned((center[0] + x, center[1] - 8), degrees, center) for x in (-12, 12))
    y, x = np.mgrid[:140, :140] + 0.5  # pixel centers, with edges at whole numbers
    lights = [250 * np.exp(-((x - ex) ** 2 + (y - ey) ** 2) / 8) for ex, ey in eyes]
    image = np.stack([*lights, np.zeros_like(x)], axis=-1).astype(np.uint8)
    box = (center[0] - 25, center[1] - side / 2, center[0] + 25, center[1] + side / 2)
    preprocessing, detection = Preprocessing(crop_ratio=1.0), _detection(*box, eyes=eyes)
    crop = preprocessing.crop(image, detection).astype(float)
    y, x = np.mgrid[:side, :side] + 0.5
    seen = [(float((x * c).sum() / c.sum()), float((y * c).sum() / c.sum())) for c in (crop[..., 0], crop[..., 1])]
    assert seen[0] == pytest.approx((side / 2 - 12, side / 2 - 8), abs=0.15)
    assert seen[1] == pytest.approx((side / 2 + 12, side / 2 - 8), abs=0.15)
    assert side * preprocessing.landmarks_in_crop(detection) == pytest.approx(np.array(seen), abs=0.15)


def test_without_rotation_landmarks_keep_their_tilt() -> None:
    detection = _detection(10, 20, 50, 60, eyes=((20, 30), (40, 50)))
    found = Preprocessing(crop_ratio=2.0, upright=False).landmarks_in_crop(detection)
    assert found == pytest.approx(np.array([(40 - 10, 40 - 10), (40 + 10, 40 + 10)]) / 80)
    assert Preprocessing().landmarks_in_crop(_detection(10, 20, 50, 60)).shape == (0, 2)


@pytest.mark.parametrize("degrees", [-25, 18])
def test_a_turned_portrait_gives_the_crop_of_the_level_one(degrees: float) -> None:
    level, box = draw_portrait("happiness", np.random.default_rng(3), width_px=160, height_px=160, face_height_px=70)
    center = Box(*box).center
    matrix = cv2.getRotationMatrix2D((center[0] - 0.5, center[1] - 0.5), -degrees, 1.0)
    turned = cv2.warpAffine(level, matrix, (160, 160), borderMode=cv2.BORDER_REPLICATE)
    eyes = ((center[0] - 13, center[1] - 8), (center[0] + 13, center[1] - 8))
    turned_eyes = tuple(_turned(eye, degrees, center) for eye in eyes)
    wanted = Preprocessing().crop(level, _detection(*box, eyes=eyes)).astype(int)
    upright = Preprocessing().crop(turned, _detection(*box, eyes=turned_eyes))
    tilted = Preprocessing(upright=False).crop(turned, _detection(*box, eyes=turned_eyes))
    assert np.abs(upright - wanted).mean() < 4
    assert np.abs(tilted - wanted).mean() > 12


def test_the_tilt_is_positive_where_the_right_eye_is_lower() -> None:
    assert roll_degrees(_detection(0, 0, 40, 40, eyes=((10, 10), (30, 30)))) == pytest.approx(45)
    assert roll_degrees(_detection(0, 0, 40, 40, eyes=((10, 30), (30, 10)))) == pytest.approx(-45)


def test_nearly_coinciding_eyes_give_no_rotation() -> None:
    assert roll_degrees(_detection(0, 0, 40, 40)) == 0
    assert roll_degrees(_detection(0, 0, 40, 40, eyes=((20, 20), (20, 20)))) == 0
    assert roll_degrees(_detection(0, 0, 40, 40, eyes=((20, 20), (23, 24)))) == 0  # 5 px apart in a box of 40


# ---------------------------------------------------------------------------------------------- shrink


def test_gray_of_the_right_size_is_unchanged() -> None:
    gray = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    pixels = Preprocessing().shrink(np.repeat(gray[..., None], 3, axis=-1))
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, gray[None])


def test_gray_is_luma_so_the_order_of_channels_matters() -> None:
    image = np.zeros((48, 48, 3), np.uint8)
    image[:16], image[16:32], image[32:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)
    assert np.array_equal(Preprocessing().shrink(image)[0, ::16, 0], [76, 150, 29])
    assert np.array_equal(Preprocessing().shrink(image[..., ::-1].copy())[0, ::16, 0], [29, 150, 76])


def test_three_channels_are_red_green_and_blue() -> None:
    image = np.full((90, 90, 3), (200, 100, 50), np.uint8)
    pixels = Preprocessing(channels=3).shrink(image)
    assert pixels.shape == (3, 48, 48)
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    assert np.array_equal(pixels[:, 20, 20], [200, 100, 50])


def test_rgb_of_the_right_size_is_unchanged() -> None:
    image = _noise(48, 48)
    assert np.array_equal(Preprocessing(channels=3).shrink(image), image.transpose(2, 0, 1))


@pytest.mark.parametrize("channels", [1, 3])
def test_the_central_square_of_a_picture_is_used(channels: int) -> None:
    wide = _noise(48, 81)
    preprocessing = Preprocessing(channels=channels)
    middle = preprocessing.shrink(wide[:, 16:64])
    assert np.array_equal(preprocessing.shrink(wide), middle)
    tall = np.ascontiguousarray(wide.transpose(1, 0, 2))
    assert np.array_equal(preprocessing.shrink(tall), middle.transpose(0, 2, 1))


def test_fine_patterns_are_averaged_not_picked() -> None:
    checkers = (255 * (np.indices((480, 480)).sum(axis=0) % 2)).astype(np.uint8)
    pixels = Preprocessing().shrink(np.repeat(checkers[..., None], 3, axis=-1))
    assert pixels.min() >= 120
    assert pixels.max() <= 135


def test_a_small_face_is_enlarged() -> None:
    assert Preprocessing().shrink(np.full((9, 9, 3), 77, np.uint8)).tolist() == np.full((1, 48, 48), 77).tolist()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [48, 60])
def test_the_pixels_are_a_copy(channels: int, side: int) -> None:
    image = np.zeros((side, side, 3), np.uint8)
    pixels = Preprocessing(channels=channels).shrink(image)
    pixels += 1
    assert not image.any()


# ---------------------------------------------------------------------------------------------- normalize and the rest


def test_values_are_scaled_around_zero() -> None:
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(3, 1, 1, 1)
    values = Preprocessing().normalize(pixels)
    assert values.dtype == torch.float32
    assert values.flatten().tolist() == pytest.approx([-2.0, -1.2, 2.0])
    assert Preprocessing(mean=0.0, std=1.0).normalize(pixels.float()).flatten().tolist() == pytest.approx([0, 0.2, 1])


@pytest.mark.parametrize(
    ("field", "value"),
    [("size_px", 15), ("channels", 2), ("std", 0.0), ("std", math.nan), ("crop_ratio", -1.0), ("crop_ratio", math.nan)],
)
def test_invalid_settings_are_refused(field: str, value: float) -> None:
    with pytest.raises(ValueError, match=field):
        Preprocessing(**{field: value})  # type: ignore[arg-type]


def test_the_settings_survive_a_checkpoint() -> None:
    preprocessing = Preprocessing(64, 3, 0.4, 0.2, 0.9, False)
    assert from_plain(to_plain(preprocessing), Preprocessing, exact=True) == preprocessing


class _Recorder(nn.Module):
    """A network that remembers its input."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.seen = batch
        return torch.zeros(len(batch), len(FERPLUS))


@pytest.mark.parametrize("channels", [1, 3])
def test_training_and_prediction_see_the_same(channels: int) -> None:
    preprocessing = Preprocessing(size_px=32, channels=channels)
    image, box = draw_portrait("fear", np.random.default_rng(1), width_px=120, height_px=120, face_height_px=60)
    crop = preprocessing.crop(image, _detection(*box))
    dataset = FaceDataset("one face", ("fear",), np.ones((1, 1), np.float32), np.array(["train"]), [crop])
    in_training = prepare_faces(dataset, np.array([0]), preprocessing).pixels
    in_prediction = preprocessing.shrink(preprocessing.crop(image, _detection(*box)))[None]
    assert np.array_equal(in_training, in_prediction)
    recorder = _Recorder()
    torch_classifier(ModelInfo("resnet18", FERPLUS, preprocessing), recorder).probabilities(in_prediction)
    assert torch.equal(recorder.seen, preprocessing.normalize(torch.from_numpy(in_training)))
