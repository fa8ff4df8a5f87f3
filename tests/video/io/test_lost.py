"""A stream that stalls, ends or is refused is reopened, with growing pauses, and nothing is made up in between."""

import re
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer.errors import VideoError
from fer.faces import Detection
from fer.video.io import live
from fer.video.io.live import LiveSource
from fer.video.io.mp4 import Mp4Writer
from fer.video.live import LiveAnalyzer, LiveEngine
from tests.video.io.cases import Image, marked
from tests.video.io.servers import Camera, FileServer, RtspCamera
from tests.video.scene import AtOnce, FakeRecognizer, Patch, draw_scene

pytestmark = pytest.mark.slow
SILENCE_SECONDS, PATIENCE_SECONDS = 1.0, 2.5
IMAGES = [marked(4 * number) for number in range(40)]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "FIRST_PAUSE_SECONDS", 0.1)


def followed(url: str, told: list[str]) -> tuple[list[tuple[float, Image]], LiveSource, int]:
    """Watch until the end: frames, the source, how often there was nothing."""
    with closing(LiveSource(url, SILENCE_SECONDS, PATIENCE_SECONDS, told.append)) as source:
        seen = [frame and (frame.seconds, frame.image) for frame in source.frames()]
    return [one for one in seen if one], source, seen.count(None)


def pauses(told: list[str]) -> list[float]:
    return [float(re.findall(r"([0-9.]+) s\.$", line)[0]) for line in told]


def largest_step(frames: list[tuple[float, Image]]) -> float:
    return max(after[0] - before[0] for before, after in pairwise(frames))


@pytest.mark.parametrize("fate", ["stall", "close"])
@pytest.mark.parametrize("kind", [Camera, RtspCamera])
def test_a_stream_comes_back_after_growing_pauses(kind: type[Camera | RtspCamera], fate: str) -> None:
    told: list[str] = []
    with kind(IMAGES, fate, "refuse", "refuse", fate, "refuse") as camera:
        frames, source, nothing = followed(camera.url, told)
        assert camera.connections >= 7
    assert pauses(told)[:6] == [0.1, 0.2, 0.4, 0.1, 0.2, 0.4], "it begins anew with small ones"
    assert source.problem and all("Immediate" not in line for line in [*told, source.problem])
    assert len(frames) > len(IMAGES) + 5, "both times"
    assert nothing > 5
    assert largest_step(frames) > 0.1 + 0.2 + 0.4
    assert all(before[0] <= after[0] for before, after in pairwise(frames))


def test_pauses_do_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "LONGEST_PAUSE_SECONDS", 0.3)
    told: list[str] = []
    with Camera(IMAGES, "close", "refuse") as camera:
        followed(camera.url, told)
    assert pauses(told)[:4] == [0.1, 0.2, 0.3, 0.3]


def test_a_source_without_any_picture_is_an_error() -> None:
    for fate, images in (("stall", []), ("refuse", []), ("close", [])):
        with Camera(images, fate) as camera:
            with pytest.raises(VideoError, match=camera.url) as told:
                LiveSource(camera.url, SILENCE_SECONDS)
            assert "Immediate" not in str(told.value)
            assert camera.connections == 1


def test_a_camera_that_comes_back_larger_keeps_its_shape() -> None:
    with Camera(IMAGES, "close", "whole", "refuse") as camera:
        large = Camera([marked(100, 64, 96)] * 40, "whole")
        camera._answer = lambda connection, request, fate: (  # type: ignore[method-assign]
            large._answer(connection, request, fate)
            if camera.connections > 1
            else Camera._answer(camera, connection, request, fate)
        )
        frames, _, _ = followed(camera.url, [])
        large._listening.close()
    shapes = {image.shape for _, image in frames}
    assert shapes == {(64, 96, 3)}
    assert not frames[-1][1][:, :20].any(), "bars beside what is narrower"


@pytest.mark.parametrize("fate", ["stall", "close"])
def test_a_file_behind_an_address_continues_where_it_was_lost(tmp_path: Path, fate: str) -> None:
    random = np.random.default_rng(0)
    with Mp4Writer(tmp_path / "a.mp4") as writer:
        for number in range(60):
            image = random.integers(0, 60, (64, 96, 3)).astype(np.uint8)
            writer.write(image + np.uint8(3 * number), number / 20)
    told: list[str] = []
    with FileServer((tmp_path / "a.mp4").read_bytes(), fate, "refuse", "whole") as server:
        frames, source, _ = followed(server.url, told)
        assert server.connections >= 3
    assert (source.problem, source.ended) == ("", True)
    assert len(told) >= 1
    grays = [float(image.mean()) for _, image in frames]
    assert all(before < after + 1 for before, after in pairwise(grays)), "no picture comes twice"
    assert grays[-1] == pytest.approx(29.5 + 3 * 59, abs=4)
    assert len(grays) > 30


class Seeing(FakeRecognizer):
    """Sees somebody in each picture, even if JPEG has changed its colors."""

    def detect(self, image: Image, smallest_face: float | None = None) -> list[Detection]:
        super().detect(image, smallest_face)
        return [Patch(0, 160, 120).detection]


def test_the_timeline_has_a_gap_where_a_stream_was_lost() -> None:
    recognizer: Any = Seeing()
    analyzer = LiveAnalyzer(LiveEngine(recognizer, AtOnce()))
    times = []
    with (
        Camera([draw_scene([Patch(0, 160, 120)])] * 40, "stall", "whole", "refuse") as camera,
        closing(LiveSource(camera.url, SILENCE_SECONDS, PATIENCE_SECONDS)) as source,
    ):
        for frame in source.frames():
            if frame:
                analyzer.process(frame.image, frame.seconds)
                times.append(frame.seconds)
    timeline = analyzer.recorder.timeline()
    before, after = max(pairwise(times), key=lambda pair: pair[1] - pair[0])
    assert after - before > SILENCE_SECONDS
    assert len(timeline.faces_at(before)) == 1 and len(timeline.faces_at(after)) == 1
    assert len(timeline.faces_at((before + after) / 2)) == 0, "nobody knows who was there"
    assert any(span.start >= after - 0.01 for span in timeline.spans)
