"""The journey of a photo: analyzed, reloaded, found in the results, opened elsewhere, renamed, deleted, exported."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from fer.images import encode_png
from fer.results.result import RUNNING, Figures
from fer.results.store import GONE_SECONDS, UNDO_SECONDS, ResultStore
from pages.parts.result_list import ROWS_AT_ONCE
from tests.browser.acting import act, downloaded, result_id, settled


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "birthday.png"
    path.write_bytes(encode_png(astronaut))
    return path


def test_a_photo_is_found_again_until_it_is_deleted(
    context: BrowserContext, page: Page, app_url: str, app_folder: Path, photo: Path
) -> None:
    page.goto(f"{app_url}/photo")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(photo)
    marked = "birthday.png with 1 face marked"
    expect(page.get_by_role("img", name=marked)).to_be_visible()
    page.wait_for_url(re.compile(r"\?result="))
    page.reload()
    expect(page.get_by_role("img", name=marked)).to_be_visible()

    page.get_by_role("link", name="Results", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Results")
    page.get_by_role("searchbox", name="Search").fill("birthday happiness")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="birthday.png").click()
    expect(page.get_by_role("img", name=marked)).to_be_visible()

    found = result_id(page)
    other = context.new_page()
    other.goto(f"{app_url}/results?result={found}")
    expect(other.get_by_role("heading", level=1)).to_have_text("birthday.png")
    expect(other.get_by_role("img", name="birthday.png")).to_be_visible()
    other.get_by_role("button", name="All results").click()
    act(other, "birthday.png", "Rename")
    other.get_by_role("textbox", name="Name").fill("Party of **Ada**")
    other.get_by_role("dialog").get_by_role("button", name="Rename").click()
    expect(other.get_by_role("link", name="Party of **Ada**")).to_be_visible()

    act(other, "Party of **Ada**", "Delete")
    undo = other.get_by_role("button", name="Undo")
    expect(undo).to_be_visible()
    expect(other.get_by_role("link", name="Party")).to_have_count(0)
    undo.click()
    expect(other.get_by_role("link", name="Party")).to_be_visible()

    settled(other)
    other.get_by_role("checkbox", name="Select Party").check()
    expect(other.get_by_role("button", name="Export (ZIP)")).to_be_visible()
    with zipfile.ZipFile(io.BytesIO(downloaded(other, "Export (ZIP)"))) as archive:
        names = archive.namelist()
        assert "results.csv" in names and any(name.endswith("faces.csv") for name in names)
        assert not any("picture" in name for name in names), "only what was found is kept"

    act(other, "Party of **Ada**", "Delete")
    expect(other.get_by_role("link", name="Party")).to_have_count(0)
    expect(undo).to_be_visible()
    expect(undo).to_have_count(0)  # ten seconds later
    other.wait_for_timeout(1000 * (GONE_SECONDS - UNDO_SECONDS + 1))  # a late click would still count
    store = ResultStore(app_folder / "results")
    assert store.get(found, "") is None and store.undo([found], "") == 0
    page.reload()
    expect(page.get_by_role("img", name=marked)).to_have_count(0)


def test_who_has_a_link_sees_one_result_and_each_browser_its_own(
    browser: Browser, page: Page, app_url: str, app_folder: Path
) -> None:
    store = ResultStore(app_folder / "results")
    shared = store.add("somebody", "webcam", "Shared")
    assert shared
    token = store.share(shared.id, "somebody")
    page.goto(f"{app_url}/results?result={token}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Shared")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    page.goto(f"{app_url}/results?result={shared.id}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Results")
    store.revoke(shared.id, "somebody")
    page.goto(f"{app_url}/results?result={token}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Results")
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "fer_visitor"]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Lax" and len(cookie["value"]) == 43
    page.reload()
    assert cookie["value"] in {one["value"] for one in page.context.cookies()}
    elsewhere = browser.new_context()
    elsewhere.new_page().goto(app_url)
    assert cookie["value"] not in {one["value"] for one in elsewhere.cookies()}
    elsewhere.close()


def test_a_link_is_made_by_a_button_and_ended_by_another(
    browser: Browser, page: Page, app_url: str, app_folder: Path
) -> None:
    store = ResultStore(app_folder / "results")
    kept = store.add("", "webcam", "Standup", figures=Figures(people=1, seconds=62, expressions={"fear": 9}))
    assert kept
    page.goto(f"{app_url}/results")
    row = page.locator(".rows").get_by_role("listitem").filter(has=page.get_by_role("link", name="Standup"))
    act(page, "Standup", "Share")
    dialog = page.get_by_role("dialog")
    create = dialog.get_by_role("button", name="Create link")
    expect(create).to_be_visible()
    assert store.list("").results[0].token is None
    create.click()
    expect(dialog.get_by_role("button", name="Stop sharing")).to_be_visible()
    address = dialog.locator("code").inner_text()
    page.keyboard.press("Escape")
    expect(row).to_contain_text("shared")
    elsewhere = browser.new_context()
    guest = elsewhere.new_page()
    guest.goto(address)
    expect(guest.get_by_role("heading", level=1)).to_have_text("Standup")
    act(page, "Standup", "Stop sharing")
    expect(row).not_to_contain_text("shared")
    guest.reload()
    expect(guest.get_by_role("heading", level=1)).to_have_text("Results")
    elsewhere.close()
    store.delete([kept.id], "")


def test_the_list_is_used_with_the_keyboard(
    context: BrowserContext, page: Page, app_url: str, app_folder: Path
) -> None:
    store = ResultStore(app_folder / "results")
    for name in ("Ada's", "Bob's", "<b>Carl</b>"):
        assert store.add("", "webcam", name, figures=Figures(people=1, seconds=62, expressions={"fear": 9}))
    page.goto(f"{app_url}/results")
    first = page.locator(".rows").get_by_role("listitem").first
    expect(first.get_by_role("link", name="<b>Carl</b>")).to_be_visible()
    expect(first).to_contain_text("1:02, 1 person")
    settled(page)
    first.get_by_role("checkbox").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Export (ZIP)")).to_be_in_viewport()
    expect(first.get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("Tab")
    expect(first.get_by_role("link")).to_be_focused()
    page.keyboard.press("Tab")
    more = first.get_by_role("button", name="Actions for")
    expect(more).to_be_focused()
    page.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    for key, item in (("ArrowUp", "Delete"), ("ArrowDown", "Open"), ("ArrowDown", "Rename"), ("End", "Delete")):
        page.keyboard.press(key)
        expect(page.get_by_role("menuitem", name=item)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menuitem")).to_have_count(0)
    expect(more).to_be_focused()
    with context.expect_page() as opened:
        first.get_by_role("link").click(modifiers=["ControlOrMeta"])
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("<b>Carl</b>")
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(first.get_by_role("link", name="Bob's")).to_be_visible()
    store.delete([result.id for result in store.list("").results], "")


def test_a_selection_spans_the_pages_of_the_list(page: Page, app_url: str, app_folder: Path) -> None:
    store = ResultStore(app_folder / "results")
    added = [store.add("", "webcam", f"Number {number}") for number in range(ROWS_AT_ONCE + 1)]
    page.goto(f"{app_url}/results")
    page.get_by_role("searchbox", name="Search").fill("Number")
    page.keyboard.press("Enter")
    chosen, box = page.locator(".st-key-chosen"), page.get_by_role("checkbox", name="Select Number")
    expect(box).to_have_count(ROWS_AT_ONCE)
    for number, place, count in (("2", 0, "1 "), ("1", 3, "2 "), ("2", 0, "1 ")):
        page.get_by_role("button", name=f"Page {number}", exact=True).click()
        expect(box).to_have_count(1 if number == "2" else ROWS_AT_ONCE)
        settled(page)
        box.nth(place).click()
        expect(chosen).to_contain_text(f"{count}result")
    store.delete([one.id for one in added if one], "")


def test_the_menu_keeps_the_focus_when_the_rows_change(page: Page, app_url: str, app_folder: Path) -> None:
    store = ResultStore(app_folder / "results")
    kept = [store.add("", "webcam", name, state=RUNNING) for name in ("Still", "Changing")]
    page.goto(f"{app_url}/results")
    settled(page)
    more = page.get_by_role("button", name="Actions for Still")
    more.press("Enter")
    expect(page.get_by_role("menuitem", name="Open")).to_be_focused()
    assert kept[1] and store.rename(kept[1].id, "", "Changed")
    expect(page.get_by_role("link", name="Changed")).to_be_visible()
    expect(more).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(more).to_be_focused()
    store.delete([one.id for one in kept if one], "")


def test_a_long_name_takes_three_lines_at_most(page: Page, app_url: str, app_folder: Path) -> None:
    store = ResultStore(app_folder / "results")
    kept = store.add("", "webcam", "W" * 200)
    assert kept
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{app_url}/results")
        name = page.get_by_role("link", name="W" * 200)
        expect(name).to_have_attribute("title", "W" * 200)
        assert name.evaluate("name => name.offsetHeight / parseFloat(getComputedStyle(name).lineHeight)") < 3.5
    store.delete([kept.id], "")
