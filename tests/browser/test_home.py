"""Home works at once: an example, dropped files go to their page, the latest results are there."""

import io
import re
import zipfile
from itertools import islice
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from fer.datasets.drawing.clip import known_frames, write_clip
from fer.images import encode_png
from pages.parts.samples import PHOTO


def drop(page: Page, url: str, *files: tuple[str, bytes]) -> None:
    page.goto(url)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
    )


def test_the_first_screen_has_everything_to_start(page: Page, app_url: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(app_url)
    drop_zone = page.get_by_test_id("stFileUploaderDropzone")
    example = page.get_by_role("img", name=re.compile("happiness"))
    for element in (drop_zone, example, page.get_by_role("button", name="Look closer")):
        expect(element).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Look closer").click()
    expect(page.get_by_role("img", name=re.compile(f"^{PHOTO}.* 1 "))).to_be_visible()


def test_dropped_files_go_to_their_page(page: Page, app_url: str, astronaut: np.ndarray) -> None:
    photo = encode_png(astronaut)
    drop(page, app_url, ("dropped.png", photo))
    expect(page.get_by_role("heading", level=1)).to_have_text("Photo")
    expect(page.get_by_role("img", name=re.compile("^dropped.png with 1 "))).to_be_visible()
    page.wait_for_url(re.compile(r"\?result="))
    page.get_by_role("button", name="Rotate left").click()  # it stays chosen when something is pressed
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()
    expect(page.get_by_role("img", name=re.compile("^dropped.png with "))).to_be_visible()

    page.get_by_role("link", name="Home", exact=True).click()
    card = page.locator('[class*="st-key-latest"]').filter(has_text="dropped.png")
    card.get_by_role("link").first.click()
    expect(page.get_by_role("img", name=re.compile("^dropped.png with "))).to_be_visible()

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("a.png", photo)
    drop(page, app_url, ("holiday.zip", archive.getvalue()))
    expect(page.get_by_role("heading", level=1)).to_have_text("Many photos")
    page.wait_for_url(re.compile(r"\?result="))


def test_a_video_is_made_ready_and_other_things_are_refused_or_skipped(
    page: Page, app_url: str, tmp_path: Path, astronaut: np.ndarray
) -> None:
    drop(page, app_url, ("notes.txt", b"no video"))
    expect(page.get_by_test_id("stAlert")).to_contain_text("notes.txt")
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Video")
    clip = tmp_path / "clip.mp4"
    write_clip(clip, islice(known_frames(), 30))
    drop(page, app_url, ("a.png", encode_png(astronaut)), ("Thumbs.db", b"x"), ("clip.mp4", clip.read_bytes()))
    expect(page.get_by_test_id("stAlert")).to_contain_text("Thumbs.db, clip.mp4")
    expect(page.get_by_role("img", name=re.compile("^a.png with "))).to_be_visible()
    drop(page, app_url, ("clip.mp4", clip.read_bytes()))
    expect(page.get_by_role("button", name="Analyze", exact=True)).to_be_visible()


def test_a_folder_is_opened_by_its_button(page: Page, app_url: str) -> None:
    page.goto(app_url)
    page.get_by_role("button", name="Open a folder").click()
    expect(page.get_by_role("radio", name="A folder")).to_be_checked()
    expect(page.locator("input[webkitdirectory]")).to_be_attached()


def test_only_one_video_at_a_time(page: Page, app_url: str) -> None:
    drop(page, app_url, *((f"{number}.mp4", b"") for number in range(3)))
    expect(page.get_by_test_id("stAlert")).to_contain_text("3")
