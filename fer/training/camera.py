"""What cameras, rooms and networks do to the picture of a face: light, lens, sensor, compression, in this order.

A network that saw clean pictures only loses 20 to 35 points on noisy or blurred ones. Lengths are in pixels of the
network's input, gray levels 0..255. Each change befalls some of the pictures, so that clean ones stay in the majority.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np
import torch
import torch.nn.functional as F

EXPOSED_SHARE, DARKEST, BRIGHTEST = 0.35, 0.4, 1.8
"""How many pictures are exposed wrongly, and the factors of brightness between which they are."""
SIDE_LIT_SHARE, SIDE_LIGHT = 0.25, 0.6
"""How many are lit from one side; there the light is up to so much more, opposite so much less."""
FOCUS_SHARE, BLUR_SIGMA_PX = 0.4, (0.4, 2.2)
"""How many are blurred or sharpened, and with which Gaussian."""
COARSE_SHARE, COARSE = 0.15, (0.25, 0.7)
"""How many come from a face of fewer pixels, and the share of the width that is left."""
NOISY_SHARE, NOISE_SIGMA = 0.3, 24.0
"""How many are noisy, and the largest standard deviation."""
JPEG_SHARE, JPEG_QUALITY = 0.25, (10, 90)
"""How many were compressed, and how well."""


def uniform(count: int, low: float, high: float, like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return float32 (count,), evenly between two bounds, on the device of `like`.

    It is drawn on the CPU, so that a resumed run and another device see the same numbers.
    """
    return torch.empty(count).uniform_(low, high, generator=generator).to(like.device)


def photograph(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Return faces as cameras see them.

    Args:
        faces: float32 (n, C, S, S), 0..255.
        generator: where the chance comes from; of the CPU.

    Returns:
        float32 (n, C, S, S), 0..255.
    """
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
    """Change some of the pictures."""
    some = torch.nonzero(uniform(len(faces), 0, 1, faces, generator) < share).flatten()
    if not len(some):
        return faces
    return faces.index_copy(0, some, change(faces[some], generator).clamp_(0, 255))


def _expose(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Make pictures darker or brighter, by a factor; what gets too bright stays white."""
    return faces * uniform(len(faces), math.log(DARKEST), math.log(BRIGHTEST), faces, generator).exp().view(-1, 1, 1, 1)


def _light_from_the_side(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Let the light fall off along a straight line in any direction."""
    angle = uniform(len(faces), 0, 2 * math.pi, faces, generator).view(-1, 1, 1, 1)
    strength = uniform(len(faces), 0, SIDE_LIGHT, faces, generator).view(-1, 1, 1, 1)
    place = torch.linspace(-1, 1, faces.shape[-1], device=faces.device)
    along = angle.cos() * place.view(1, 1, 1, -1) + angle.sin() * place.view(1, 1, -1, 1)
    return faces * (1 + strength * along)


def _focus(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Blur, some of them wholly, or sharpen by what a blur takes away."""
    weight = uniform(len(faces), -0.6, 1.6, faces, generator).clamp_(max=1).view(-1, 1, 1, 1)
    return faces.lerp(_blur(faces, uniform(len(faces), *BLUR_SIGMA_PX, faces, generator)), weight)


def _blur(faces: torch.Tensor, sigma_px: torch.Tensor) -> torch.Tensor:
    """Blur each picture (n, C, S, S) with a Gaussian of its own, float (n,)."""
    n, channels, size, _ = faces.shape
    radius = math.ceil(2.5 * BLUR_SIGMA_PX[1])
    place = torch.arange(-radius, radius + 1, device=faces.device)
    kernel = torch.exp(-0.5 * (place / sigma_px.view(-1, 1)) ** 2)
    kernel = (kernel / kernel.sum(dim=1, keepdim=True)).repeat_interleave(channels, dim=0)
    planes = F.pad(faces.reshape(1, n * channels, size, size), [radius] * 4, mode="replicate")
    planes = F.conv2d(planes, kernel.view(-1, 1, 1, 2 * radius + 1), groups=n * channels)
    return F.conv2d(planes, kernel.view(-1, 1, 2 * radius + 1, 1), groups=n * channels).view_as(faces)


def _coarsen(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shrink and enlarge again, all by one factor: the pictures of a batch that it befalls are few."""
    size = faces.shape[-1]
    small = round(size * float(uniform(1, *COARSE, faces, generator)))
    shrunk = F.interpolate(faces, (small, small), mode="area")
    return F.interpolate(shrunk, (size, size), mode="bilinear", align_corners=False)


def _add_noise(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Add Gaussian noise, independent from pixel to pixel and from channel to channel."""
    sigma = uniform(len(faces), 0, NOISE_SIGMA, faces, generator).view(-1, 1, 1, 1)
    return faces + sigma * torch.randn(faces.shape, generator=generator).to(faces.device)


def _compress(faces: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Leave what JPEG leaves."""
    pictures = faces.round().byte().permute(0, 2, 3, 1).cpu().numpy()
    qualities = uniform(len(faces), *JPEG_QUALITY, faces, generator).round().int().tolist()
    left = [_through_jpeg(picture, quality) for picture, quality in zip(pictures, qualities, strict=True)]
    return torch.from_numpy(np.stack(left)).to(faces.device, torch.float32).permute(0, 3, 1, 2)


def _through_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    """Write and read uint8 (S, S, C), gray or RGB."""
    file = cv2.imencode(".jpg", picture[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_UNCHANGED)).reshape(picture.shape)[..., ::-1]
