"""The photo page as people use it: upload, look, download."""

import csv
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from fer.images import encode_png, read_image
from fer.recognition.recognizer import Recognizer
from pages.parts.samples import SAMPLES
from tests.browser.acting import downloaded, too_wide


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def choose(page: Page, *files: Path) -> None:
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(list(files))


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> Path:
    path = tmp_path / "astronaut.png"
    path.write_bytes(encode_png(astronaut))
    return path


def test_from_home_to_the_downloads(page: Page, app_url: str, photo: Path) -> None:
    outside: list[str] = []
    page.on("request", lambda request: outside.append(request.url) if app_url not in request.url else None)
    open_page(page, app_url)
    expect(page).to_have_title("Home · Expression Studio")
    page.get_by_role("link", name="Photo", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Photo")
    choose(page, photo)
    picture = page.get_by_role("img", name="astronaut.png with 1 face marked")
    expect(picture).to_be_visible()
    page.wait_for_function("picture => picture.naturalWidth > 2", arg=picture.element_handle())
    expect(page.locator(".js-plotly-plot .bars .point")).to_have_count(8)

    (expected,) = Recognizer.load().recognize(read_image(photo))
    (record,) = json.loads(downloaded(page, "All figures (JSON)"))
    assert record["path"] == "astronaut.png"
    (face,) = record["faces"]
    assert face["label"] == expected.label
    np.testing.assert_allclose(list(face["probabilities"].values()), expected.probabilities, atol=1e-5)
    np.testing.assert_allclose(face["box"], expected.box.xyxy, atol=1e-3)
    (row,) = csv.DictReader(io.StringIO(downloaded(page, "Table (CSV)").decode()))
    assert row["label"] == expected.label
    annotated = read_image(downloaded(page, "Annotated photo"))
    assert annotated.shape == (512, 512, 3)
    drawn = np.abs(annotated.astype(int) - read_image(photo)).max(axis=-1) > 60  # more than JPEG does
    assert drawn.sum() > 500
    assert [url for url in outside if not url.startswith(("data:", "blob:"))] == []


def test_bad_files_are_named_and_nothing_is_lost(page: Page, app_url: str, photo: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("no picture")
    open_page(page, f"{app_url}/photo")
    choose(page, photo, bad)
    expect(page.get_by_role("img", name="astronaut.png with 1 face marked")).to_be_visible()
    expect(page.get_by_test_id("stAlert")).to_contain_text("bad.jpg")


def test_wrong_suffix_is_refused_by_the_uploader(page: Page, app_url: str, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    open_page(page, f"{app_url}/photo")
    choose(page, text)
    expect(page.get_by_test_id("stFileUploader")).to_contain_text("not allowed")


def test_samples(page: Page, app_url: str) -> None:
    open_page(page, f"{app_url}/photo")
    page.get_by_text("Sample", exact=True).click()
    for sample, faces in zip(SAMPLES, (1, 1, 1, 6), strict=True):
        page.get_by_test_id("stButtonGroup").get_by_text(sample, exact=True).click()
        expect(page.get_by_role("img", name=re.compile(f"^{sample}.* {faces} "))).to_be_visible()


def test_camera_snapshot_has_all_pixels_of_the_camera(page: Page, app_url: str) -> None:
    open_page(page, f"{app_url}/photo")
    page.get_by_text("Camera", exact=True).click()
    page.wait_for_function("() => (document.querySelector('video')?.videoWidth ?? 0) > 2")  # the camera runs
    width, height = page.evaluate(
        "(({ videoWidth, videoHeight }) => [videoWidth, videoHeight])(document.querySelector('video'))"
    )
    assert height >= 720, "the fake camera offers more than a widget's width"
    page.get_by_role("button", name="Take Photo").click()
    expect(
        page.get_by_role("img", name="snapshot.jpg with no face marked")
    ).to_be_visible()  # the fake camera's pattern
    expect(page.get_by_text(f"{width} × {height} ")).to_be_visible()


def test_phone(context: BrowserContext, app_url: str, photo: Path) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    open_page(page, f"{app_url}/photo")
    choose(page, photo)
    picture = page.get_by_role("img", name="astronaut.png with 1 face marked")
    expect(picture).to_be_visible()
    box = picture.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390
    assert too_wide(page) == []


def test_pictures_go_with_their_source(page: Page, app_url: str, photo: Path) -> None:
    """A hidden uploader once kept showing pictures that nobody could remove."""
    open_page(page, f"{app_url}/photo")
    choose(page, photo)
    expect(page.get_by_role("img", name="astronaut.png with 1 face marked")).to_be_visible()
    page.get_by_text("Camera", exact=True).click()
    expect(page.get_by_test_id("stCameraInput")).to_be_visible()
    page.get_by_text("Upload", exact=True).first.click()
    expect(page.get_by_test_id("stFileUploader")).to_be_visible()
    expect(page.get_by_role("img", name="astronaut.png with 1 face marked")).to_have_count(0)
