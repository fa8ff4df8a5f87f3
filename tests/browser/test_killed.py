"""The server is killed while a video, many photos and a camera are analyzed: what was recorded is found afterwards."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from fer.collection.job import RESULTS_NAME
from fer.datasets.drawing.clip import known_frames, write_clip
from fer.jobs.job import PROCESS_NAME
from fer.jobs.process import ProcessMark
from fer.records import read_record
from fer.results.journal import read_finished
from fer.results.result import WEBCAM
from fer.results.store import ResultStore
from fer.results.timeline import read_timeline
from fer.video.job import TIMELINE_NAME
from scripts.benchmarks.page import app_process, running_app
from tests.browser.acting import begin, result_id
from tests.browser.test_webcam import opened, start
from tests.scripts.processes import wait_until


def frames_kept(folder: Path) -> int:
    seen = read_timeline(folder / TIMELINE_NAME)
    return seen.frames if seen else 0


def frames_shown(page: Page) -> int:
    """Return how many frames the page of a video says were analyzed, after a restart."""
    said = page.get_by_text(re.compile(r"[\d,]+ frames analyzed")).inner_text()
    (count,) = re.findall(r"([\d,]+) frames", said)
    return int(count.replace(",", ""))


@pytest.mark.slow
def test_what_was_recorded_before_a_kill_is_there_after_a_restart(
    context: BrowserContext, page: Page, camera_browser: Browser, tmp_path: Path, photos: list[Path]
) -> None:
    clip = write_clip(tmp_path / "interview.mp4", known_frames(seconds=60.0))
    place = tmp_path / "app"
    place.mkdir()
    store = ResultStore(place / "results")

    def job_of(result: str) -> Path:
        found = store.get(result, "")
        assert found
        return place / "data" / found.job

    with running_app(place) as url:
        filmed, many = camera_browser.new_context().new_page(), context.new_page()
        start(filmed, opened(filmed, url))
        begin(page, f"{url}/video", "Analyze", clip)
        begin(many, f"{url}/folder", re.compile("Analyze.*60"), *photos)
        video, collection = result_id(page), result_id(many)
        (camera,) = store.list("", kinds=[WEBCAM]).results
        read, journal = job_of(video), job_of(collection) / RESULTS_NAME
        wait_until(lambda: frames_kept(read) and frames_kept(store.folder(camera)) and read_finished(journal))
        mark = read_record(read / PROCESS_NAME, ProcessMark)
        analysis, server = mark and mark.running(), app_process()
        assert analysis, "the video's job has ended"
        for process in (analysis, server):  # the photos' job goes on
            process.kill()
            process.wait()
        before = frames_kept(read), frames_kept(store.folder(camera))
        filmed.context.close()

    with running_app(place) as url:
        page.goto(f"{url}/video?result={video}")
        expect(page.get_by_role("button", name="Start again")).to_be_visible()
        assert frames_shown(page) >= before[0]
        page.goto(f"{url}/results?result={camera.id}")
        expect(page.locator(".js-plotly-plot").first).to_be_visible()
        assert frames_kept(store.folder(camera)) >= before[1]
        page.goto(f"{url}/folder?result={collection}")
        expect(page.get_by_test_id("stMetric").filter(has_text="Pictures")).to_contain_text("60")
        assert {one.picture.path.name for one in read_finished(journal)} == {path.name for path in photos}
