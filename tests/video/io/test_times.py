"""Time counts from the first frame that is shown, whatever time the file gives it."""

import math
import struct
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import av
import pytest

from fer.results.subtitles import to_srt
from fer.results.timeline import timeline_csv
from fer.video.clip import ClipAnalysis
from fer.video.io.decoding import FrameClock
from fer.video.io.files import VideoFile, picture_at
from fer.video.settings import ClipOptions
from fer.video.timeline import Timeline
from tests.video.clips import PatchRecognizer, lossless
from tests.video.io.cases import STEP, case, encoded, joined, marked
from tests.video.scene import Patch, draw_scene

FRAMES = 20
EVENLY = [STEP * number for number in range(FRAMES)]
IMAGES = [marked(10 * number) for number in range(FRAMES)]
WRAPS_SECONDS = 2**33 / 90_000
"""MPEG-TS begins to count anew then."""


def check_complete(path: Path, seconds: float, frames: int) -> None:
    """Read a file that is whole: its times, its length, no problem."""
    with closing(VideoFile(path)) as file:
        times = [frame.seconds for frame in file.frames()]
        assert file.problem == ""
        assert file.seconds_expected == pytest.approx(seconds, abs=0.21)
        assert file.ends == pytest.approx(seconds, abs=0.02)
    assert (len(times), times[0]) == (frames, 0.0)
    assert max(b - a for a, b in pairwise(times)) == pytest.approx(seconds / frames, abs=2e-3)


def cut(path: Path, source: Path, share: float) -> Path:
    data = source.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return path


@pytest.mark.parametrize("name", ["seg1.mkv", "segw1.webm"])
def test_a_segment_of_a_recorder_is_whole_and_a_part_of_it_is_not(name: str, tmp_path: Path) -> None:
    check_complete(case(name), 3.0, 90)
    with closing(VideoFile(cut(tmp_path / name, case(name), 0.5))) as file:
        read = len(list(file.frames()))
        assert 10 < read < 80
        assert "3.0 seconds" in file.problem and f"{read} of 90" in file.problem


@pytest.mark.parametrize("starts", [0.0, 3.5, 36_000.0])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mkv", "libx264"),
        ("a.webm", "libvpx"),
        ("a.ts", "libx264"),
        ("a.mp4", "libx264"),
        ("a.flv", "libx264"),
        ("a.nut", "libx264"),
    ],
)
def test_a_file_may_start_at_any_time(tmp_path: Path, name: str, codec: str, starts: float) -> None:
    path = encoded(tmp_path / name, IMAGES, [starts + seconds for seconds in EVENLY], codec)
    check_complete(path, 2.0, FRAMES)


@pytest.mark.parametrize("starts", [0.0, 3.5, 36_000.0])
@pytest.mark.parametrize("tag", [b"DURATION", b"DURATIOM"])
def test_a_matroska_file_that_is_too_short_is_told(tmp_path: Path, starts: float, tag: bytes) -> None:
    """Whether each stream says how long it is, as FFmpeg's do, or the file does."""
    times = [starts + STEP * number for number in range(60)]
    whole = encoded(tmp_path / "a.mkv", [marked(4 * number) for number in range(60)], times)
    whole.write_bytes(whole.read_bytes().replace(b"DURATION", tag))
    check_complete(whole, 6.0, 60)
    with closing(VideoFile(cut(tmp_path / "b.mkv", whole, 0.6))) as file:
        read = len(list(file.frames()))
        assert 5 < read < 55
        assert "6.0 seconds" in file.problem and f"{read} of 60" in file.problem


def test_what_an_edit_list_leaves_out_is_not_shown(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.mp4", IMAGES, [seconds - 1.5 for seconds in EVENLY], codec="mpeg4")
    check_complete(path, 0.5, 5)
    with closing(VideoFile(path)) as file:
        assert file.first_image[32, 48].tolist() == pytest.approx([150] * 3, abs=5)


def test_an_edit_list_may_begin_with_nothing(tmp_path: Path) -> None:
    path = encoded(tmp_path / "a.mp4", IMAGES, [seconds + 1.5 for seconds in EVENLY], codec="mpeg4")
    data = path.read_bytes()
    at = data.index(b"elst")
    assert struct.unpack_from(">I", data, at + 8)[0] == 2, "a pause, then the pictures"
    check_complete(path, 2.0, FRAMES)


@pytest.mark.parametrize("starts", [WRAPS_SECONDS - 1, WRAPS_SECONDS - 100, WRAPS_SECONDS / 2 - 1])
def test_times_may_begin_anew_where_they_have_become_too_large(tmp_path: Path, starts: float) -> None:
    check_complete(encoded(tmp_path / "a.ts", IMAGES, [starts + seconds for seconds in EVENLY]), 2.0, FRAMES)


@pytest.mark.parametrize(("first", "second"), [(10, 0), (100, 50), (0, 30), (0, 3600), (WRAPS_SECONDS - 3, 30)])
def test_joined_recordings_follow_each_other_wherever_the_second_one_starts(
    tmp_path: Path, first: float, second: float
) -> None:
    parts = [
        encoded(tmp_path / f"{starts}.ts", IMAGES, [starts + seconds for seconds in EVENLY])
        for starts in (first, second)
    ]
    with closing(VideoFile(joined(tmp_path / "a.ts", *parts))) as file:
        times = [frame.seconds for frame in file.frames()]
        assert file.problem == ""
        assert file.ends == pytest.approx(4.0, abs=0.02)
    assert times == pytest.approx([STEP * number for number in range(2 * FRAMES)], abs=2e-3)


@pytest.mark.parametrize(("name", "codec"), [("a.avi", "libx264"), ("a.avi", "mpeg4"), ("a.h264", "libx264")])
def test_frames_that_are_kept_in_another_order_have_times_in_theirs(tmp_path: Path, name: str, codec: str) -> None:
    """AVI has no place for the time that a frame is shown at, and bare H.264 none for any."""
    path = encoded(tmp_path / name, IMAGES, codec=codec, options={"bf": "2"})
    with closing(VideoFile(path)) as file:
        frames = list(file.frames())
        assert file.problem == ""
    times = [frame.seconds for frame in frames]
    assert len(set(times)) >= FRAMES - 2, "they stand still"
    assert times == sorted(times) and times[0] == 0
    grays = [int(frame.image[32, 48, 0]) for frame in frames]
    assert grays == sorted(grays)


def test_the_last_picture_of_a_slide_show_is_shown_for_long(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number, lasts in enumerate((1, 2, 1, 60)):
            frame = av.VideoFrame.from_ndarray(IMAGES[number], format="rgb24")
            for packet in stream.encode(frame):
                packet.pts = packet.dts = (0, 10, 30, 40)[number]
                packet.duration = 10 * lasts
                container.mux(packet)
    with closing(VideoFile(path)) as file:
        assert [frame.seconds for frame in file.frames()] == pytest.approx([0, 1, 3, 4], abs=2e-3)
        assert (file.problem, file.ends) == ("", pytest.approx(64, abs=0.01))


def test_a_frame_without_a_time_follows_the_one_before() -> None:
    clock = FrameClock(0.5)
    assert [clock.place(None), clock.place(None), clock.place(7.0)] == [0.0, 0.5, 1.0], "the first one had none"
    assert [clock.place(7.2), clock.place(None), clock.place(8.0)] == pytest.approx([1.2, 1.4, 2.0])
    assert [clock.place(7.9), clock.place(8.1)] == pytest.approx([2.0, 2.1]), "a mistake"
    assert clock.ends == pytest.approx(2.2)
    assert clock.place(-50.0, lasts=3.0) == pytest.approx(2.2), "it begins anew"
    assert clock.place(-47.0) == pytest.approx(5.2)
    assert clock.place(1e9) == pytest.approx(8.2), "not in thirty years"
    assert not math.isnan(clock.ends)


def analyzed(path: Path, **options: float) -> Timeline:
    with closing(VideoFile(path)) as file:
        analysis = ClipAnalysis(file, PatchRecognizer(), ClipOptions(**options))  # type: ignore[arg-type]
        analysis.run(lambda frame, faces: None)
        return analysis.timeline()


@pytest.mark.slow
@pytest.mark.parametrize("starts", [1.0, 3.003, 36_000.0])
def test_all_results_count_from_the_first_frame(tmp_path: Path, starts: float) -> None:
    scene = [draw_scene([Patch(number // 15, 160, 120)]) for number in range(45)]
    usual = lossless(tmp_path / "usual.mkv", scene)
    late = lossless(tmp_path / "late.mkv", scene, [starts + number / 30 for number in range(45)])
    for options in ({"from_seconds": 0.6}, {"from_seconds": 0.2, "to_seconds": 1.0}):
        expected, found = analyzed(usual, **options), analyzed(late, **options)
        assert found.problem == "" and found.complete
        assert (found.frames, found.starts) == (expected.frames, pytest.approx(expected.starts, abs=2e-3))
        assert found.ends == pytest.approx(expected.ends, abs=2e-3)
        assert found.rows["seconds"] == pytest.approx(expected.rows["seconds"], abs=2e-3)
        assert found.rows["frame"].tolist() == expected.rows["frame"].tolist()
        assert len(to_srt(found)) == len(to_srt(expected)) > 0
        assert len(list(timeline_csv(found))) == len(list(timeline_csv(expected)))
        for one, other in zip(found.key_moments(), expected.key_moments(), strict=True):
            assert one.seconds == pytest.approx(other.seconds, abs=2e-3)


@pytest.mark.parametrize(("name", "starts"), [("a.mp4", 0.0), ("a.mp4", 1.5), ("a.mkv", 0.0), ("a.ts", 1.5)])
def test_the_picture_of_a_moment_is_that_of_its_frame(tmp_path: Path, name: str, starts: float) -> None:
    path = encoded(tmp_path / name, IMAGES, [starts + seconds for seconds in EVENLY])
    with closing(VideoFile(path)) as file:
        times = [frame.seconds for frame in file.frames()]
    assert len(times) == FRAMES
    for number in (0, 7, FRAMES - 1):
        assert picture_at(path, times[number])[32, 48].tolist() == pytest.approx([10 * number] * 3, abs=5)
    assert picture_at(path, 60.0)[32, 48].tolist() == pytest.approx([10 * (FRAMES - 1)] * 3, abs=5)
