"""If size or format change inside a video, each picture is read with its own, and all share one shape."""

from contextlib import closing
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from fer.video.clip import ClipAnalysis
from fer.video.io.files import VideoFile
from fer.video.io.mp4 import Mp4Writer
from fer.video.io.sound import RATE, Sound
from fer.video.settings import MAX_SIDE_PX
from tests.video.clips import PatchRecognizer
from tests.video.io.cases import Image, as_pngs, case, corners, encoded, joined, marked
from tests.video.io.test_sound import loud_seconds, with_sound
from tests.video.scene import Patch, draw_scene
from tests.video.test_live import START, at_once


def content(image: Image) -> Image:
    """Return the part of a picture that is not a black bar."""
    there = image.max(axis=2) > 20
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def read(path: Path, max_side_px: int | None = None) -> tuple[list[Image], str]:
    with closing(VideoFile(path, max_side_px)) as file:
        images = [frame.image for frame in file.frames()]
        assert file.problem == ""
        return images, file.note


@pytest.mark.slow
def test_the_later_part_of_a_real_stream_is_not_stretched() -> None:
    with closing(VideoFile(case("reschange_file.ts"), MAX_SIDE_PX)) as file:
        images = [frame.image for frame in file.frames()]
        assert (file.problem, file.size_wh) == ("", (638, 480))
        assert "8.0 s" in file.note and "300 × 400" in file.note
    assert len(images) == 180
    height, width = content(images[150]).shape[:2]
    assert images[150].shape == (400, 532, 3)
    assert (width, height) == (pytest.approx(300, abs=6), 400)


@pytest.mark.parametrize(
    ("first", "later", "shown", "inside"),
    [
        ((96, 64), (48, 64), (96, 64), (48, 64)),  # narrower: bars beside it
        ((96, 64), (96, 32), (96, 64), (96, 32)),  # lower: bars above and below
        ((96, 64), (192, 128), (192, 128), (192, 128)),  # larger: it keeps its pixels
        ((64, 96), (192, 128), (128, 192), (128, 86)),  # larger and lying: not longer than it was
        ((96, 64), (48, 32), (48, 32), (48, 32)),
    ],
)
def test_each_picture_keeps_its_own_proportions_within_the_shape_of_the_first(
    tmp_path: Path, first: tuple[int, int], later: tuple[int, int], shown: tuple[int, int], inside: tuple[int, int]
) -> None:
    images, note = read(as_pngs(tmp_path / "a.avi", [marked(100, *first)] * 3 + [marked(100, *later)] * 3))
    assert [image.shape[1::-1] for image in images] == [first] * 3 + [shown] * 3
    for image in images:
        assert corners(content(image)) == ["red", "green", "blue", "gray"]
    assert content(images[-1]).shape[1::-1] == (pytest.approx(inside[0], abs=1), pytest.approx(inside[1], abs=1))
    assert "0.3 s" in note and "{} × {}".format(*later) in note and "{} × {}".format(*first) in note


def test_a_constant_size_has_no_note(tmp_path: Path) -> None:
    assert read(as_pngs(tmp_path / "a.avi", [marked(100)] * 3))[1] == ""


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_sizes_and_pixels_change_inside_one_stream(tmp_path: Path, codec: str) -> None:
    parts = [encoded(tmp_path / f"{width}.ts", [marked(100, width)] * 12, codec=codec) for width in (96, 48, 192)]
    wide = encoded(tmp_path / "wide.ts", [marked(100, 48)] * 12, codec=codec, pixel_ratio=Fraction(2))
    images, note = read(joined(tmp_path / "a.ts", parts[0], wide, *parts[1:]))
    assert note and len(images) == 48
    assert {image.shape[1] / image.shape[0] for image in images} == {1.5}
    widths = [content(image).shape[1] / content(image).shape[0] for image in images]
    assert widths == pytest.approx([1.5] * 24 + [0.75] * 12 + [3] * 12, rel=0.05)
    assert all(corners(content(image)) == ["red", "green", "blue", "gray"] for image in images)


def test_the_pixel_format_changes_inside_one_stream(tmp_path: Path) -> None:
    forms = ("yuv420p", "yuv444p", "gray", "yuv420p10le", "yuv422p")
    parts = [encoded(tmp_path / f"{form}.h264", [marked(100)] * 5, pix_fmt=form) for form in forms]
    images, note = read(joined(tmp_path / "a.h264", *parts))
    assert note == "" and len(images) == 25
    for number, image in enumerate(images):
        assert image[32, 48].tolist() == pytest.approx([100] * 3, abs=8)
        if number // 5 != forms.index("gray"):
            assert corners(image) == ["red", "green", "blue", "gray"]


def test_a_larger_part_is_shrunk_as_any_large_video(tmp_path: Path) -> None:
    images, _ = read(as_pngs(tmp_path / "a.avi", [marked(100, 64, 96), marked(100, 400, 200)]), 100)
    assert [max(image.shape) for image in images] == [96, 100]
    assert {round(image.shape[1] / image.shape[0], 2) for image in images} == {0.67}


def test_boxes_are_in_the_pixels_of_the_first_picture_and_of_the_written_video(tmp_path: Path) -> None:
    """A person at the same place of a picture that becomes larger, and then narrower."""
    usual = draw_scene([Patch(0, 160, 120)])
    large = draw_scene([Patch(0, 240, 180, 90)], (480, 360))
    narrow = draw_scene([Patch(0, 90, 120)], (180, 240))
    path = as_pngs(tmp_path / "a.avi", [usual] * 8 + [large] * 8 + [narrow] * 8)
    with closing(VideoFile(path)) as file:
        analysis = ClipAnalysis(file, PatchRecognizer())
        with Mp4Writer(tmp_path / "b.mp4", size_wh=file.shown_wh) as writer:
            analysis.run(lambda frame, faces: writer.write(frame.image, frame.seconds))
        timeline = analysis.timeline()
    assert timeline.size_wh == (320, 240)
    assert len(timeline.rows) == 24
    for row in timeline.rows:
        assert row["box"] == pytest.approx([130, 90, 190, 150], abs=3)
    with av.open(str(tmp_path / "b.mp4")) as container:
        written = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert {image.shape for image in written} == {(240, 320, 3)}
    for one, other in pairwise(image[95:145, 135:185].mean(axis=(0, 1)) for image in written):
        assert one == pytest.approx(other, abs=8), "the person stays where the boxes are"


def test_a_recording_is_in_the_pixels_of_its_first_picture() -> None:
    """A phone that starts small, as WebRTC does, and is rotated."""
    analyzer, _ = at_once()
    small, large = draw_scene([Patch(0, 160, 120)]), draw_scene([Patch(0, 320, 240, 120)], (640, 480))
    upright = draw_scene([Patch(0, 90, 120)], (180, 240))
    for number, image in enumerate([small] * 15 + [large] * 30 + [upright] * 30):
        faces = analyzer.process(image, START + number / 30)
        if faces:
            assert faces[0].box.x1 < image.shape[1], "what is returned is in its own"
    assert analyzer.size_wh == (320, 240)
    rows = analyzer.recorder.timeline().rows
    assert len(rows) > 5
    assert rows["seconds"].max() > 2
    for row in rows[rows["seconds"] > 2]:
        assert row["box"] == pytest.approx([130, 90, 190, 150], abs=4)
    for row in rows[rows["seconds"] < 1.4]:
        assert row["box"] == pytest.approx([130, 90, 190, 150], abs=4)


@pytest.mark.slow
@pytest.mark.parametrize("others", [{"layout": "mono"}, {"rate": 48_000}, {}])
def test_sound_with_a_changing_format_is_complete(tmp_path: Path, others: dict[str, str | int]) -> None:
    first = with_sound(tmp_path / "a.ts")
    path = joined(tmp_path / "c.ts", first, with_sound(tmp_path / "b.ts", **others))  # type: ignore[arg-type]
    with closing(VideoFile(path)) as file, Mp4Writer(tmp_path / "d.mp4", Sound.of(path, file.starts)) as writer:
        for frame in file.frames():
            writer.write(frame.image, frame.seconds)
    assert loud_seconds(tmp_path / "d.mp4") == (pytest.approx(1.0, abs=0.05), pytest.approx(3.5, abs=0.1))
    with av.open(str(tmp_path / "d.mp4")) as container:
        assert container.streams.audio[0].rate == RATE
