"""A video file's analysis: which frames are read, when things happen, who is who, and what is written."""

import math
import struct
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt
import pytest

from fer.datasets.drawing.clip import TIMELINE, TIMELINE_SECONDS, known_frames, write_clip
from fer.draw.frame import draw_live
from fer.errors import VideoError
from fer.recognition.recognizer import Recognizer
from fer.video.clip import ClipAnalysis
from fer.video.io.files import VideoFile, picture_at
from fer.video.io.mp4 import Mp4Writer
from fer.video.neutral import median_baselines, neutral_moment
from fer.video.settings import MAX_SIDE_PX, ClipOptions
from fer.video.timeline import Timeline
from fer.video.tracking import TrackedFace
from scripts.benchmarks.video import analyzed, change_errors
from tests.video.clips import PatchRecognizer, lossless, still
from tests.video.scene import CALM, HAPPY, LABELS, Patch, draw_scene

Image = npt.NDArray[np.uint8]


def look(path: Path, options: ClipOptions | None = None, happy_from: float = math.inf) -> Timeline:
    """Analyze a scene of patches in which the first person is happy from some moment on."""
    recognizer: Any = PatchRecognizer()
    with closing(VideoFile(path, MAX_SIDE_PX)) as file:
        analysis = ClipAnalysis(file, recognizer, options)
        step = 1 / 30

        def goes_on() -> bool:
            recognizer.shown[0] = HAPPY if analysis.seconds + step >= happy_from - 1e-6 else CALM
            return True

        analysis.run(lambda frame, faces: None, goes_on)
        return analysis.timeline()


AT_REST = (0.3, 0.1, 0.6)
"""Looks angry when neutral."""


def at_rest(path: Path, options: ClipOptions) -> tuple[ClipAnalysis, list[tuple[float, list[TrackedFace]]]]:
    """Analyze a person who looks angry at rest; return the frames' faces."""
    recognizer: Any = PatchRecognizer()
    recognizer.shown[0], recognizer.opinions = AT_REST, (CALM, HAPPY)
    given: list[tuple[float, list[TrackedFace]]] = []
    with closing(VideoFile(path, 240)) as file:
        analysis = ClipAnalysis(file, recognizer, options)
        analysis.run(lambda frame, faces: given.append((frame.seconds, faces)))
    return analysis, given


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load().for_video()


def labels(path: Path) -> list[str]:
    with av.open(str(path)) as container:
        return [stream.codec_context.name for stream in container.streams]


# Each person's median face


@pytest.mark.slow
@pytest.mark.parametrize("options", [ClipOptions(), ClipOptions(from_seconds=0.4, to_seconds=2.9, every=3)])
def test_the_median_face_is_subtracted_and_nothing_else_changes(tmp_path: Path, options: ClipOptions) -> None:
    path = still(tmp_path / "a.mkv", frames=90)
    before, usual = at_rest(path, options)
    after, given = at_rest(path, replace(options, median_neutral=True))
    timeline, raw = after.timeline(), before.timeline()
    assert timeline.complete and (timeline.starts, timeline.ends) == (raw.starts, raw.ends)
    assert timeline.rows.tobytes() == raw.rows.tobytes() and set(timeline.baselines) == {1}
    assert [seconds for seconds, _ in given] == [seconds for seconds, _ in usual]
    for (_, faces), (_, known) in zip(given, usual, strict=True):
        (face,), (read,) = faces, known
        assert (face.label, face.raw and face.raw.label, read.label) == ("neutral", "anger", "anger")
        assert face.box.xyxy == pytest.approx(read.box.xyxy, abs=1e-3)
        assert np.array(face.landmarks) == pytest.approx(np.array(read.landmarks), abs=1e-3)
        assert face.opinions is not None and face.differing == read.differing == ("neutral", "happiness")
        assert face.raw.probabilities == pytest.approx(read.probabilities, abs=1e-6)


@pytest.mark.slow
def test_a_model_without_a_mean_neutral_subtracts_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PatchRecognizer, "info", SimpleNamespace(labels=LABELS, unsure_below=0.4, neutral=()))
    path = still(tmp_path / "a.mkv")
    with pytest.raises(VideoError, match="neutral"):
        at_rest(path, ClipOptions(median_neutral=True))
    assert at_rest(path, ClipOptions())[0].timeline().neutral == ()


@pytest.mark.slow
def test_stopped_early_it_keeps_the_timeline_and_draws_nothing(tmp_path: Path) -> None:
    recognizer: Any = PatchRecognizer()
    recognizer.shown[0] = AT_REST
    given: list[float] = []
    with closing(VideoFile(still(tmp_path / "a.mkv", 90), MAX_SIDE_PX)) as file:
        analysis = ClipAnalysis(file, recognizer, ClipOptions(median_neutral=True))
        analysis.run(lambda frame, _: given.append(frame.seconds), lambda: analysis.seconds < 2.5)
    timeline = analysis.timeline()
    assert not timeline.complete and set(timeline.summary()[1]) == {"neutral"} and not given
    stopped: list[float] = []
    with closing(VideoFile(tmp_path / "a.mkv", MAX_SIDE_PX)) as file:
        analysis = ClipAnalysis(file, recognizer, ClipOptions(median_neutral=True))
        analysis.run(
            lambda frame, _: stopped.append(frame.seconds), lambda: not analysis.seen_all or analysis.seconds < 1
        )
    assert (
        0.9 < stopped[-1] < 1.2
        and analysis.timeline().complete
        and analysis.timeline().ends == pytest.approx(3, abs=0.01)
    )


NEUTRAL_IS_MISREAD = 14
"""A drawn person whose neutral face the built-in model sometimes reads as surprise."""


@pytest.mark.slow
def test_a_drawn_person_whose_neutral_is_misread_is_neutral_and_smiles(tmp_path: Path, recognizer: Recognizer) -> None:
    truth = ((0.0, "neutral"), (3.5, "happiness"), (4.5, "neutral"))
    path = write_clip(tmp_path / "rest.mp4", known_frames(truth, 6.0, NEUTRAL_IS_MISREAD))
    raw = analyzed(recognizer, path)
    assert raw.summary()[1]["surprise"] > 1
    asked = replace(raw, baselines={1: neutral_moment(raw.rows, 1, raw.neutral, 0.0)})
    median = replace(raw, baselines=median_baselines(raw.rows, raw.neutral))
    for off in (asked, median):
        assert [span.label for span in off.spans] == [label for _, label in truth]
        assert [one.seconds for one in off.transitions()] == pytest.approx([3.5, 4.5], abs=0.3)


# When things happen


@pytest.mark.slow
def test_changes_are_found_when_they_happen_and_the_video_is_written(tmp_path: Path, recognizer: Recognizer) -> None:
    path, output = write_clip(tmp_path / "known.mp4", known_frames()), tmp_path / "faces.mp4"
    result = analyzed(recognizer, path, output)
    assert result.people == [1]
    assert [one.after for one in result.transitions()] == [label for _, label in TIMELINE[1:]]
    assert max(change_errors(result)) < 0.3
    assert result.complete and result.problem == ""
    assert result.seconds == pytest.approx(TIMELINE_SECONDS, abs=0.05)
    for peak in result.key_moments():
        assert peak.label == next(label for start, label in reversed(TIMELINE) if start <= peak.seconds + 0.1)
    assert {peak.label for peak in result.key_moments()} == {"neutral", "happiness", "surprise"}
    assert labels(output) == ["h264", "aac"]
    with av.open(str(output)) as container:
        video, audio = container.streams
        assert float((video.duration or 0) * video.time_base) == pytest.approx(TIMELINE_SECONDS, abs=0.05)
        assert float((audio.duration or 0) * audio.time_base) == pytest.approx(TIMELINE_SECONDS, abs=0.1)
    before, after = (picture_at(path, 5.0), picture_at(output, 5.0))
    x1, y1 = map(round, result.faces_at(5.0)[0].box.xyxy[:2])
    assert np.abs(before[y1, x1 + 20].astype(int) - after[y1, x1 + 20]).max() > 40, "a box is drawn"


def test_a_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0, 0.05, 0.1, 0.4, 0.45, 0.9, 1.0, 1.3, 1.35, 1.4, 1.8]
    path = lossless(tmp_path / "a.mkv", [draw_scene([Patch(0, 160, 120)])] * len(times), times)
    result = look(path)
    assert result.rows["seconds"] == pytest.approx(times, abs=1e-3)
    assert sum(result.summary()[1].values()) == pytest.approx(1.8 + 1 / 30, abs=0.05)


# What is analyzed


def test_a_part_of_the_video(tmp_path: Path) -> None:
    path = still(tmp_path / "a.mkv")
    result = look(path, ClipOptions(0.5, 1.6), happy_from=1.0)
    assert result.rows["frame"].tolist() == list(range(15, 48))
    assert result.starts == pytest.approx(0.5) and result.ends == pytest.approx(1.6)
    assert result.complete
    (change,) = result.transitions()
    assert change.seconds == pytest.approx(1.0, abs=0.2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (ClipOptions(every=4), list(range(0, 60, 4))),
        (ClipOptions(per_second=10), list(range(0, 60, 3))),
        (ClipOptions(per_second=7.5), list(range(0, 60, 4))),
        (ClipOptions(per_second=100), list(range(60))),
        (ClipOptions(1.0, per_second=2), [30, 45]),
    ],
)
def test_fewer_frames_on_request(tmp_path: Path, options: ClipOptions, expected: list[int]) -> None:
    result = look(still(tmp_path / "a.mkv"), options)
    assert result.rows["frame"].tolist() == expected
    assert result.people == [1] and result.frames == len(expected)
    whole = 2.0 - options.from_seconds
    assert sum(result.summary()[1].values()) == pytest.approx(whole, abs=0.04)


def test_a_part_beyond_the_end_is_empty(tmp_path: Path) -> None:
    result = look(still(tmp_path / "a.mkv"), ClipOptions(5.0))
    assert not result.frames and result.people == [] and result.seconds == 0


def test_options_that_contradict_are_refused() -> None:
    for options in ({"from_seconds": 3, "to_seconds": 2}, {"every": 0}, {"per_second": 0}, {"smallest_face": 0}):
        with pytest.raises(VideoError, match="expected"):
            ClipOptions(**options)


def test_stopping_midway_keeps_the_timeline(tmp_path: Path) -> None:
    path, output = still(tmp_path / "a.mkv"), tmp_path / "faces.mp4"
    recognizer: Any = PatchRecognizer()
    with closing(VideoFile(path)) as file, Mp4Writer(output) as writer:
        analysis = ClipAnalysis(file, recognizer)
        analysis.run(
            lambda frame, faces: writer.write(draw_live(frame.image, faces, analysis.settings), frame.seconds),
            lambda: analysis.seconds < 0.9,
        )
    result = analysis.timeline()
    assert not result.complete and result.ends > 0.9
    assert result.frames == 28, "what waited for the frames after it is left out"
    assert result.ends == pytest.approx(result.frames / 30, abs=0.01)
    with av.open(str(output)) as container:
        assert sum(1 for _ in container.decode(video=0)) == result.frames


def test_skipped_frames_show_the_last_reading(tmp_path: Path) -> None:
    recognizer: Any = PatchRecognizer()
    with closing(VideoFile(still(tmp_path / "a.mkv"))) as file:
        analysis = ClipAnalysis(file, recognizer, ClipOptions(every=4))
        given: list[tuple[float, list[int | None]]] = []
        analysis.run(lambda frame, faces: given.append((frame.seconds, [face.track_id for face in faces])))
    assert [seconds for seconds, _ in given] == pytest.approx([number / 30 for number in range(60)], abs=1e-3)
    assert analysis.timeline().rows["frame"].tolist() == list(range(0, 60, 4))
    assert all(people == [1] for _, people in given)


# Who is who


def scene_with_a_break(other: int) -> list[Image]:
    """A person for a second, nobody for two, and then a person somewhere else."""
    return [draw_scene([Patch(0, 80, 120)])] * 30 + [draw_scene([])] * 60 + [draw_scene([Patch(other, 230, 120)])] * 30


@pytest.mark.slow
def test_a_returning_person_is_recognized_on_request(tmp_path: Path) -> None:
    path = lossless(tmp_path / "a.mkv", scene_with_a_break(0))
    assert look(path).people == [1]
    assert look(path, ClipOptions(rejoin=False)).people == [1, 2]
    (first, second) = look(path).spans
    assert first.end < 1.5 and second.start > 2.9, "the time away belongs to nobody"


# Files of all kinds


def test_a_phone_held_upright_gives_boxes_in_the_upright_picture(
    tmp_path: Path, recognizer: Recognizer, astronaut: Image
) -> None:
    lying = np.ascontiguousarray(np.rot90(astronaut[:400], 1))
    path = write_clip(tmp_path / "a.mp4", (lying for _ in range(5)))
    data, one = bytearray(path.read_bytes()), 0x10000
    at = data.index(b"tkhd") + 44
    struct.pack_into(">9i", data, at, 0, one, 0, -one, 0, 0, 400 * one, 0, 0x40000000)
    path.write_bytes(data)
    result = analyzed(recognizer, path, tmp_path / "faces.mp4")
    assert result.size_wh == (512, 400)
    (expected,) = recognizer.recognize(np.ascontiguousarray(astronaut[:400]), 0.125)
    assert result.rows["box"][0] == pytest.approx(expected.box.xyxy, abs=6)
    assert picture_at(tmp_path / "faces.mp4", 0).shape == (400, 512, 3)


@pytest.mark.slow
def test_4k_is_shrunk_and_its_boxes_are_not(tmp_path: Path, recognizer: Recognizer, astronaut: Image) -> None:
    large = cv2.resize(astronaut[:288], (3840, 2160), interpolation=cv2.INTER_AREA)
    path = write_clip(tmp_path / "a.mp4", (large for _ in range(3)))
    result = analyzed(recognizer, path, tmp_path / "faces.mp4")
    assert result.size_wh == (3840, 2160)
    (expected,) = recognizer.recognize(large, 0.125)
    assert result.rows["box"][0] == pytest.approx(expected.box.xyxy, abs=40)
    assert picture_at(tmp_path / "faces.mp4", 0).shape == (1080, MAX_SIDE_PX, 3)


@pytest.mark.parametrize(("width", "height"), [(321, 241), (99, 301)])
def test_odd_sizes(tmp_path: Path, width: int, height: int) -> None:
    path = lossless(tmp_path / "a.mkv", [draw_scene([Patch(0, 50, 120)], (width, height))] * 10)
    output = tmp_path / "faces.mp4"
    recognizer: Any = PatchRecognizer()
    result = analyzed(recognizer, path, output)
    assert result.size_wh == (width, height)
    assert result.rows["box"][0] == pytest.approx(Patch(0, 50, 120).box.xyxy, abs=1)
    assert picture_at(output, 0).shape == (height + 1, width + 1, 3)


def test_a_truncated_file_is_analyzed_to_its_end_and_reported(tmp_path: Path) -> None:
    path = still(tmp_path / "a.mkv")
    path.write_bytes(path.read_bytes()[: int(0.5 * path.stat().st_size)])
    result = look(path)
    assert 20 <= result.frames < 60 and result.people == [1]
    assert "frames could be read" in result.problem and str(tmp_path) not in result.problem


def test_sound_without_pictures_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_clip(tmp_path / "b.mp4", (np.zeros((64, 64, 3), np.uint8) for _ in range(10)))
    with av.open(str(tmp_path / "b.mp4")) as source, av.open(str(path), "w") as target:
        copied = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(audio=0):
            if packet.dts is not None:
                packet.stream = copied
                target.mux(packet)
    with pytest.raises(VideoError, match="found no video stream"):
        VideoFile(path)


def test_a_video_without_frames_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "bgr0"
        container.start_encoding()
    with pytest.raises(VideoError, match=r"found (no readable frame|a file that cannot be read)"):
        VideoFile(path)
