"""The sound of an annotated video is synchronous."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from fer.video.io.mp4 import Mp4Writer
from fer.video.io.sound import RATE, Sound

BLACK = np.zeros((64, 64, 3), np.uint8)


def with_sound(path: Path, codec: str = "aac", layout: str = "stereo", rate: int = 44_100, gap: bool = False) -> Path:
    """Two seconds of black: silence, and a tone from 1.0 s to 1.5 s. With a gap, silence has no audio at all."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=30)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream(codec, rate=rate, layout=layout)
        for _ in range(60):
            container.mux(video.encode(av.VideoFrame.from_ndarray(BLACK, format="rgb24")))
        container.mux(video.encode(None))
        times = np.arange(2 * rate) / rate
        wave = np.where((times >= 1) & (times < 1.5), np.sin(2 * np.pi * 440 * times), 0).astype(np.float32)
        channels = 1 if layout == "mono" else 2
        for first in range(rate if gap else 0, 2 * rate, 960):
            samples = np.repeat(wave[None, first : first + 960], channels, axis=0)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, first, Fraction(1, rate)
            container.mux(audio.encode(frame))
        container.mux(audio.encode(None))
    return path


def loud_seconds(path: Path) -> tuple[float, float]:
    """Return from when to when there is sound."""
    with av.open(str(path)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        loud = _loud(container)
    return min(loud), max(loud)


def _loud(container: "av.container.InputContainer") -> list[float]:
    loud = []
    for frame in container.decode(audio=0):
        heard = np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.3)
        loud += [float(frame.time or 0) + int(number) / frame.sample_rate for number in heard]
    return loud


def copied(source: Path, output: Path, times: list[float], starts: float = 0.0) -> Path:
    with Mp4Writer(output, Sound.of(source, starts)) as writer:
        for seconds in times:
            writer.write(BLACK, seconds)
    return output


ALL = [number / 30 for number in range(60)]


@pytest.mark.parametrize(
    ("name", "codec", "layout", "rate", "gap"),
    [
        ("a.mp4", "aac", "stereo", 44_100, False),
        ("a.mkv", "libopus", "mono", 48_000, False),
        ("a.mkv", "pcm_s16le", "mono", 8_000, False),
        ("a.mkv", "aac", "stereo", 44_100, True),
    ],
)
def test_it_is_synchronous(tmp_path: Path, name: str, codec: str, layout: str, rate: int, gap: bool) -> None:
    source = with_sound(tmp_path / name, codec, layout, rate, gap)
    assert loud_seconds(copied(source, tmp_path / "out.mp4", ALL)) == pytest.approx((1.0, 1.5), abs=0.05)


def test_a_part_has_its_own_sound(tmp_path: Path) -> None:
    source = with_sound(tmp_path / "a.mp4")
    output = copied(source, tmp_path / "out.mp4", ALL[21:36])  # 0.7 s to 1.2 s
    assert loud_seconds(output) == pytest.approx((0.3, 0.5), abs=0.05)


def test_a_file_whose_pictures_start_later_than_its_clock_keeps_both_together(tmp_path: Path) -> None:
    output = copied(with_sound(tmp_path / "a.mp4"), tmp_path / "out.mp4", ALL, starts=0.5)
    assert loud_seconds(output) == pytest.approx((0.5, 1.0), abs=0.05)


def test_without_sound_there_is_none(tmp_path: Path) -> None:
    with Mp4Writer(tmp_path / "silent.mp4") as writer:
        writer.write(BLACK, 0)
    assert Sound.of(tmp_path / "silent.mp4", 0.0) is None
    assert Sound.of(tmp_path / "nothing.mp4", 0.0) is None


def test_damaged_sound_does_not_end_the_video(tmp_path: Path) -> None:
    source = with_sound(tmp_path / "a.mp4")
    data = bytearray(source.read_bytes())
    data[len(data) // 4 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 4)
    source.write_bytes(data)
    with av.open(str(copied(source, tmp_path / "out.mp4", ALL))) as container:
        assert sum(1 for _ in container.decode(video=0)) == 60


def test_frames_have_the_length_that_aac_requires(tmp_path: Path) -> None:
    sound = Sound.of(with_sound(tmp_path / "a.mp4"), 0.0)
    assert sound is not None
    sound.begin(0.0)
    frames = list(sound.until(1.0))
    sound.close()
    assert {frame.samples for frame in frames} == {1024} and {frame.sample_rate for frame in frames} == {RATE}
    assert [frame.pts for frame in frames] == [1024 * number for number in range(len(frames))]
