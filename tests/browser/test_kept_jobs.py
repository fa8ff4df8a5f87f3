"""The journeys of a video and of many photos: begun, reloaded in the middle, found again, deleted, brought back."""

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from fer.datasets.drawing import draw_portrait
from fer.datasets.drawing.clip import known_frames, write_clip
from fer.images import encode_jpeg
from fer.results.result import COMPLETE
from fer.results.store import ResultStore
from tests.browser.test_results import act, settled
from tests.scripts.processes import wait_until


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "interview.mp4", known_frames(seconds=20.0))


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = []
    for number in range(60):
        portrait, _ = draw_portrait(
            "happiness", np.random.default_rng(number), width_px=320, height_px=400, face_height_px=190
        )
        paths.append(tmp_path / f"{number:02}.jpg")
        paths[-1].write_bytes(encode_jpeg(portrait))
    return paths


def result_id(page: Page) -> str:
    page.wait_for_url(re.compile(r"\?result="))
    (found,) = parse_qs(urlsplit(page.url).query)["result"]
    return found


def journey(
    context: BrowserContext,
    page: Page,
    url: str,
    store: ResultStore,
    data: Path,
    path: str,
    done: Callable[[Page], None],
) -> None:
    """Follow a job that was just begun on a page of that path, until it is gone for good."""
    found = result_id(page)
    name = store.get(found, "").name  # type: ignore[union-attr]
    page.reload()
    expect(page.get_by_role("progressbar").filter(visible=True)).to_be_visible()
    assert result_id(page) == found
    page.get_by_role("link", name="Results", exact=True).click()
    row = page.get_by_role("listitem").filter(has=page.get_by_role("link", name=name))
    expect(row).to_contain_text("analyzing")
    expect(row).not_to_contain_text("analyzing", timeout=240_000)
    kept = store.get(found, "")
    assert kept and kept.state == COMPLETE and store.thumbnail(kept)
    settled(page)
    row.get_by_role("link", name=name).click()
    done(page)
    assert result_id(page) == found

    other = context.new_page()
    other.goto(f"{url}/{path}?result={found}")
    done(other)
    other.goto(f"{url}/results?result={store.share(found, '')}")
    expect(other.get_by_role("heading", level=1)).to_have_text(name)
    expect(other.locator(".js-plotly-plot").first).to_be_visible()

    settled(page)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    page.get_by_test_id("stButton").get_by_role("button", name="Open", exact=True).first.click()
    done(page)
    page.goto(f"{url}/results")
    act(page, name, "Delete")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)  # ten seconds later
    wait_until(lambda: not (data / kept.job).exists())
    page.goto(f"{url}/{path}?result={found}")
    expect(page.get_by_text("has been deleted")).to_be_visible()


def test_a_video(context: BrowserContext, page: Page, app_url: str, app_folder: Path, clip: Path) -> None:
    def done(page: Page) -> None:
        expect(page.get_by_text("600 frames analyzed · 1 person")).to_be_visible()

    page.goto(f"{app_url}/video")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(clip)
    page.get_by_role("button", name="Analyze").click()
    journey(context, page, app_url, ResultStore(app_folder / "results"), app_folder / "data", "video", done)


def test_many_photos(context: BrowserContext, page: Page, app_url: str, app_folder: Path, photos: list[Path]) -> None:
    def done(page: Page) -> None:
        expect(page.get_by_test_id("stMetric").filter(has_text="Pictures")).to_contain_text("60")

    page.goto(f"{app_url}/folder")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photos)
    page.get_by_role("button", name=re.compile("Analyze.*60")).click()
    journey(context, page, app_url, ResultStore(app_folder / "results"), app_folder / "data", "folder", done)
