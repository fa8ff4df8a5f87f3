"""The picture with its faces: zoomed and selected with mouse, touch and keyboard; and pasting a picture."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from fer.images import encode_png
from tests.browser.acting import errors_of, settled, too_wide
from tests.scripts.processes import wait_until

SCRIPT = Path(__file__).parents[2] / "pages/parts/picture_viewer.js"
PLACES = """async ([source, cases]) => {
  const { place } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  return cases.map((one) => place(...one) ?? null);
}"""
COVERED = """(stage) => {
  const area = (one) => one.getBoundingClientRect(), seen = (one) => one.offsetParent;
  const faces = [...stage.querySelectorAll(".face")].map(area);
  const tags = [...stage.querySelectorAll(".tag:not(.dot)")].filter(seen).map(area);
  const overlap = (a, b) =>
    a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  const inside = (one) => one.left >= area(stage).left - 1 && one.right <= area(stage).right + 1;
  return [tags.length, tags.filter((tag) => faces.some((face) => overlap(tag, face)) || !inside(tag)).length];
}"""


@pytest.fixture(scope="module")
def crowd(astronaut: np.ndarray) -> Callable[[int, int], bytes]:
    """Makes a PNG picture with (rows, columns) of people."""
    head = astronaut[:300, 75:375][::2, ::2]
    return lambda rows, columns: encode_png(np.ascontiguousarray(np.tile(head, (rows, columns, 1))))


def show(page: Page, url: str, picture: bytes, faces: int) -> Locator:
    """Upload a picture, wait for its faces, and return the stage."""
    page.goto(f"{url}/photo")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
        {"name": "crowd.png", "mimeType": "image/png", "buffer": picture}
    )
    expect(page.locator(".face")).to_have_count(faces)
    stage = page.locator(".stage")
    expect(stage).to_be_visible()
    page.wait_for_function("stage => stage.querySelector('img').naturalWidth > 0", arg=stage.element_handle())
    return stage


def face(page: Page, number: int) -> Locator:
    return page.locator(".face").nth(number - 1)


def expect_card(page: Page, number: int) -> None:
    """Expect a face to be selected in the picture, among the tiles and in the card."""
    expect(page.get_by_role("img", name=re.compile(f"^face {number} "))).to_be_visible()  # what the network saw
    for buttons in (page.locator(".face"), page.locator(".tile")):
        expect(buttons.and_(page.locator("[aria-pressed=true]"))).to_have_count(1)
        expect(buttons.nth(number - 1)).to_have_attribute("aria-pressed", "true")


def middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def zoom_of(page: Page) -> float:
    """Return the zoom factor of the picture."""
    widths: list[float] = page.locator(".stage").evaluate(
        "stage => [stage.querySelector('img').offsetWidth, stage.clientWidth]"
    )
    return widths[0] / widths[1]


def test_labels_avoid_faces_and_each_other(page: Page) -> None:
    own, room = [100, 100, 200, 200], [400, 300]
    above, below = [90, 10, 330, 98], [90, 202, 330, 290]
    cases: list[list[Any]] = [
        [[120, 20], own, room, [own]],
        [[120, 20], own, room, [own, above]],
        [[120, 20], own, room, [own, above, below]],
        [[80, 20], own, room, [own, above, below, [203, 90, 400, 210]]],
        [[120, 20], own, room, [own, above, below, [203, 90, 400, 210]]],
        [[120, 20], [350, 30, 390, 60], room, []],
        [[500, 20], own, room, [own]],
    ]
    assert page.evaluate(PLACES, [SCRIPT.read_text(encoding="utf-8"), cases]) == [
        [100, 77, 220, 97],
        [100, 203, 220, 223],
        [203, 100, 323, 120],
        [17, 100, 97, 120],
        None,
        [280, 7, 400, 27],
        None,
    ]


def test_a_click_or_a_key_selects_a_face(page: Page, app_url: str, crowd: Callable[[int, int], bytes]) -> None:
    show(page, app_url, crowd(2, 3), 6)
    expect_card(page, 1)
    face(page, 5).click()
    expect_card(page, 5)
    page.locator(".tile").nth(1).click()
    expect_card(page, 2)
    face(page, 2).focus()
    page.keyboard.press("ArrowRight")
    expect(face(page, 3)).to_be_focused()
    assert face(page, 3).evaluate("button => getComputedStyle(button).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect_card(page, 3)
    expect(face(page, 3)).to_be_focused()
    page.keyboard.press("End")
    expect(face(page, 6)).to_be_focused()
    page.keyboard.press("Space")
    expect_card(page, 6)


def test_each_group_is_one_stop_of_the_tab_key(page: Page, app_url: str, crowd: Callable[[int, int], bytes]) -> None:
    stage = show(page, app_url, crowd(2, 3), 6)
    stage.focus()
    for expected in ("face", "out", "in", "fit", "tile"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.shadowRoot.activeElement.className").split()[0] == expected
    names = [button.get_attribute("aria-label") or "" for button in page.locator(".face").all()]
    assert [re.findall(r"\d+", name)[0] for name in names] == list("123456")


def test_zooming_and_moving(page: Page, app_url: str, crowd: Callable[[int, int], bytes]) -> None:
    stage = show(page, app_url, crowd(2, 3), 6)
    stage.scroll_into_view_if_needed()
    assert zoom_of(page) == pytest.approx(1, abs=0.01)
    before = middle(face(page, 5))
    page.mouse.move(*before)
    page.wait_for_timeout(400)  # the page has come to rest
    page.mouse.wheel(0, -200)
    page.wait_for_function(
        "stage => stage.querySelector('img').offsetWidth > 1.3 * stage.clientWidth", arg=stage.element_handle()
    )
    assert middle(face(page, 5)) == pytest.approx(before, abs=3), "what is under the pointer stays there"
    zoomed = zoom_of(page)
    page.get_by_role("button", name="Zoom in").click()
    assert zoom_of(page) > zoomed

    x, y = middle(stage)
    was = middle(face(page, 5))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 20, steps=4)
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    assert np.subtract(middle(face(page, 5)), was) == pytest.approx((60, 40), abs=8)
    expect_card(page, 1)  # a drag is no click

    stage.focus()
    was = middle(face(page, 5))
    page.keyboard.press("ArrowRight")
    assert middle(face(page, 5))[0] < was[0] - 20
    page.keyboard.press("Escape")
    assert zoom_of(page) == pytest.approx(1, abs=0.01)
    page.keyboard.press("+")
    assert zoom_of(page) > 1.1
    page.get_by_role("button", name="Fit").click()
    assert zoom_of(page) == pytest.approx(1, abs=0.01)


def test_focusing_a_hidden_face_scrolls_to_it(page: Page, app_url: str, crowd: Callable[[int, int], bytes]) -> None:
    stage = show(page, app_url, crowd(2, 3), 6)
    for _ in range(3):
        page.get_by_role("button", name="Zoom in").click()
    face(page, 1).focus()
    page.keyboard.press("End")
    place, room = face(page, 6).bounding_box(), stage.bounding_box()
    assert place and room
    assert room["x"] - 1 <= place["x"] and place["x"] + place["width"] <= room["x"] + room["width"] + 1
    assert room["y"] - 1 <= place["y"] and place["y"] + place["height"] <= room["y"] + room["height"] + 1


@pytest.mark.parametrize("width", [1280, 390])
def test_labels_cover_no_face_and_nothing_overflows(
    page: Page, app_url: str, crowd: Callable[[int, int], bytes], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    with errors_of(page) as errors:
        stage = show(page, app_url, crowd(2, 3), 6)
        assert stage.evaluate(COVERED)[1] == 0
    assert too_wide(page) == [] and errors == []


def test_a_crowd_has_dots_whose_labels_appear_on_hover(
    page: Page, app_url: str, crowd: Callable[[int, int], bytes]
) -> None:
    stage = show(page, app_url, crowd(5, 8), 40)
    expect(page.locator(".tag.dot")).to_have_count(39)  # the chosen one has its label
    gallery = page.locator(".gallery").bounding_box()
    assert gallery and gallery["height"] < 1200, "a gallery, no endless list"
    expect(page.locator(".tile")).to_have_count(40)
    assert stage.evaluate(COVERED)[1] <= 1
    face(page, 22).hover()
    tag = page.locator(".tag").nth(21)
    expect(tag).to_have_text(re.compile("^22 .*%"))
    page.mouse.move(5, 5)
    expect(tag).to_have_text("22")


def test_fingers_zoom_and_move(browser: Browser, app_url: str, crowd: Callable[[int, int], bytes]) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.set_default_timeout(60_000)
    page = context.new_page()
    stage = show(page, app_url, crowd(2, 3), 6)
    stage.scroll_into_view_if_needed()
    x, y = middle(stage)
    touch = context.new_cdp_session(page)
    for kind, apart in (("touchStart", 30), ("touchMove", 45), ("touchMove", 60), ("touchMove", 75), ("touchEnd", 0)):
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function(
        "stage => stage.querySelector('img').offsetWidth > 1.5 * stage.clientWidth", arg=stage.element_handle()
    )
    settled(page)  # a tap right after the fingers would belong to their gesture
    page.get_by_role("button", name="Fit").tap()
    page.wait_for_function(
        "stage => stage.querySelector('img').offsetWidth <= stage.clientWidth + 1", arg=stage.element_handle()
    )
    face(page, 4).tap()
    expect_card(page, 4)
    context.close()


def test_a_picture_is_pasted(browser: Browser, app_url: str, astronaut: np.ndarray) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(60_000)
    page = context.new_page()
    page.goto(f"{app_url}/photo")
    button = page.get_by_role("button", name="Paste a photo")
    expect(button).to_be_visible()
    copy = """async (bytes) => {
      const blob = new Blob([new Uint8Array(bytes)], { type: "image/png" });
      await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
    }"""
    page.evaluate(copy, list(encode_png(np.ascontiguousarray(astronaut[:256, 96:352]))))
    button.click()
    expect(page.get_by_role("img", name=re.compile(r"^pasted.*\.png .*\b1\b"))).to_have_count(1)
    page.keyboard.press("Control+V")
    expect(page.get_by_role("img", name=re.compile(r"^pasted.*\.png .*\b1\b"))).to_have_count(2)
    page.evaluate("navigator.clipboard.writeText('no picture')")
    button.click()
    expect(page.locator("[role=status]").filter(has_text=re.compile("."))).to_be_visible()
    context.close()


def test_a_picture_is_rotated(page: Page, app_url: str, astronaut: np.ndarray) -> None:
    lying = encode_png(np.ascontiguousarray(np.rot90(astronaut[:400, 60:380])))
    stage = show(page, app_url, lying, 1)
    for expected in (320 / 400, 400 / 320, 320 / 400):  # at first by itself
        found = "picture => picture.offsetWidth / picture.offsetHeight"
        wait_until(lambda: abs(stage.locator("img").evaluate(found) - expected) < 0.02)  # noqa: B023
        expect(page.locator(".face")).to_have_count(1)
        page.get_by_role("button", name="Rotate left").click()
