"""The journeys of a video and of many photos: begun, reloaded in the middle, found again, deleted, brought back."""

import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from fer.datasets.drawing.clip import known_frames, write_clip
from fer.results.result import COMPLETE
from fer.results.store import ResultStore
from tests.browser.acting import LATE, act, begin, downloaded, paused, result_id, settled
from tests.scripts.processes import wait_until


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "interview.mp4", known_frames(seconds=20.0))


def journey(
    context: BrowserContext,
    page: Page,
    url: str,
    app: Path,
    path: str,
    table: str,
    done: Callable[[Page], None],
) -> None:
    """Follow a job that was just begun on the page `path`, with `table` in its export, until it is gone for good."""
    store, data, found = ResultStore(app / "results"), app / "data", result_id(page)
    begun = store.get(found, "")
    assert begun
    name, row = begun.name, page.get_by_role("listitem").filter(has=page.get_by_role("link", name=begun.name))
    sent: list[str | bytes] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda frame: sent.append(frame)))
    page.add_init_script(LATE)
    with paused(data / begun.job):
        page.reload()
        expect(page.get_by_role("progressbar").filter(visible=True)).to_be_visible()
        assert result_id(page) == found
        page.get_by_role("link", name="Results", exact=True).click()
        expect(row).to_contain_text("analyzing")
        page.evaluate("window.late = 6_000")  # the list stays until then, and asks for news every two seconds
        row.get_by_role("link", name=name).click()
        page.wait_for_timeout(5_000)
        assert b'"open"' in sent[-1], "a list that asks after a result was opened empties that page"
        expect(page.get_by_role("button", name=re.compile("^(Cancel|Stop)$"))).to_be_visible()
        page.goto(f"{url}/results")
    expect(row).not_to_contain_text("analyzing", timeout=240_000)
    kept = store.get(found, "")
    assert kept and kept.state == COMPLETE and store.thumbnail(kept)
    settled(page)
    row.get_by_role("checkbox").check()
    with zipfile.ZipFile(io.BytesIO(downloaded(page, "Export (ZIP)"))) as archive:
        assert {"results.csv", table} <= {Path(one).name for one in archive.namelist()}
    row.get_by_role("link", name=name).click()
    done(page)
    assert result_id(page) == found

    other = context.new_page()
    other.goto(f"{url}/{path}?result={found}")
    done(other)
    other.goto(f"{url}/results?result={store.share(found, '')}")
    expect(other.get_by_role("heading", level=1)).to_have_text(name)
    expect(other.locator(".player, .groups").first).to_be_visible()

    settled(page)
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    done(page)
    assert result_id(page) == found
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

    begin(page, f"{app_url}/video", "Analyze", clip)
    journey(context, page, app_url, app_folder, "video", "expressions.csv", done)


def test_many_photos(context: BrowserContext, page: Page, app_url: str, app_folder: Path, photos: list[Path]) -> None:
    def done(page: Page) -> None:
        expect(page.get_by_test_id("stMetric").filter(has_text="Pictures")).to_contain_text("60")

    begin(page, f"{app_url}/folder", re.compile("Analyze.*60"), *photos)
    journey(context, page, app_url, app_folder, "folder", "faces.csv", done)
