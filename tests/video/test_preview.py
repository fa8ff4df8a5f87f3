"""A small preview of the video being analyzed."""

from pathlib import Path

import numpy as np

from fer.images import read_image
from fer.video.preview import PREVIEW_PX, Preview


def test_the_latest_picture_is_written_every_second_until_the_end(tmp_path: Path) -> None:
    path, now = tmp_path / "preview.jpg", [10.0]
    preview = Preview(path, lambda: now[0])
    preview.show(np.full((540, 960, 3), 200, np.uint8))
    first = read_image(path)
    assert first.shape == (270, PREVIEW_PX, 3) and abs(int(first.mean()) - 200) <= 2
    now[0] = 10.9
    preview.show(np.zeros((540, 960, 3), np.uint8))
    assert read_image(path).mean() > 190
    now[0] = 11.1
    preview.show(np.zeros((540, 960, 3), np.uint8))
    assert read_image(path).mean() < 10 and [one.name for one in tmp_path.iterdir()] == ["preview.jpg"]
    preview.forget()
    preview.forget()
    assert not path.exists()
