"""Degraded pictures: each in its own way, and reproducible."""

import numpy as np
import numpy.typing as npt
import pytest

from fer.evaluation.robustness import DISTURBANCES, Disturbance, blur, crop_offset, low_resolution

KINDS = {disturbance.name for disturbance in DISTURBANCES}


@pytest.fixture(scope="module")
def picture() -> npt.NDArray[np.uint8]:
    across, down = np.meshgrid(np.arange(48), np.arange(48))
    waves = 128 + 60 * np.sin(across / 3) + 50 * np.cos(down / 4) + across / 4
    return np.repeat(waves.astype(np.uint8)[..., None], 3, axis=2)


def _named(name: str, setting: str = "") -> Disturbance:
    return next(one for one in DISTURBANCES if one.name == name and setting in one.setting)


def test_every_degradation_exists_once() -> None:
    assert {"blur", "noise", "dark", "bright", "JPEG", "low resolution", "rotation", "covered", "crop offset"} <= KINDS
    assert {"scale", "mirrored"} <= KINDS
    assert len({(one.name, one.setting) for one in DISTURBANCES}) == len(DISTURBANCES)


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda one: f"{one.name} {one.setting}")
def test_each_degradation_is_reproducible(disturbance: Disturbance, picture: npt.NDArray[np.uint8]) -> None:
    before = picture.copy()
    worse = disturbance.apply(picture, row=3)
    assert (worse.shape, worse.dtype) == (picture.shape, np.uint8)
    assert not np.array_equal(worse, picture)
    assert np.array_equal(picture, before), "the picture itself stays as it is"
    assert np.array_equal(worse, disturbance.apply(picture, row=3))
    if disturbance.name != "JPEG":  # which rounds colors
        assert np.array_equal(worse[..., 0], worse[..., 1]), "gray stays gray"


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda one: f"{one.name} {one.setting}")
def test_pictures_need_not_be_square(disturbance: Disturbance) -> None:
    wide = np.random.default_rng(0).integers(0, 256, (60, 100, 3), np.uint8)
    assert disturbance.apply(wide, row=0).shape == wide.shape


def test_randomness_differs_between_pictures(picture: npt.NDArray[np.uint8]) -> None:
    for name in ("noise", "crop offset"):
        assert not np.array_equal(_named(name).apply(picture, 1), _named(name).apply(picture, 2))


def test_noise_has_its_nominal_strength(picture: npt.NDArray[np.uint8]) -> None:
    gray = np.full((200, 200, 3), 128, np.uint8)
    assert (_named("noise", "20").apply(gray, 0).astype(float) - 128).std() == pytest.approx(20, rel=0.05)


def test_brightness(picture: npt.NDArray[np.uint8]) -> None:
    assert _named("dark").apply(picture, 0) == pytest.approx(picture / 2, abs=0.5)
    assert _named("bright").apply(picture, 0) == pytest.approx(np.minimum(picture * 1.5, 255), abs=0.5)


def test_mirrored_and_covered(picture: npt.NDArray[np.uint8]) -> None:
    assert np.array_equal(_named("mirrored").apply(picture, 0), picture[:, ::-1])
    mouth, eyes = _named("covered", "mouth").apply(picture, 0), _named("covered", "eyes").apply(picture, 0)
    assert (mouth[37, 24] == 128).all() and np.array_equal(mouth[:30], picture[:30])
    assert (eyes[19, 15] == 128).all() and np.array_equal(eyes[25:], picture[25:])


def test_rotation_is_counterclockwise_around_the_center() -> None:
    picture = np.zeros((49, 49, 3), np.uint8)
    picture[24, 40] = 255  # to the right of the center
    turned = _named("rotation", "+20").apply(picture, 0)[..., 0]
    row, column = np.unravel_index(turned.argmax(), turned.shape)
    assert (row, column) == (24 - round(16 * np.sin(np.radians(20))), 24 + round(16 * np.cos(np.radians(20))))


def test_lengths_grow_with_the_picture() -> None:
    edge = np.zeros((48, 48, 3), np.uint8)
    edge[:, 24:] = 255
    large = np.repeat(np.repeat(edge, 4, axis=0), 4, axis=1)
    random = np.random.default_rng(0)
    small_slope = np.ptp(blur(edge, random, 2)[24, 22:26, 0].astype(int))
    large_slope = np.ptp(blur(large, random, 2)[96, 90:102, 0].astype(int))
    assert small_slope == pytest.approx(large_slope, abs=30)


def test_an_offset_has_its_nominal_length() -> None:
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[50, 50] = 255
    moved = crop_offset(picture, np.random.default_rng(0), 0.1)[..., 0].astype(float)
    rows, columns = np.indices(moved.shape)
    distance = np.hypot((rows * moved).sum() / moved.sum() - 50, (columns * moved).sum() / moved.sum() - 50)
    assert distance == pytest.approx(10, abs=0.3)


def test_low_resolution_has_its_nominal_size(picture: npt.NDArray[np.uint8]) -> None:
    stripes = np.zeros((48, 48, 3), np.uint8)
    stripes[:, ::2] = 255
    assert np.ptp(low_resolution(stripes, np.random.default_rng(0), 24)) <= 1
