"""The player and its timeline are one: the cursor follows, the chart leads; chapters, markers, people."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from fer.video.notes import read_notes
from fer.video.timeline import Correction
from tests.browser.acting import downloaded, settled, too_wide
from tests.browser.content import fill_video, write_person
from tests.scripts.processes import wait_until


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_person(tmp_path_factory.mktemp("clip") / "two.mp4")


@pytest.fixture
def job(app_folder: Path, clip: Path) -> Path:
    """The folder of a video that was analyzed: two people, and a second box on the face of the first one."""
    return fill_video(app_folder / "data" / "videos", clip)


def opened(page: Page, url: str, job: Path) -> Locator:
    """Open a job and return its chart, when the player has its video."""
    page.goto(f"{url}/video?job={job.name}")
    chart = page.get_by_role("slider", name="Position in the video")
    expect(chart).to_be_visible()
    if list(job.glob("*.mp4")):
        page.wait_for_function("video => video.readyState >= 2", arg=page.locator("video").element_handle())
    return chart


def seconds_of(chart: Locator) -> float:
    return float(chart.get_attribute("aria-valuenow") or "nan")


def played(page: Page) -> float:
    """Return where the player is, in seconds."""
    return float(page.locator("video").evaluate("video => video.currentTime"))


def click(page: Page, chart: Locator, share: float) -> None:
    place = chart.bounding_box()
    assert place
    page.mouse.click(place["x"] + share * place["width"], place["y"] + 10)


def test_the_chart_leads_the_player_and_the_cursor_follows_it(page: Page, app_url: str, job: Path) -> None:
    chart = opened(page, app_url, job)
    now = page.locator(".now")
    click(page, chart, 0.45)
    expect(now).to_contain_text("happiness 80 %")
    expect(now).to_contain_text("anger 80 %")
    assert seconds_of(chart) == pytest.approx(4.5, abs=0.1)
    wait_until(lambda: played(page) == pytest.approx(4.5, abs=0.1))
    chart.focus()
    for key, expected in (("ArrowRight", 5.5), ("PageDown", 0), ("End", 10), ("ArrowLeft", 9), ("Home", 0)):
        page.keyboard.press(key)
        assert seconds_of(chart) == pytest.approx(expected, abs=0.1)
        wait_until(lambda: played(page) == pytest.approx(expected, abs=0.1))  # noqa: B023
    place = chart.bounding_box()
    assert place
    page.mouse.move(place["x"] + 0.2 * place["width"], place["y"] + 10)
    page.mouse.down()
    page.mouse.move(place["x"] + 0.8 * place["width"], place["y"] + 10, steps=3)
    page.mouse.up()
    assert seconds_of(chart) == pytest.approx(8, abs=0.1)
    expect(page.locator(".tip")).to_contain_text("0:08.0")
    expect(page.locator(".tip")).to_contain_text("surprise 80 %")
    page.locator("video").evaluate("video => { video.muted = true; video.currentTime = 1; return video.play(); }")
    page.wait_for_function(
        "([cursor, from]) => parseFloat(cursor.style.left) > from && parseFloat(cursor.style.left) < 75",
        arg=[page.locator(".cursor").element_handle(), 11.0],
    )
    page.locator("video").evaluate("video => video.pause()")
    wait_until(lambda: seconds_of(chart) == pytest.approx(played(page), abs=0.1))


def test_chapters_and_markers_are_buttons(page: Page, app_url: str, job: Path) -> None:
    chart = opened(page, app_url, job)
    chapters = page.locator(".chapters .go")
    expect(chapters).to_have_count(5)  # the ghost has none
    page.get_by_role("button", name=re.compile("person 1: surprise")).focus()
    page.keyboard.press("Enter")
    assert seconds_of(chart) == pytest.approx(6, abs=0.1)
    expect(page.locator(".chapters [aria-current=true]")).to_contain_text("surprise")
    page.get_by_label("Marker text").fill("the <b>joke</b>")
    page.keyboard.press("Enter")
    expect(chapters).to_have_count(6)
    (marker,) = read_notes(job).markers
    assert marker.text == "the <b>joke</b>" and marker.seconds == pytest.approx(6, abs=0.1)
    page.reload()
    expect(chapters).to_have_count(6)
    assert "• the <b>joke</b>" in downloaded(page, "Subtitles (SRT)").decode()
    page.get_by_role("button", name="Delete marker").click()
    expect(chapters).to_have_count(5)
    assert not read_notes(job).markers


def test_a_reading_is_corrected_where_the_player_rests(page: Page, app_url: str, job: Path) -> None:
    chart = opened(page, app_url, job)
    click(page, chart, 0.455)
    expect(page.get_by_text("At 0:04")).to_be_visible()
    page.get_by_role("button", name="Not right?").first.click()
    labels = page.get_by_test_id("stPopoverBody").get_by_role("radio")
    expect(labels).to_have_count(8)  # those of the moment before are gone
    settled(page)
    labels.filter(has_text="fear").click()
    expect(page.locator(".now")).to_contain_text("corrected to fear")
    expect(page.locator(".band .corrected")).to_have_count(1)
    assert read_notes(job).corrections == (Correction(45, 1, "fear"),)
    settled(page)
    labels.filter(has_text="happiness").click()
    expect(page.locator(".now")).to_contain_text("confirmed")
    page.keyboard.press("Escape")
    chart.press("Home")
    expect(page.locator(".now")).not_to_contain_text("confirmed")


def test_people_are_named_merged_and_hidden_in_the_chart(page: Page, app_url: str, job: Path) -> None:
    opened(page, app_url, job)
    names = page.locator("button.name")
    expect(names).to_have_text(["person 1", "person 2", "person 3"])
    names.nth(1).click()
    expect(names.nth(1)).to_have_attribute("aria-pressed", "true")
    page.get_by_text("People", exact=True).click()
    page.get_by_label("Name of person 2").fill("Ada")
    page.keyboard.press("Enter")
    expect(names).to_have_text(["person 1", "Ada", "person 3"])
    settled(page)
    page.get_by_role("button", name="Hide").nth(2).click()
    expect(names).to_have_text(["person 1", "Ada"])
    page.get_by_role("button", name="Undo the last change").click()
    expect(names).to_have_text(["person 1", "Ada", "person 3"])
    assert read_notes(job).names == {2: "Ada"}


def test_without_a_video_the_timeline_works_alone(page: Page, app_url: str, job: Path) -> None:
    for video in job.glob("*.mp4"):
        video.unlink()
    chart = opened(page, app_url, job)
    expect(page.locator("video")).to_be_hidden()
    click(page, chart, 0.45)
    expect(page.locator(".now")).to_contain_text("happiness 80 %")
    page.keyboard.press("ArrowRight")
    assert seconds_of(chart) == pytest.approx(5.5, abs=0.1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows_on_a_phone(browser: Browser, app_url: str, job: Path, scheme: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)  # type: ignore[arg-type]
    context.set_default_timeout(60_000)
    page = context.new_page()
    opened(page, app_url, job)
    assert too_wide(page) == []
    context.close()
