"""The webcam page in a browser with a camera that plays a file."""

import csv
import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, FrameLocator, Page, expect

from fer.results.result import WEBCAM
from fer.results.store import ResultStore
from fer.video.job import TIMELINE_NAME
from tests.browser.acting import downloaded, result_id, settled
from tests.scripts.processes import wait_until

COMPONENT = 'iframe[title="streamlit_webrtc.component.webrtc_streamer"]'


@pytest.fixture
def page(camera_browser: Browser) -> Iterator[Page]:
    context = camera_browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    yield context.new_page()
    context.close()


def opened(page: Page, url: str) -> FrameLocator:
    page.goto(f"{url}/webcam")
    return page.frame_locator(COMPONENT)


def frames_shown(page: Page) -> int:
    """Return how many pictures the browser has shown; its clock runs on even when the picture stands."""
    frame: Frame = next(frame for frame in page.frames if "webrtc_streamer" in frame.url)
    shown: int = frame.evaluate(
        "() => document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0"
    )
    return shown


def start(page: Page, component: FrameLocator) -> None:
    for _ in range(2):  # one connection in some fifty gets no picture on a busy machine
        component.get_by_role("button", name="Start", exact=True).click()
        until = time.monotonic() + 30
        while time.monotonic() < until:
            if frames_shown(page) >= 10 and processed(page) >= 10:
                return
            page.wait_for_timeout(250)
    pytest.fail("no picture came")


def processed(page: Page) -> int:
    found = re.search(r"(\d+) frames, \d+ dropped", page.get_by_test_id("stMain").inner_text())
    return int(found[1]) if found else 0


def test_a_recording_is_found_again_until_it_is_deleted(page: Page, app_url: str, app_folder: Path) -> None:
    component = opened(page, app_url)
    start(page, component)
    expect(page.get_by_test_id("stMetric").filter(has_text="Faces in view")).to_contain_text("1", timeout=60_000)
    expect(page.locator(".js-plotly-plot")).to_have_count(1)  # for a moment the one before may still stand
    before = processed(page), frames_shown(page)
    wait_until(lambda: processed(page) > before[0] + 8 and frames_shown(page) > before[1] + 8)

    picture, whole = (
        page.locator(place).bounding_box() for place in (COMPONENT, '[data-testid="stMainBlockContainer"]')
    )
    assert picture and whole and picture["width"] > 0.85 * whole["width"]
    page.get_by_role("button", name="Settings").click()  # a setting acts, and the video goes on
    page.get_by_test_id("stCheckbox").filter(has_text="Mirror").locator("label").click()
    since = processed(page)
    wait_until(lambda: processed(page) > since + 8)
    page.keyboard.press("Escape")

    component.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("heading", name="Recording", exact=True)).to_be_visible(timeout=30_000)
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "Table (CSV)").decode())))
    record = json.loads(downloaded(page, "All figures (JSON)"))
    assert {row["label"] for row in rows} >= {"happiness"}
    assert len(rows) == len(record["samples"])
    assert sum(float(row["lasted"]) for row in rows if row["person"] == "1") == pytest.approx(
        sum(record["seconds_by_person"]["1"].values()), abs=0.1
    )

    found = result_id(page)
    page.reload()
    expect(page.get_by_role("heading", name="Recording", exact=True)).to_be_visible()
    assert result_id(page) == found
    settled(page)
    page.get_by_role("link", name="Results", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Results")
    kept = ResultStore(app_folder / "results").get(found, "")
    assert kept and kept.kind == WEBCAM and kept.figures.people == 1
    page.get_by_role("checkbox", name=f"Select {kept.name}", exact=True).check()
    with zipfile.ZipFile(io.BytesIO(downloaded(page, "Export (ZIP)"))) as archive:
        assert {"expressions.csv", "expressions.json"} <= {Path(name).name for name in archive.namelist()}

    other = page.context.new_page()
    other.goto(f"{app_url}/webcam?result={found}")
    expect(other.locator(".js-plotly-plot")).to_have_count(3)
    other.get_by_role("button", name="Delete").click()
    expect(other.get_by_role("heading", name="Recording", exact=True)).to_have_count(0)
    other.get_by_role("button", name="Undo").click()
    page.reload()
    page.get_by_role("link", name=kept.name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(kept.name)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()


def test_the_own_neutral_is_taken_off_and_stands_in_the_export_until_it_is_undone(page: Page, app_url: str) -> None:
    """The camera's face smiles: taken for neutral, the smile is what is taken off."""
    component = opened(page, app_url)
    start(page, component)
    page.get_by_role("button", name="This is my neutral face").click()
    expect(page.get_by_role("progressbar").filter(visible=True)).to_be_visible()
    undo = page.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    expect(page.get_by_text("raw happiness")).to_be_visible()
    component.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("heading", name="Recording", exact=True)).to_be_visible(timeout=30_000)
    record = json.loads(downloaded(page, "All figures (JSON)"))
    (own,) = record["baselines"]
    assert (own["person"], own["how"], own["strength"]) == (1, "seconds", 0.75)
    assert own["ends"] - own["starts"] == 3 and own["readings"] and own["shift"]["happiness"] > 1
    last = record["samples"][-1]
    assert (last["label"], last["raw_label"]) == ("neutral", "happiness")
    undo.click()
    expect(undo).to_have_count(0)
    assert "baselines" not in json.loads(downloaded(page, "All figures (JSON)"))


def test_a_reload_ends_the_stream_whose_recording_is_kept_and_it_can_be_started_again(
    page: Page, app_url: str, app_folder: Path
) -> None:
    store = ResultStore(app_folder / "results")
    before = store.list("", kinds=[WEBCAM]).total
    start(page, opened(page, app_url))
    wait_until(lambda: store.list("", kinds=[WEBCAM]).total > before)
    first = store.list("", kinds=[WEBCAM]).results[0]
    wait_until((store.folder(first) / TIMELINE_NAME).exists)
    page.reload()
    start(page, opened(page, app_url))
    page.frame_locator(COMPONENT).get_by_role("button", name="Stop", exact=True).click()
    expect(
        page.get_by_role("heading", name="Recording", exact=True).or_(page.get_by_text("without a face"))
    ).to_be_visible(timeout=30_000)
    page.get_by_role("link", name="Results", exact=True).click()
    page.get_by_role("link", name=first.name).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(first.name)
    expect(page.locator(".js-plotly-plot").first).to_be_visible()


@pytest.mark.parametrize(
    ("left_out", "error"),
    [
        ("--use-fake-ui-for-media-stream", "NotAllowedError"),
        ("--use-fake-device-for-media-stream", "NotFoundError"),
        ("", "NotReadableError"),
    ],
)
def test_a_camera_that_is_refused_missing_or_in_use_is_said(
    start_browser: Callable[..., Browser], app_url: str, left_out: str, error: str
) -> None:
    browser = start_browser(without=left_out)
    page = browser.new_context().new_page()
    page.set_default_timeout(60_000)
    if not left_out:  # no flag of the browser's makes another program use its camera
        throw = f"throw new DOMException('Could not start video source', '{error}')"
        page.add_init_script(f"navigator.mediaDevices.getUserMedia = async () => {{ {throw} }}")
    component = opened(page, app_url)
    component.get_by_role("button", name="Start", exact=True).click()
    expect(component.get_by_text(error)).to_be_visible(timeout=30_000)
    expect(component.get_by_role("button", name="Start", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stExpanderDetails").get_by_text(error)).to_be_visible()  # what to do, without a click
    browser.close()


def test_an_address_of_a_page_opens_that_page(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/webcam")
    expect(page).to_have_title("Webcam · Expression Studio")
