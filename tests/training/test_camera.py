"""Camera effects: each one alone, on pictures where the result is known."""

import math

import pytest
import torch

from fer.training import augmentation as camera
from fer.training.augmentation import photograph


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def checkerboard(n: int = 40, channels: int = 1, size: int = 48) -> torch.Tensor:
    """Return squares of 4 pixels, 64 and 192, float32 (n, channels, size, size)."""
    place = torch.arange(size) // 4
    board = (place.view(-1, 1) + place.view(1, -1)) % 2
    return (64.0 + 128 * board).expand(n, channels, size, size).contiguous()


def edges(faces: torch.Tensor) -> torch.Tensor:
    """Return the steepest step between neighbors in each picture, (n,)."""
    return faces.diff(dim=-1).abs().flatten(1).max(dim=1).values


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("n", [1, 40])
def test_shape_and_range_are_kept(channels: int, n: int) -> None:
    faces = photograph(checkerboard(n, channels, 32) * 1.3, chance())
    assert faces.shape == (n, channels, 32, 32) and faces.dtype == torch.float32
    assert faces.min() >= 0 and faces.max() <= 255


def test_the_same_seed_gives_the_same_pictures_and_inputs_are_unchanged() -> None:
    given = checkerboard()
    first, again, other = (photograph(given, chance(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(given, checkerboard())


def test_some_pictures_are_unchanged() -> None:
    untouched = (photograph(checkerboard(2000), chance()) == checkerboard(2000)).flatten(1).all(dim=1).float().mean()
    shares = (
        camera.EXPOSED_SHARE, camera.SIDE_LIT_SHARE, camera.FOCUS_SHARE,
        camera.COARSE_SHARE, camera.NOISY_SHARE, camera.JPEG_SHARE,
    )  # fmt: skip
    assert untouched == pytest.approx(math.prod(1 - share for share in shares), abs=0.03)


def test_exposure_is_a_factor() -> None:
    factors = camera._expose(checkerboard(500), chance()) / checkerboard(500)
    assert (factors.flatten(1).std(dim=1) < 1e-5).all(), "one for all pixels of a picture"
    assert camera.DARKEST < factors.min() < 1.1 * camera.DARKEST
    assert 0.9 * camera.BRIGHTEST < factors.max() < camera.BRIGHTEST


def test_light_from_the_side_keeps_the_mean_and_falls_along_a_line() -> None:
    lit = camera._light_from_the_side(torch.full((200, 1, 33, 33), 100.0), chance())
    assert lit.mean(dim=(1, 2, 3)).numpy() == pytest.approx(100.0, abs=0.1)
    assert lit[:, 0, 16, 16].numpy() == pytest.approx(100.0, abs=1e-3), "the center is as it was"
    opposite = lit + lit.flip(2, 3)
    assert opposite.numpy() == pytest.approx(200.0, abs=1e-2)
    assert lit.max() > 100 * (1 + camera.SIDE_LIGHT) and lit.min() >= 0


def test_focus_softens_or_sharpens_edges_but_not_plain_areas() -> None:
    after = edges(camera._focus(checkerboard(400), chance()))
    assert (after < 100).float().mean() > 0.4, "many are soft"
    assert (after > 140).float().mean() > 0.15, "some are sharper"
    plain = camera._focus(torch.full((20, 1, 24, 24), 77.0), chance())
    assert plain.numpy() == pytest.approx(77.0, abs=1e-3)


def test_a_blur_spreads_a_point_by_its_sigma() -> None:
    point = torch.zeros(2, 1, 41, 41)
    point[:, :, 20, 20] = 1000
    sigma = torch.tensor([1.0, 2.0])
    blurred = camera._blur(point, sigma)[:, 0]
    distance = (torch.arange(41.0) - 20) ** 2
    variance = (blurred.sum(dim=1) * distance).sum(dim=1) / 1000
    assert variance.sqrt().tolist() == pytest.approx(sigma.tolist(), rel=0.03)


def test_coarse_pictures_lose_detail() -> None:
    assert edges(camera._coarsen(checkerboard(5), chance())).max() < 128


def test_noise_has_mean_zero_and_a_bounded_deviation() -> None:
    noise = camera._add_noise(torch.zeros(300, 3, 24, 24), chance())
    deviations = noise.flatten(1).std(dim=1)
    assert noise.mean().abs() < 0.1
    assert deviations.max() < 1.1 * camera.NOISE_SIGMA and deviations.max() > 0.9 * camera.NOISE_SIGMA
    assert noise[:, 0].flatten().corrcoef() == pytest.approx(1)
    channels = torch.corrcoef(noise.transpose(0, 1).flatten(1))
    assert (channels - torch.eye(3)).abs().max() < 0.02, "each channel has its own"


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_keeps_a_picture_roughly_and_its_colors(channels: int) -> None:
    smooth = torch.linspace(0, 255, 48).expand(8, channels, 48, 48).clone()
    if channels == 3:
        smooth[:, 1] = 128  # red and blue swapped would show
        smooth[:, 2] = smooth[:, 0].flip(-1)
    left = camera._compress(smooth, chance())
    assert not torch.equal(left, smooth)
    assert (left - smooth).abs().mean() < 12
