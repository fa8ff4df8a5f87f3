"""Simulated JPEG compared with real files."""

import cv2
import numpy as np
import pytest
import torch

from fer.datasets import open_dataset
from fer.training.jpeg import compress


@pytest.mark.parametrize(("channels", "size_px", "tolerance"), [(1, 48, 0.5), (1, 44, 0.5), (3, 48, 2.0), (3, 45, 2.5)])
@pytest.mark.parametrize("quality", [10, 40, 90])
def test_it_matches_real_files(channels: int, size_px: int, tolerance: float, quality: int) -> None:
    drawn = np.stack([cv2.resize(face, (size_px, size_px)) for face in open_dataset("synthetic:80").pictures[:12]])
    drawn = drawn if drawn.ndim == 4 else np.repeat(drawn[..., None], 3, axis=3)
    drawn = drawn[..., :channels]
    if channels == 3:
        drawn = np.stack([drawn[..., 0], drawn[:, ::-1, :, 1], drawn[..., 2] // 2 + 60], axis=3)
    kept = []
    for picture in drawn:
        data = cv2.imencode(".jpg", picture[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, quality))[1]
        kept.append(np.asarray(cv2.imdecode(data, cv2.IMREAD_UNCHANGED)).reshape(picture.shape)[..., ::-1])
    faces = torch.from_numpy(drawn.copy()).permute(0, 3, 1, 2).float()
    found = compress(faces, torch.full((len(faces),), float(quality))).permute(0, 2, 3, 1).numpy()
    assert np.abs(found - np.stack(kept)).mean() < tolerance
    assert np.abs(found - np.stack(kept)).mean() < 0.5 * np.abs(drawn - np.stack(kept).astype(float)).mean()


def test_each_picture_has_its_own_quality() -> None:
    face = torch.rand(1, 1, 48, 48, generator=torch.Generator().manual_seed(0)).mul(255).round().repeat(2, 1, 1, 1)
    errors = (compress(face, torch.tensor([10.0, 95.0])) - face).abs().mean(dim=(1, 2, 3))
    assert errors[0] > 3 * errors[1]
