"""The explanation of a face's expression, opened with a click."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from fer.draw.picture import HEAT_PX, viridis
from fer.images import encode_png, read_image
from tests.browser.acting import too_wide

SHOWN = "picture => picture.complete && picture.naturalWidth > 0"


def choose_astronaut(page: Page, url: str, folder: Path, astronaut: np.ndarray) -> None:
    path = folder / "astronaut.png"
    path.write_bytes(encode_png(astronaut))
    page.goto(f"{url}/photo")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(path)
    expect(page.get_by_role("img", name=re.compile(r"^astronaut\.png .*\b1\b"))).to_be_visible()


def test_a_click_shows_the_heat_map(page: Page, app_url: str, tmp_path: Path, astronaut: np.ndarray) -> None:
    choose_astronaut(page, app_url, tmp_path, astronaut)
    why = page.get_by_text(re.compile(r"^\w+ happiness\?$"))
    expect(why).to_be_visible()
    heat = page.get_by_role("img", name=re.compile("happiness$"))
    expect(heat).to_have_count(0)
    annotated = page.get_by_role("img", name=re.compile(r"^astronaut\.png .*\b1\b")).get_attribute("src")
    why.click()
    expect(heat).to_be_visible()
    page.wait_for_function(SHOWN, arg=heat.element_handle())
    assert heat.evaluate("picture => picture.naturalWidth") == HEAT_PX
    box = heat.bounding_box()
    assert box and box["width"] >= 200 and box["width"] == pytest.approx(box["height"], abs=1)
    seen = read_image(heat.screenshot()).reshape(-1, 3).astype(int)
    yellow = (seen[:, 0] > 130) & (seen[:, 1] > 130) & (seen[:, 2] < 130)
    assert 0.01 < yellow.mean() < 0.3, "something is bright, most is not"
    legend = page.locator("[style*='linear-gradient']")
    expect(legend).to_be_visible()  # a style that Streamlit refuses would leave nothing to see
    brightest = "rgb({}, {}, {})".format(*viridis(np.ones((1, 1)))[0, 0])
    assert brightest in legend.evaluate("bar => getComputedStyle(bar).backgroundImage")
    assert page.get_by_role("img", name=re.compile(r"^astronaut\.png .*\b1\b")).get_attribute("src") == annotated
    why.click()
    expect(heat).to_be_hidden()


def test_on_a_phone_it_fits(context: BrowserContext, app_url: str, tmp_path: Path, astronaut: np.ndarray) -> None:
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    choose_astronaut(page, app_url, tmp_path, astronaut)
    page.get_by_text(re.compile(r"^\w+ happiness\?$")).click()
    heat = page.get_by_role("img", name=re.compile("happiness$"))
    expect(heat).to_be_visible()
    box = heat.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["width"] >= 200
    assert too_wide(page) == []
