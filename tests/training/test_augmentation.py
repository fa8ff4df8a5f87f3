"""Augmentation, measured on many pictures at once; all randomness comes from a seeded generator."""

import math

import pytest
import torch

from fer.training.augmentation import BRIGHTNESS, ERASED_SHARE, SHIFT, augment, cutmix


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(n: int = 6, channels: int = 1, size_px: int = 24) -> torch.Tensor:
    return torch.randint(0, 256, (n, channels, size_px, size_px), generator=chance(9), dtype=torch.uint8)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("from_px", "to_px"), [(24, 24), (48, 32), (24, 40)])
def test_shape_type_and_range(channels: int, from_px: int, to_px: int) -> None:
    faces = augment(noise(5, channels, from_px), to_px, chance())
    assert faces.shape == (5, channels, to_px, to_px)
    assert faces.dtype == torch.float32
    assert faces.isfinite().all()
    assert faces.min() >= 0 and faces.max() <= 255
    assert faces.std() > 10


def test_uint8_and_float_pictures_are_treated_alike() -> None:
    assert torch.equal(augment(noise(), 24, chance()), augment(noise().float(), 24, chance()))


def test_the_same_generator_gives_the_same_and_another_seed_other_faces() -> None:
    first, again, other = (augment(noise(), 24, chance(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_global_generator_is_neither_used_nor_changed() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = augment(noise(), 24, chance(1))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    assert torch.equal(augment(noise(), 24, chance(1)), first)


def test_the_pictures_themselves_are_unchanged() -> None:
    pixels = noise()
    augment(pixels, 24, chance())
    assert torch.equal(pixels, noise())


def test_each_picture_of_a_batch_is_augmented_independently() -> None:
    faces = augment(noise(1).expand(8, -1, -1, -1), 24, chance())
    assert len({tuple(face.flatten().tolist()) for face in faces}) == 8


def test_about_half_are_mirrored_and_none_is_upside_down() -> None:
    n, ramp = 600, torch.linspace(0, 255, 24)
    across = ramp.view(1, 1, 1, 24).expand(n, 1, 24, 24)  # bright at the right
    faces = augment(across, 24, chance())
    flipped = faces[..., :12].mean(dim=(1, 2, 3)) > faces[..., 12:].mean(dim=(1, 2, 3))
    assert 0.44 < flipped.float().mean() < 0.56
    down = augment(across.transpose(2, 3), 24, chance())
    upside_down = down[:, :, :12].mean(dim=(1, 2, 3)) > down[:, :, 12:].mean(dim=(1, 2, 3))
    assert upside_down.float().mean() < 0.01  # an erased rectangle can look like it


def test_faces_move_as_far_as_configured() -> None:
    size = 48
    pixels = torch.zeros(500, 1, size, size)
    pixels[..., 22:26, 22:26] = 255
    places = augment(pixels, size, chance()).flatten(1).argmax(dim=1)
    offsets = torch.stack([places // size, places % size]) - (size - 1) / 2
    reach = size * SHIFT * (math.cos(math.radians(15)) + math.sin(math.radians(15))) / 0.85 + 2.5
    found = (offsets.abs() <= reach).all(dim=0)
    assert found.float().mean() > 0.85  # in the others an erased rectangle is the brightest place
    offsets = offsets[:, found]
    assert offsets.std(dim=1).min() > size * SHIFT / 3
    assert offsets.mean(dim=1).abs().max() < 1


def test_light_and_erasing_on_a_plain_picture() -> None:
    """Outside the rectangle only brightness changes on a plain picture, and its border has no dark corners."""
    n, size = 600, 32
    faces = augment(torch.full((n, 1, size, size), 128.0), size, chance(), "plain")
    plain = (faces - faces[:, :, :1, :1]).abs() < 1e-3
    erased = ~plain.flatten(1).all(dim=1)
    assert ERASED_SHARE - 0.06 < erased.float().mean() < ERASED_SHARE + 0.06
    untouched = faces[~erased].flatten(1)
    reach = 255 * BRIGHTNESS / 2
    assert 128 - reach - 1e-3 < untouched.min() < 128 - 0.8 * reach
    assert 128 + reach + 1e-3 > untouched.max() > 128 + 0.8 * reach
    corner_kept = erased & (plain.flatten(1).float().mean(dim=1) > 0.5)
    area = 1 - plain[corner_kept].flatten(1).float().mean(dim=1)
    assert area.min() > 0.01 and area.max() < 0.25


@pytest.mark.parametrize("shade", [0, 255])
def test_black_and_white_stay_in_range(shade: int) -> None:
    faces = augment(torch.full((50, 3, 24, 24), shade, dtype=torch.uint8), 24, chance())
    assert faces.min() >= 0 and faces.max() <= 255


def one_hot_faces(n: int = 10) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return shades (n,), plain pictures of those shades, and a separate label for each."""
    shades = torch.arange(n, dtype=torch.float32) ** 2
    return shades, shades.view(n, 1, 1, 1).expand(n, 1, 4, 4).contiguous(), torch.eye(n)


SHIFTED = torch.arange(10).roll(3)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.95])
def test_cutmix_returns_the_share_that_was_kept(share: float) -> None:
    faces = torch.arange(10.0).view(10, 1, 1, 1).expand(10, 1, 20, 20).contiguous()
    for seed in range(20):
        mixed, kept = cutmix(faces, SHIFTED, share, chance(seed))
        own = (mixed == faces).float().mean(dim=(1, 2, 3))
        assert own.tolist() == pytest.approx([kept] * 10)
        assert ((mixed == faces) | (mixed == faces[SHIFTED])).all()
        assert kept >= share - 0.06  # whole pixels
    assert torch.equal(faces[:, 0, 0, 0], torch.arange(10.0)), "the given pictures stay"
