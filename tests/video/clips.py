"""Video files with known content: scenes of patches, stored losslessly."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tests.video.scene import FakeRecognizer, Patch, draw_scene

Image = npt.NDArray[np.uint8]


class PatchRecognizer(FakeRecognizer):
    """Returns itself as its copy for videos."""

    def for_video(self) -> Any:
        return self


def lossless(path: Path, images: Sequence[Image], times: Sequence[float] | None = None) -> Path:
    """Write pictures at these seconds, by default 30 per second; Matroska with FFV1."""
    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "bgr0"
        stream.codec_context.time_base = Fraction(1, 1000)
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts = round(1000 * (times[number] if times else number / 30))
            frame.time_base = Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def still(path: Path, frames: int = 60, person: int = 0) -> Path:
    """Write a scene with one patch that does not move."""
    return lossless(path, [draw_scene([Patch(person, 160, 120)])] * frames)
