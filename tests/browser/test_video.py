"""The video page as people use it: upload, watch the progress, click a moment, play and download."""

import csv
import io
import re
from pathlib import Path

import av
import pytest
from playwright.sync_api import Locator, Page, expect

from fer.datasets.drawing.clip import TIMELINE, known_frames, write_clip
from tests.browser.acting import downloaded


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn person whose expression changes at known times, with a tone."""
    return write_clip(tmp_path_factory.mktemp("clip") / "known.mp4", known_frames())


def plays(page: Page, video: Locator) -> None:
    """Play it, and wait until frames were actually shown."""
    element = video.element_handle()
    element.evaluate("video => { video.muted = true; return video.play() }")
    page.wait_for_function(
        "video => video.videoWidth > 2 && video.getVideoPlaybackQuality().totalVideoFrames >= 10", arg=element
    )
    assert element.evaluate("video => video.error") is None


def test_a_video_from_the_upload_to_the_downloads(page: Page, app_url: str, clip: Path, tmp_path: Path) -> None:
    page.goto(app_url)
    page.get_by_role("link", name="Video", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Video")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(clip)
    page.get_by_role("button", name="Analyze").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    page.reload()  # the address holds it
    expect(page.get_by_text("300 frames analyzed · 1 person")).to_be_visible(timeout=240_000)

    expect(page.locator(".band rect")).to_have_count(len(TIMELINE))
    chart = page.get_by_role("slider", name="Position in the video")
    place = chart.bounding_box()
    assert place is not None
    page.mouse.click(place["x"] + 0.52 * place["width"], place["y"] + 10)
    expect(chart).to_have_attribute("aria-valuetext", re.compile("^0:05, person 1: surprise"))

    plays(page, page.locator("video"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Annotated video (MP4)").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == "known-faces.mp4"
    with av.open(str(path)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac"]
        assert sum(1 for _ in container.decode(video=0)) == 300
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "Table (CSV)").decode())))
    assert len(rows) == 300
    for start, label in TIMELINE:
        first = next(row for row in rows if row["label"] == label and float(row["seconds"]) > start - 0.3)
        assert float(first["seconds"]) == pytest.approx(start, abs=0.3)
    assert downloaded(page, "Subtitles (SRT)").count(b"-->") == len(TIMELINE)


def repeated(clip: Path, path: Path, times: int) -> Path:
    """Write a clip several times in a row, without encoding it again."""
    with av.open(str(clip)) as read, av.open(str(path), "w") as written:
        (shown,) = read.streams.video
        copied = written.add_stream_from_template(shown)
        packets = [packet for packet in read.demux(shown) if packet.dts is not None]
        for number in range(times):
            for packet in packets:
                again = av.Packet(bytes(packet))
                again.stream, again.time_base, again.is_keyframe = copied, packet.time_base, packet.is_keyframe
                again.pts, again.dts = (one + number * (shown.duration or 0) for one in (packet.pts, packet.dts))
                written.mux(again)
    return path


def test_a_canceled_large_video_shows_its_part(page: Page, app_url: str, clip: Path, tmp_path: Path) -> None:
    long = repeated(clip, tmp_path / "long.mp4", 120)  # 20 minutes, 100 MB: the click comes before the end
    page.goto(f"{app_url}/video")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(long)
    page.get_by_role("button", name="Analyze").click()
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    expect(page.get_by_text(re.compile(r"^\d+:\d\d · 1 person.*× real time"))).to_be_visible()
    cancel.click()
    expect(page.get_by_role("button", name="Analyze again")).to_be_visible(timeout=15_000)
    plays(page, page.locator("video"))
