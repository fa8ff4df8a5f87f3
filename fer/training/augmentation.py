"""Random changes to a batch of faces that do not change their expression.

Everything is done to the whole batch at once, as tensors: on a CPU that is ten times as fast as picture by picture.
Scale and position vary by about as much as a face detector's boxes do. What cameras do to a picture is in `camera`.
"""

import math

import torch
import torch.nn.functional as F

from fer.training.camera import photograph, uniform

ROTATION_DEGREES = 15.0
SCALE = 0.15
SHIFT = 0.12
BRIGHTNESS = 0.25
CONTRAST = 0.3
ERASED_SHARE = 0.3
"""How many of the pictures lose a rectangle of 2 to 20 % of their area (arXiv:1708.04896)."""


def augment(pixels: torch.Tensor, size_px: int, generator: torch.Generator, kind: str = "camera") -> torch.Tensor:
    """Change each picture on its own.

    Args:
        pixels: uint8 or float (n, C, S, S), 0..255.
        size_px: width and height of the result.
        generator: where the chance comes from; of the CPU.
        kind: see `TrainingConfig.augmentation`.

    Returns:
        float32 (n, C, size_px, size_px), 0..255.
    """
    if kind == "none":
        return F.interpolate(pixels.float(), (size_px, size_px), mode="bilinear", antialias=True, align_corners=False)
    faces = F.grid_sample(
        pixels.float(),
        _random_grid(pixels, size_px, generator),
        mode="bilinear",
        padding_mode="border",
        align_corners=False,
    )
    faces = _erase(_light(faces, generator), generator)
    return photograph(faces, generator) if kind == "camera" else faces


def _random_grid(pixels: torch.Tensor, size_px: int, generator: torch.Generator) -> torch.Tensor:
    """Return where each pixel of the results comes from, float32 (n, size, size, 2)."""
    n, channels = pixels.shape[:2]
    angle = uniform(n, -ROTATION_DEGREES, ROTATION_DEGREES, pixels, generator) * (math.pi / 180)
    zoom = uniform(n, 1 - SCALE, 1 + SCALE, pixels, generator)
    flip = torch.where(uniform(n, -1, 1, pixels, generator) < 0, -1.0, 1.0)
    x, y = (uniform(n, -2 * SHIFT, 2 * SHIFT, pixels, generator) for _ in range(2))  # the grid is 2 wide
    across, down = angle.cos() * zoom, angle.sin() * zoom
    matrix = torch.stack([across * flip, -down, x, down * flip, across, y], dim=1).view(n, 2, 3)
    return F.affine_grid(matrix, [n, channels, size_px, size_px], align_corners=False)


def _light(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Change brightness and contrast."""
    n = len(faces)
    contrast = uniform(n, 1 - CONTRAST, 1 + CONTRAST, faces, generator).view(n, 1, 1, 1)
    brightness = uniform(n, -BRIGHTNESS * 255 / 2, BRIGHTNESS * 255 / 2, faces, generator).view(n, 1, 1, 1)
    mean = faces.mean(dim=(1, 2, 3), keepdim=True)
    return ((faces - mean) * contrast + mean + brightness).clamp_(0, 255)


def _erase(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Fill a rectangle of some of the pictures with one shade."""
    n, _, size, _ = faces.shape
    area = uniform(n, 0.02, 0.2, faces, generator) * size * size
    aspect = uniform(n, math.log(0.4), math.log(2.5), faces, generator).exp()
    height, width = (area * aspect).sqrt().view(n, 1), (area / aspect).sqrt().view(n, 1)
    top = uniform(n, 0, 1, faces, generator).view(n, 1) * (size - height)
    left = uniform(n, 0, 1, faces, generator).view(n, 1) * (size - width)
    chosen = uniform(n, 0, 1, faces, generator).view(n, 1) < ERASED_SHARE
    place = torch.arange(size, device=faces.device).view(1, size)
    rows = (place >= top) & (place < top + height) & chosen
    columns = (place >= left) & (place < left + width)
    hole = (rows.unsqueeze(2) & columns.unsqueeze(1)).unsqueeze(1)
    return torch.where(hole, uniform(n, 0, 255, faces, generator).view(n, 1, 1, 1), faces)


def cutmix(
    faces: torch.Tensor, partner: torch.Tensor, share: float, generator: torch.Generator
) -> tuple[torch.Tensor, float]:
    """Put a rectangle of another picture of the batch into each one, at one place (Yun et al. 2019, arXiv:1905.04899).

    Args:
        faces: float (n, C, S, S).
        partner: int (n,), the other one of each.
        share: of the area that a picture should keep, 0..1.
        generator: chooses the place; of the CPU.

    Returns:
        The pictures, and the share that they kept: more where the rectangle leaves the picture.
    """
    size = faces.shape[-1]
    half = (1 - share) ** 0.5 * size / 2
    y, x = (torch.rand(2, generator=generator) * size).tolist()
    top, bottom = max(round(y - half), 0), min(round(y + half), size)
    left, right = max(round(x - half), 0), min(round(x + half), size)
    mixed = faces.clone()
    mixed[:, :, top:bottom, left:right] = faces[partner, :, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / size**2
