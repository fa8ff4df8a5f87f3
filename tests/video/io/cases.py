"""Videos as made by various devices: examples beside the checkout, and generated ones."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

Image = npt.NDArray[np.uint8]
CASES = Path(__file__).resolve().parents[4] / "shared" / "cases"
RED, GREEN, BLUE = (220, 30, 30), (30, 160, 30), (40, 40, 200)
STEP = 1 / 10


def case(name: str) -> Path:
    """An example from `../shared/cases`, whose license does not allow it in the checkout."""
    if not (CASES / name).is_file():
        pytest.skip(f"no ../shared/cases/{name}")
    return CASES / name


def marked(gray: int, width: int = 96, height: int = 64) -> Image:
    """A gray picture with a red top left corner, a green top right one and a blue bottom left one."""
    image = np.full((height, width, 3), gray, np.uint8)
    image[: height // 4, : width // 4] = RED
    image[: height // 4, -width // 4 :] = GREEN
    image[-height // 4 :, : width // 4] = BLUE
    return image


def corners(image: Image) -> list[str]:
    """Return the top left, top right, bottom left and bottom right corners."""
    named = {"red": RED, "green": GREEN, "blue": BLUE}
    height, width = image.shape[:2]
    spots = [image[y, x].astype(int) for y in (height // 16, -height // 16) for x in (width // 16, -width // 16)]
    return [next((name for name, color in named.items() if np.abs(spot - color).max() < 40), "gray") for spot in spots]


def encoded(
    path: Path,
    images: Sequence[Image],
    times: Sequence[float] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    pixel_ratio: Fraction | None = None,
    options: dict[str, str] | None = None,
) -> Path:
    """Write pictures at these seconds, by default ten per second."""
    times = times or [STEP * number for number in range(len(images))]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options=options or {})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        if codec != "mpeg4":  # which wants its own
            stream.codec_context.time_base = Fraction(1, 1000)
        if pixel_ratio:
            stream.codec_context.sample_aspect_ratio = pixel_ratio
        for image, seconds in zip(images, times, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.time_base = Fraction(1, 1000)
            frame.pts = round(1000 * seconds)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def joined(path: Path, *parts: Path) -> Path:
    """Write files of a format that can be concatenated, such as MPEG-TS and raw H.264."""
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def as_packets(path: Path, packets: Sequence[bytes], codec: str) -> Path:
    """Write pictures that are already encoded, each on its own, ten per second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height = 96, 64
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
        for number, data in enumerate(packets):
            packet = av.Packet(data)
            packet.stream, packet.time_base = stream, Fraction(1, 10)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            container.mux(packet)
    return path


def as_pngs(path: Path, images: Sequence[Image]) -> Path:
    """Write pictures of any size losslessly, ten per second; Matroska."""
    bgr = [np.ascontiguousarray(image[..., ::-1]) for image in images]
    return as_packets(path, [cv2.imencode(".png", image)[1].tobytes() for image in bgr], "png")
