"""Reading and writing videos: times, orientation, damage, and no partial files."""

import itertools
import struct
import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from fer.errors import VideoError
from fer.video.io.files import TimedFrame, VideoFile, picture_at
from fer.video.io.live import LiveSource
from fer.video.io.mp4 import Mp4Writer
from tests.scripts.processes import start, wait_for

Image = npt.NDArray[np.uint8]


def picture(gray: int, height: int = 64, width: int = 96) -> Image:
    """A picture with a red top left corner."""
    image = np.full((height, width, 3), gray, np.uint8)
    image[: height // 2, : width // 2] = (220, 30, 30)
    return image


def write(path: Path, times: list[float] | None = None, height: int = 64, width: int = 96) -> Path:
    times = times or [number / 10 for number in range(20)]
    with Mp4Writer(path) as writer:
        for number, seconds in enumerate(times):
            writer.write(picture(10 * number, height, width), seconds)
    return path


def noise(path: Path) -> Path:
    """A video whose frames all take about the same number of bytes."""
    random = np.random.default_rng(0)
    with Mp4Writer(path) as writer:
        for number in range(30):
            writer.write(random.integers(0, 255, (64, 96, 3), np.uint8), number / 30)
    return path


def read(path: Path) -> list[TimedFrame]:
    file = VideoFile(path)
    frames = list(file.frames())
    assert file.problem == ""
    file.close()
    return frames


def encode(path: Path, codec: str, pixel_ratio: Fraction = Fraction(1)) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = pixel_ratio
        for number in range(20):
            frame = av.VideoFrame.from_ndarray(picture(10 * number), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


# Writing


def test_what_is_written_plays_in_browsers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        assert (context.name, context.pix_fmt, stream.frames) == ("h264", "yuv420p", 20)
        assert float(stream.duration * stream.time_base) == pytest.approx(2.0)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat"), "a browser would have to load all of it first"
    assert [file.name for file in tmp_path.iterdir()] == ["a.mp4"]


def test_pictures_and_times_survive_a_round_trip(tmp_path: Path) -> None:
    times = [0, 0.1, 0.15, 0.5, 1.0, 1.01]
    frames = read(write(tmp_path / "a.mp4", [5 + seconds for seconds in times]))
    assert [frame.seconds for frame in frames] == pytest.approx(times, abs=1e-4)
    for number, frame in enumerate(frames):
        assert frame.image.dtype == np.uint8 and frame.image.flags["C_CONTIGUOUS"]
        assert frame.image[50, 80] == pytest.approx([10 * number] * 3, abs=4)
        assert frame.image[10, 10] == pytest.approx([220, 30, 30], abs=6)


@pytest.mark.parametrize("height", [64, 62])
def test_colors_are_right_in_every_player(tmp_path: Path, height: int) -> None:
    colors = np.array(list(itertools.product((0, 128, 255), repeat=3)), np.uint8)
    image = np.broadcast_to(np.repeat(colors, 16, axis=0), (height, 16 * len(colors), 3))
    with Mp4Writer(tmp_path / "a.mp4") as writer:
        for number in range(5):
            writer.write(image, number / 10)
    with av.open(str(tmp_path / "a.mp4")) as container:
        context = container.streams.video[0].codec_context
        says = context.colorspace, context.color_range, context.color_primaries, context.color_trc
        assert says == (6, 1, 1, 1), "BT.601's matrix, 16..235, sRGB's primaries and curve, as ITU-T H.273 numbers them"
    for frame in read(tmp_path / "a.mp4"):
        shown = frame.image.reshape(height, len(colors), 16, 3)[:, :, 4:12].astype(int)
        assert np.abs(shown - colors[:, None]).max() <= 4


def test_times_that_do_not_increase_are_still_written(tmp_path: Path) -> None:
    frames = read(write(tmp_path / "a.mp4", [0, 0.1, 0.1, 0.05, 0.2]))
    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.1, 0.1, 0.1, 0.2], abs=1e-3)


@pytest.mark.parametrize(("height", "width"), [(61, 75), (1, 1), (64, 33)])
def test_odd_sides_get_a_pixel_more(tmp_path: Path, height: int, width: int) -> None:
    frames = read(write(tmp_path / "a.mp4", [0, 0.1], height, width))
    assert [frame.image.shape for frame in frames] == [(height + height % 2, width + width % 2, 3)] * 2


def test_a_frame_of_another_size_is_scaled(tmp_path: Path) -> None:
    with Mp4Writer(tmp_path / "a.mp4") as writer:
        writer.write(picture(0), 0)
        writer.write(picture(200, 128, 192), 0.1)
    assert [frame.image.shape for frame in read(tmp_path / "a.mp4")] == [(64, 96, 3)] * 2


def test_no_partial_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"an older video")
    with pytest.raises(RuntimeError), Mp4Writer(path) as writer:
        writer.write(picture(0), 0)
        assert path.read_bytes() == b"an older video"
        raise RuntimeError
    with Mp4Writer(path):
        pass  # no frame came
    assert path.read_bytes() == b"an older video"
    assert list(tmp_path.iterdir()) == [path]
    write(path)
    assert len(read(path)) == 20


@pytest.mark.slow
def test_in_fragments_all_but_the_last_play_however_it_ends(tmp_path: Path) -> None:
    writes = (
        "import sys, time, numpy as np\n"
        "from pathlib import Path\n"
        "from fer.video.io.mp4 import Mp4Writer\n"
        "writer = Mp4Writer(Path('a.mp4'), in_parts=True)\n"
        "for number in range(300):\n"
        "    writer.write(np.full((64, 96, 3), number % 250, np.uint8), number / 30)\n"
        "Path('written').touch()\n"
        "time.sleep(600)\n"
    )
    process = start(tmp_path, "-c", writes)
    wait_for(process, tmp_path / "written")
    process.kill()
    process.communicate()
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert len(list(container.decode(video=0))) >= 300 - 120


def test_an_unwritable_output_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "folder.mp4").mkdir()
    for name, message in (("a.avi", "end with .mp4"), ("no/a.mp4", "expected a folder"), ("folder.mp4", "the folder")):
        with pytest.raises(VideoError, match=message):
            Mp4Writer(tmp_path / name)


def test_a_failing_disk_is_an_error(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no disk that is always full")
    (tmp_path / "a.mp4.part").symlink_to("/dev/full")
    with pytest.raises(VideoError, match=r"cannot write .*No space left"):
        write(tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


# Reading


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.avi", "mpeg4")])
def test_many_formats_are_read(tmp_path: Path, name: str, codec: str) -> None:
    frames = read(encode(tmp_path / name, codec))
    assert [frame.seconds for frame in frames] == pytest.approx([number / 10 for number in range(20)], abs=2e-3)
    assert frames[10].image[50, 80] == pytest.approx([100] * 3, abs=8)


def test_wide_pixels_are_made_square(tmp_path: Path) -> None:
    assert read(encode(tmp_path / "a.mkv", "libx264", Fraction(4, 3)))[0].image.shape == (64, 128, 3)


def test_a_phone_held_upright_gives_upright_pictures(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp4")
    data, one = bytearray(path.read_bytes()), 0x10000
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, 0, one, 0, -one, 0, 0, 64 * one, 0, 0x40000000)
    path.write_bytes(data)
    image = read(path)[5].image
    assert image.shape == (96, 64, 3)
    assert image[10, 50] == pytest.approx([220, 30, 30], abs=6), "clockwise: the left upper corner is the right one"


def test_without_timestamps_frames_follow_evenly(tmp_path: Path) -> None:
    frames = read(encode(tmp_path / "a.h264", "libx264"))
    steps = np.diff([frame.seconds for frame in frames])
    assert len(frames) == 20
    assert steps == pytest.approx(steps[0]) and steps[0] > 0


def test_concatenated_recordings_continue(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.ts", "mpeg2video")
    once = read(path)
    path.write_bytes(2 * path.read_bytes())
    twice = read(path)
    steps = np.diff([frame.seconds for frame in twice])
    assert len(twice) >= 2 * len(once) - 2
    assert steps.min() >= 0 and steps.max() < 0.5
    assert twice[-1].seconds == pytest.approx(2 * once[-1].seconds, abs=0.3)


def test_a_file_that_is_no_video_is_an_error(tmp_path: Path) -> None:
    video = write(tmp_path / "a.mp4").read_bytes()
    for name, data in (
        ("empty.mp4", b""),
        ("noise.mp4", np.random.default_rng(0).bytes(20_000)),
        ("text.txt", b"no video\n" * 50),
        ("start.mp4", video[:40]),
        ("no-frame.mp4", video[: video.index(b"mdat") + 200]),
    ):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(VideoError, match=f"expected a video, such as .*{name}"):
            VideoFile(tmp_path / name)
    for path, found in ((tmp_path / "gone.mp4", "nothing"), (tmp_path, "a folder")):
        with pytest.raises(VideoError, match=f"found {found} at"):
            VideoFile(path)


def test_an_unknown_codec_has_no_pictures(tmp_path: Path) -> None:
    path = write(tmp_path / "clip.mp4")
    path.write_bytes(path.read_bytes().replace(b"avc1", b"zzz1"))
    with pytest.raises(VideoError, match=r"clip\.mp4"):
        VideoFile(path)
    with pytest.raises(VideoError, match=r"clip\.mp4"):
        picture_at(path, 0.0)


def test_a_title_that_is_not_utf_8_costs_the_title_only(tmp_path: Path) -> None:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Gruß"
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "bgr0"
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(0), format="rgb24")))
        container.mux(stream.encode(None))
    written = path.read_bytes()
    path.write_bytes(written.replace("Gruß".encode(), b"Gru\xdf\xdf"))
    assert path.read_bytes() != written
    assert len(list(VideoFile(path).frames())) == 1


def test_a_truncated_file_is_read_to_its_end(tmp_path: Path) -> None:
    path = noise(tmp_path / "a.mp4")
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])
    file = VideoFile(path)
    frames = list(file.frames())
    assert 10 <= len(frames) <= 20
    assert "cut off" in file.problem and f"{len(frames)} of 30 frames" in file.problem


def test_damaged_parts_are_skipped_and_reported(tmp_path: Path) -> None:
    path = noise(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000 * [255])
    path.write_bytes(data)
    file = VideoFile(path)
    frames = list(file.frames())
    assert len(frames) >= 5
    assert all(a.seconds <= b.seconds for a, b in pairwise(frames))
    assert "is damaged" in file.problem


# Cameras and streams


class FakeCapture:
    """A camera that gives a few blue pictures and is then disconnected, or hangs."""

    left = 5
    hangs = threading.Event()

    def __init__(self, number: int) -> None:
        self.left = type(self).left if number == 0 else 0
        self.number = number

    def isOpened(self) -> bool:
        return self.number == 0

    def read(self) -> tuple[bool, Image | None]:
        time.sleep(0.02)
        if not self.left:
            self.hangs.wait(20)
            return False, None
        self.left -= 1
        blue, green, red = 250, 20, 10
        return True, np.full((48, 64, 3), (blue, green, red), np.uint8)

    def release(self) -> None:
        self.number = -1


@pytest.fixture
def camera(monkeypatch: pytest.MonkeyPatch) -> type[FakeCapture]:
    monkeypatch.setattr(cv2, "VideoCapture", FakeCapture)
    FakeCapture.hangs.set()
    return FakeCapture


def test_a_camera_gives_rgb_until_it_is_disconnected(camera: type[FakeCapture]) -> None:
    source = LiveSource(0)
    frames = [frame for frame in source.frames() if frame]
    source.close()
    assert 1 <= len(frames) <= 5
    assert frames[0].seconds == 0 and frames[0].image[0, 0].tolist() == [10, 20, 250]
    assert "camera 0" in source.problem and "disconnected" in source.problem


def test_a_slow_reader_gets_the_newest_frame(camera: type[FakeCapture], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera, "left", 1000)
    source = LiveSource(0)
    frames = source.frames()
    next(frames)
    time.sleep(0.3)
    second = next(frames)
    assert second is not None and second.seconds > 0.2
    source.close()


def test_a_camera_that_hangs_is_given_up(camera: type[FakeCapture]) -> None:
    camera.hangs.clear()
    source = LiveSource(0, silence_seconds=0.3)
    frames = list(source.frames())
    camera.hangs.set()
    source.close()
    assert None in frames
    assert "no picture from camera 0" in source.problem


def test_a_missing_camera_is_an_error(camera: type[FakeCapture]) -> None:
    with pytest.raises(VideoError, match="expected a camera with number 7, found none"):
        LiveSource(7)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address at which the test's folder is served."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.slow
def test_a_video_behind_a_url_plays_at_its_own_speed_from_its_start(tmp_path: Path, address: str) -> None:
    write(tmp_path / "a.mp4", [number / 20 for number in range(12)])
    source = LiveSource(f"{address}/a.mp4")
    time.sleep(0.3)  # as if a model was loaded
    frames = [frame for frame in source.frames() if frame]
    source.close()
    assert source.ended and source.problem == ""
    assert frames[-1].seconds > 0.4, "it came all at once"
    assert len(frames) > 1
    assert frames[0].image[50, 80] == pytest.approx([0, 0, 0], abs=4)


def test_a_url_without_a_video_is_an_error(tmp_path: Path, address: str) -> None:
    (tmp_path / "a.txt").write_text("no video\n" * 50)
    for url, message in (
        (f"{address}/gone.mp4", "404"),
        (f"{address}/a.txt", "no video stream"),
        ("http://127.0.0.1:9/a.mp4", "cannot be opened"),
        ("nonsense://a", "cannot be opened"),
    ):
        with pytest.raises(VideoError, match=message):
            LiveSource(url)
