"""Random changes to a batch of faces that keep their expression.

Everything operates on the whole batch as tensors: on a CPU that is ten times as fast as picture by picture. Scale and
position vary about as much as a face detector's boxes. A network trained on clean pictures only loses 20 to 35 points
on noisy or blurred ones, so `photograph` simulates light, lens, sensor and compression; each effect is applied to a
part of the pictures, so that most stay clean. Lengths are in pixels of the network's input.
"""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F

from fer.training.jpeg import compress

ROTATION_DEGREES = 15.0
SCALE = 0.15
SHIFT = 0.12
BRIGHTNESS = 0.25
CONTRAST = 0.3
ERASED_SHARE = 0.3
"""Share of pictures with an erased rectangle, of 2 to 20 % of their area (arXiv:1708.04896)."""
EXPOSED_SHARE, DARKEST, BRIGHTEST = 0.35, 0.4, 1.8
"""Share of badly exposed pictures, and the range of the brightness factor."""
SIDE_LIT_SHARE, SIDE_LIGHT = 0.25, 0.6
"""Share of pictures lit from one side, and the largest relative gain there (and loss on the other side)."""
FOCUS_SHARE, BLUR_SIGMA_PX = 0.4, (0.4, 2.2)
"""Share of blurred or sharpened pictures, and the range of the Gaussian's sigma."""
COARSE_SHARE, COARSE = 0.15, (0.25, 0.7)
"""Share of low-resolution pictures, and the range of the remaining share of the width."""
NOISY_SHARE, NOISE_SIGMA = 0.3, 24.0
"""Share of noisy pictures, and the largest standard deviation."""
JPEG_SHARE, JPEG_QUALITY = 0.25, (10, 90)
"""Share of compressed pictures, and the range of the quality."""


def augment(pixels: torch.Tensor, size_px: int, generator: torch.Generator, kind: str = "camera") -> torch.Tensor:
    """Augment each picture independently, uint8 or float (n, C, S, S), 0..255, as in `TrainingConfig.augmentation`.

    Returns float32 (n, C, size_px, size_px), 0..255. The generator must be on the CPU.
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
    """Return the sampling grid of the results, float32 (n, size, size, 2)."""
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
    """Fill a rectangle in some of the pictures with one shade."""
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
    """Paste a rectangle of another picture of the batch into each one (Yun et al. 2019, arXiv:1905.04899).

    Faces are float (n, C, S, S), their partners int (n,); `share`, 0..1, is the share of the area to keep. Returns the
    pictures and the share actually kept, which is larger if the rectangle is cut off at the border. All pictures have
    the same rectangle; the generator is on the CPU.
    """
    size = faces.shape[-1]
    half = (1 - share) ** 0.5 * size / 2
    y, x = (torch.rand(2, generator=generator) * size).tolist()
    top, bottom = max(round(y - half), 0), min(round(y + half), size)
    left, right = max(round(x - half), 0), min(round(x + half), size)
    mixed = faces.clone()
    mixed[:, :, top:bottom, left:right] = faces[partner, :, top:bottom, left:right]
    return mixed, 1 - (bottom - top) * (right - left) / size**2


def uniform(count: int, low: float, high: float, like: torch.Tensor | None, generator: torch.Generator) -> torch.Tensor:
    """Return uniform float32 (count,) between two bounds, on the device of `like`, or on the CPU.

    Numbers are drawn on the CPU, so that a resumed run and another device get the same ones, and so that code that
    needs them here does not wait for a GPU.
    """
    numbers = torch.empty(count).uniform_(low, high, generator=generator)
    return numbers if like is None else numbers.to(like.device, non_blocking=True)


def photograph(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Simulate a camera on faces, float32 (n, C, S, S), 0..255; the generator must be on the CPU."""
    faces = _befall(faces, EXPOSED_SHARE, _expose, generator)
    faces = _befall(faces, SIDE_LIT_SHARE, _light_from_the_side, generator)
    faces = _befall(faces, FOCUS_SHARE, _focus, generator)
    faces = _befall(faces, COARSE_SHARE, _coarsen, generator)
    faces = _befall(faces, NOISY_SHARE, _add_noise, generator)
    return _befall(faces, JPEG_SHARE, _compress, generator)


def _befall(
    faces: torch.Tensor,
    share: float,
    change: Callable[[torch.Tensor, torch.Generator], torch.Tensor],
    generator: torch.Generator,
) -> torch.Tensor:
    """Apply a change to a random share of the pictures."""
    some = torch.nonzero(uniform(len(faces), 0, 1, None, generator) < share).flatten()
    if not len(some):
        return faces
    some = some.to(faces.device, non_blocking=True)
    return faces.index_copy(0, some, change(faces[some], generator).clamp_(0, 255))


def _expose(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Darken or brighten pictures by a factor; saturated pixels are clipped later."""
    return faces * uniform(len(faces), math.log(DARKEST), math.log(BRIGHTEST), faces, generator).exp().view(-1, 1, 1, 1)


def _light_from_the_side(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Apply a linear falloff of light in a random direction."""
    angle = uniform(len(faces), 0, 2 * math.pi, faces, generator).view(-1, 1, 1, 1)
    strength = uniform(len(faces), 0, SIDE_LIGHT, faces, generator).view(-1, 1, 1, 1)
    place = torch.linspace(-1, 1, faces.shape[-1], device=faces.device)
    along = angle.cos() * place.view(1, 1, 1, -1) + angle.sin() * place.view(1, 1, -1, 1)
    return faces * (1 + strength * along)


def _focus(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Blur, in part or fully, or sharpen by unsharp masking."""
    weight = uniform(len(faces), -0.6, 1.6, faces, generator).clamp_(max=1).view(-1, 1, 1, 1)
    return faces.lerp(_blur(faces, uniform(len(faces), *BLUR_SIGMA_PX, faces, generator)), weight)


def _blur(faces: torch.Tensor, sigma_px: torch.Tensor) -> torch.Tensor:
    """Blur each picture (n, C, S, S) with its own Gaussian, sigma float (n,)."""
    n, channels, size, _ = faces.shape
    radius = math.ceil(2.5 * BLUR_SIGMA_PX[1])
    place = torch.arange(-radius, radius + 1, device=faces.device)
    kernel = torch.exp(-0.5 * (place / sigma_px.view(-1, 1)) ** 2)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    planes = F.pad(faces.reshape(1, n * channels, size, size), [radius] * 4, mode="replicate")
    planes = F.conv2d(planes, kernel.view(-1, 1, 1, 2 * radius + 1), groups=n * channels)
    return F.conv2d(planes, kernel.view(-1, 1, 2 * radius + 1, 1), groups=n * channels).view_as(faces)


def _coarsen(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shrink and enlarge again, all by one factor, since only few pictures of a batch are affected."""
    size = faces.shape[-1]
    small = round(size * float(uniform(1, *COARSE, None, generator)))
    shrunk = F.interpolate(faces, (small, small), mode="area")
    return F.interpolate(shrunk, (size, size), mode="bilinear", align_corners=False)


def _add_noise(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Add Gaussian noise, independent for each pixel and channel."""
    sigma = uniform(len(faces), 0, NOISE_SIGMA, faces, generator).view(-1, 1, 1, 1)
    if faces.is_cuda:  # this many numbers are drawn on the GPU
        seed = int(torch.randint(2**62, (), generator=generator))
        generator = torch.Generator(faces.device).manual_seed(seed)
    return faces + sigma * torch.randn(faces.shape, generator=generator, device=generator.device).to(faces.device)


def _compress(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Apply JPEG compression artifacts."""
    return compress(faces, uniform(len(faces), *JPEG_QUALITY, faces, generator).round())
