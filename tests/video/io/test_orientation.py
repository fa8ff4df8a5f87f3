"""Videos have the same orientation as in browsers: all eight display matrices, and invalid ones."""

import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.bitstream import BitStreamFilterContext

from fer.video.io.files import VideoFile
from fer.video.io.mp4 import Mp4Writer
from tests.video.io.cases import Image, as_packets, case, corners, encoded, joined, marked

Change = Callable[[Image], Image]
ONE = 0x10000
UPRIGHT = ["red", "green", "blue", "gray"]
IMAGES = [marked(100)] * 6


def with_matrix(path: Path, a: float, b: float, c: float, d: float) -> Path:
    """An MP4 file with these numbers in its header: x' = a x + c y, y' = b x + d y."""
    encoded(path, IMAGES)
    data = bytearray(path.read_bytes())
    numbers = [round(ONE * number) for number in (a, b, 0, c, d, 0, 0, 0)]
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, *numbers, 0x40000000)
    path.write_bytes(data)
    return path


def seen(path: Path) -> list[list[str]]:
    with closing(VideoFile(path)) as file:
        return [corners(frame.image) for frame in file.frames()]


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize(("x", "y"), [(1, 1), (1, -1), (-1, 1), (-1, -1)])
@pytest.mark.parametrize("size", [1, 0.5])
def test_all_eight_orientations_are_shown(tmp_path: Path, swapped: bool, x: int, y: int, size: float) -> None:
    matrix = (0, y * size, x * size, 0) if swapped else (x * size, 0, 0, y * size)
    stored = marked(100)
    shown = stored.transpose(1, 0, 2) if swapped else stored
    shown = shown[::y, ::x]
    path = with_matrix(tmp_path / "a.mp4", *matrix)
    assert seen(path) == [corners(shown)] * len(IMAGES)
    with closing(VideoFile(path)) as file:
        assert file.size_wh == shown.shape[1::-1]
        assert file.first_image.shape == shown.shape and file.first_image.flags["C_CONTIGUOUS"]


@pytest.mark.parametrize(
    "matrix", [(0, 0, 0, 0), (1, 1, 1, 1), (1, 0, 1, 0), (0, 1, 0, 1), (0.7, 0.7, -0.7, 0.7), (-1, -1, 1, -1)]
)
def test_an_invalid_matrix_is_ignored(tmp_path: Path, matrix: tuple[float, ...]) -> None:
    assert seen(with_matrix(tmp_path / "a.mp4", *matrix)) == [UPRIGHT] * len(IMAGES)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("fmat_hflip.mp4", lambda image: image[:, ::-1]),
        ("fmat_transpose.mp4", lambda image: image.transpose(1, 0, 2)),
        ("fmat_zero.mp4", lambda image: image),
    ],
)
def test_the_same_clip_with_a_matrix_shows_the_same_person(name: str, change: Change) -> None:
    with closing(VideoFile(case("face.mp4"))) as plain, closing(VideoFile(case(name))) as turned:
        for one, other in zip(plain.frames(), turned.frames(), strict=True):
            assert np.array_equal(other.image, change(one.image))
        assert plain.problem == turned.problem == ""


def with_message(path: Path, source: Path, orientation: str) -> Path:
    """A copy of H.264 that signals its rotation with each key frame."""
    with av.open(str(source)) as container, av.open(str(path), "w") as copy:
        stream = container.streams.video[0]
        copied = copy.add_stream_from_template(stream)
        bits = BitStreamFilterContext(f"h264_metadata=display_orientation=insert:{orientation}", stream, copied)
        for packet in container.demux(stream):
            for changed in bits.filter(packet if packet.dts is not None else None):
                changed.stream = copied
                copy.mux(changed)
    return path


def test_a_rotation_that_changes_inside_a_stream_applies_from_there(tmp_path: Path) -> None:
    plain = encoded(tmp_path / "plain.ts", IMAGES)
    parts = [with_message(tmp_path / f"{turn}.ts", plain, f"rotate={turn}") for turn in (90, 180)]
    shown = seen(joined(tmp_path / "a.ts", plain, *parts, plain))
    assert len(shown) == 4 * len(IMAGES)
    assert shown[0] == shown[5] == shown[-1] == UPRIGHT
    assert shown[12] == shown[17] == UPRIGHT[::-1], "not only the key frame"
    with closing(VideoFile(tmp_path / "a.ts")) as file:
        frames = list(file.frames())
        quarter = frames[8].image
        assert "64 × 96" in file.note and "96 × 64" in file.note
    assert {frame.image.shape[1] / frame.image.shape[0] for frame in frames} == {1.5}, "one shape for all"
    assert corners(quarter[:, 28:68]) == ["green", "gray", "red", "blue"], "to the left, in the middle"
    assert not quarter[:, :26].any() and not quarter[:, 70:].any()


def test_each_picture_of_motion_jpeg_may_be_rotated(tmp_path: Path) -> None:
    pictures = []
    for orientation in (1, 3):  # PyAV does not tell whether what has EXIF is mirrored
        jpeg = cv2.imencode(".jpg", cv2.cvtColor(marked(100), cv2.COLOR_RGB2BGR))[1].tobytes()
        exif = b"Exif\0\0II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)
        pictures.append(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
    path = as_packets(tmp_path / "a.mkv", pictures, "mjpeg")
    stored = marked(100)
    assert seen(path) == [corners(stored), corners(stored[::-1, ::-1])]


@pytest.mark.parametrize("matrix", [(-1, 0, 0, 1), (0, 1, -1, 0), (0, -1, -1, 0)])
def test_written_videos_are_upright_and_not_rotated_again(tmp_path: Path, matrix: tuple[float, ...]) -> None:
    with (
        closing(VideoFile(with_matrix(tmp_path / "a.mp4", *matrix))) as file,
        Mp4Writer(tmp_path / "b.mp4", size_wh=file.shown_wh) as writer,
    ):
        expected = corners(file.first_image)
        for frame in file.frames():
            writer.write(frame.image, frame.seconds)
    assert seen(tmp_path / "b.mp4") == [expected] * len(IMAGES)
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert all("DISPLAYMATRIX" not in frame.side_data for frame in container.decode(video=0))
