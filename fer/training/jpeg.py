"""JPEG compression artifacts, computed for a whole batch on its device (ITU-T T.81, tables of Annex K).

Real JPEG files would have to be encoded and decoded on the CPU, one by one, while a GPU waits.
"""

import math

import torch
import torch.nn.functional as F

_BRIGHTNESS = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_COLOR = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, *[99] * 32,
)  # fmt: skip
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
"""From red, green and blue to luma and two color differences around 0."""


def compress(faces: torch.Tensor, qualities: torch.Tensor) -> torch.Tensor:
    """Return pictures, float (n, C, S, S), 0..255, gray or RGB, after compression: float32, about 0..255.

    The qualities, float (n,), 1..100, are on libjpeg's scale; chroma has half the resolution, as usual.
    """
    faces = faces.round()
    if faces.shape[1] == 1:
        return _quantized(faces, qualities, _BRIGHTNESS)
    matrix = torch.tensor(_TO_YCC, device=faces.device)
    planes = torch.einsum("ij,njhw->nihw", matrix, faces)
    size = faces.shape[-1]
    color = F.avg_pool2d(planes[:, 1:], 2, ceil_mode=True, count_include_pad=False)
    color = _quantized(color + 128, qualities, _COLOR) - 128
    color = F.interpolate(color, scale_factor=2.0, mode="bilinear", align_corners=False)[..., :size, :size]
    planes = torch.cat([_quantized(planes[:, :1], qualities, _BRIGHTNESS), color], dim=1)
    return torch.einsum("ij,njhw->nihw", torch.linalg.inv(matrix.cpu()).to(faces.device), planes).round()


def _quantized(planes: torch.Tensor, qualities: torch.Tensor, table: tuple[int, ...]) -> torch.Tensor:
    """Quantize the frequencies of each 8×8 block of planes (n, C, h, w), 0..255, by the quality."""
    n, channels, height, width = planes.shape
    scale = torch.where(qualities < 50, 5000 / qualities, 200 - 2 * qualities).view(n, 1, 1)
    steps = ((torch.tensor(table, device=planes.device).view(8, 8) * scale + 50) / 100).floor().clamp(1, 255)
    full = F.pad(planes, (0, -width % 8, 0, -height % 8), mode="replicate")
    down, across = full.shape[-2] // 8, full.shape[-1] // 8
    blocks = full.view(n, channels * down, 8, across, 8).transpose(2, 3) - 128  # (n, C·down, across, 8, 8)
    wave = _waves(planes.device)
    steps = steps.view(n, 1, 1, 8, 8)
    blocks = wave.T @ ((wave @ blocks @ wave.T / steps).round() * steps) @ wave + 128
    back = blocks.transpose(2, 3).reshape(full.shape)
    return back[..., :height, :width].round().clamp(0, 255)


def _waves(device: torch.device) -> torch.Tensor:
    """Return the 8-point discrete cosine transform matrix, float32 (8, 8), one row per frequency."""
    place = torch.arange(8, device=device)
    waves = torch.cos(math.pi / 8 * (place + 0.5) * place.view(-1, 1)) / 2
    waves[0] /= math.sqrt(2)
    return waves
