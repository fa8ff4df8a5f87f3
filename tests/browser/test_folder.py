"""The page for many photos as people use it: upload several, watch, filter, export, come back."""

import csv
import io
import json
import re
import zipfile
from pathlib import Path

import numpy as np
from playwright.sync_api import BrowserContext, Locator, Page, expect

from fer.images import read_image
from tests.browser.acting import downloaded, too_wide


def tiles(page: Page) -> Locator:
    return page.locator(".groups .tile")


def tile(page: Page, name: str) -> Locator:
    return page.locator(f'.groups .tile[data-id="{name}"]')


def expect_chosen(page: Page, name: str) -> None:
    """Expect a picture to be shown, with its face and tile selected."""
    expect(page.get_by_role("img", name=re.compile(rf"^{re.escape(name)} "))).to_be_visible()
    expect(tile(page, name)).to_have_attribute("aria-pressed", "true")
    expect(page.locator('.groups .tile[aria-pressed="true"]')).to_have_count(1)


def focused(page: Page) -> str | None:
    """Return the name of the face whose tile has the focus."""
    name: str | None = tiles(page).first.evaluate("tile => tile.getRootNode().activeElement?.dataset.id ?? null")
    return name


def test_upload_watch_filter_and_export(context: BrowserContext, page: Page, app_url: str, many_photos: Path) -> None:
    page.goto(app_url)
    page.get_by_role("link", name="Many photos", exact=True).click()
    page.wait_for_url("**/folder*")
    chosen = [*sorted(many_photos.glob("*.jpg"))[:6], many_photos / "nobody.png", many_photos / "broken.jpg"]
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(chosen)
    page.get_by_role("button", name=re.compile(r"Analyze.*\b8\b")).click()
    expect(page.get_by_role("button", name="(ZIP)")).to_be_visible(timeout=240_000)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    for name, value in (("Pictures", "8"), ("Faces", "6"), ("No face", "1"), ("Unreadable", "1")):
        expect(page.get_by_test_id("stMetric").filter(has_text=name)).to_contain_text(value)
    expect(tiles(page)).to_have_count(7)
    expect(tiles(page).locator("img")).to_have_count(6)  # no broken one where nobody is

    every = json.loads(downloaded(page, "All figures (JSON)"))
    assert {record["path"] for record in every} == {path.name for path in chosen}
    (broken,) = [record for record in every if "error" in record]
    assert broken["path"] == "broken.jpg"

    page.get_by_role("button", name="no face 1").click()
    expect(tiles(page)).to_have_count(1)
    with zipfile.ZipFile(io.BytesIO(downloaded(page, "(ZIP)"))) as archive:
        assert archive.namelist() == ["nobody-faces.jpg"]
    page.get_by_role("button", name="no face 1").click()
    expect(tiles(page)).to_have_count(7)
    rows = list(csv.DictReader(io.StringIO(downloaded(page, "(CSV)").decode())))
    assert {row["path"] for row in rows} == {path.name for path in chosen[:6]}
    with zipfile.ZipFile(io.BytesIO(downloaded(page, "(ZIP)"))) as archive:
        assert len(archive.namelist()) == 7
        copy, photo = read_image(archive.read("00-faces.jpg")), read_image(chosen[0])
    assert copy.shape == photo.shape
    assert (np.abs(copy.astype(int) - photo).max(axis=-1) > 60).sum() > 200  # box and tag are drawn

    for name in ("00.jpg", "01.jpg"):
        tile(page, name).click()
        expect_chosen(page, name)
    tile(page, "01.jpg").focus()
    page.keyboard.press("Home")
    first = focused(page)
    page.keyboard.press("ArrowRight")
    second = focused(page)
    page.keyboard.press("End")
    assert first != second and focused(page) == "nobody.png"  # no face: the last group
    page.keyboard.press("ArrowUp")
    above = focused(page)
    assert above not in (None, "nobody.png")
    page.keyboard.press("Enter")
    expect_chosen(page, above or "")
    assert focused(page) == above

    page.get_by_text("Table", exact=True).click()
    box = page.get_by_test_id("stDataFrame").bounding_box()
    assert box
    page.mouse.click(box["x"] + 14, box["y"] + 42 + 36)  # the first row's box to tick
    expect(page.locator(".stage")).to_be_visible()
    page.get_by_text("Gallery", exact=True).click()
    expect(tiles(page)).to_have_count(7)

    address = page.url
    page.close()
    again = context.new_page()
    again.goto(address)
    expect(tiles(again)).to_have_count(7)
    again.set_viewport_size({"width": 390, "height": 844})
    tile(again, "02.jpg").click()
    expect_chosen(again, "02.jpg")
    assert too_wide(again) == []


def test_a_folder_keeps_its_folders(page: Page, app_url: str, many_photos: Path) -> None:
    page.goto(f"{app_url}/folder")
    page.get_by_text("A folder", exact=True).click()
    chooser = page.locator("input[webkitdirectory]")
    expect(chooser).to_be_attached()
    chooser.set_input_files(many_photos)
    page.get_by_role("button", name=re.compile(r"Analyze.*\b26\b")).click()
    expect(page.get_by_role("button", name="(ZIP)")).to_be_visible(timeout=240_000)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0, timeout=240_000)
    expect(page.get_by_test_id("stMetric").filter(has_text="Faces")).to_contain_text("24")
    names = {record["path"] for record in json.loads(downloaded(page, "All figures (JSON)"))}
    folder = many_photos.name
    assert {f"{folder}/00.jpg", f"{folder}/below/00.jpg", f"{folder}/nobody.png"} <= names and len(names) == 26
