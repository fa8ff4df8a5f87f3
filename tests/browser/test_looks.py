"""Every page as it looks, wide and on a phone, light and dark: nothing overflows, all text can be read."""

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from tests.browser.acting import act, compare, errors_of, settled, too_wide
from tests.browser.content import (
    RUNS,
    fill_photos,
    fill_reports,
    fill_results,
    fill_runs,
    fill_video,
    going_on,
    write_person,
)

WIDE, PHONE = (1280, 900), (390, 844)
CONTRAST = """axe.run({
  runOnly: ["color-contrast"],
  resultTypes: ["violations"],
  iframes: false,
  checks: { "color-contrast": { options: { contrastRatio: { large: { expected: 4.5 } } } } },
})"""
"""Between text, however large, and its background: 4.5:1."""
CHARTS = """() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = (color) => {
    const linear = (one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = numbers(color).map((one) => linear(one / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = light(getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor);
  const texts = [...document.querySelectorAll(".js-plotly-plot text")];
  const onPage = texts.filter((one) => one.textContent && !one.closest(".heatmaplayer, .hoverlayer, .bartext-inside"));
  const faint = onPage.map((one) => {
    const { fill, fillOpacity } = getComputedStyle(one), front = light(fill);
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    return ratio < 4.5 || fillOpacity < 1 ? `${one.textContent} ${fill} ${fillOpacity} ${ratio.toFixed(1)}` : "";
  });
  return faint.filter(Boolean).slice(0, 5);
}"""
"""The texts of charts that have less than 4.5:1 before the page; those on bars and fields are measured without it."""
PAINTED = "scheme => getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === scheme"
RESTED = "() => !document.getAnimations().some((one) => one instanceof CSSTransition && one.playState === 'running')"
"""Whether the page has the colors of a scheme, and whether none is still on its way to it."""
FOCUS = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  const { outlineStyle, outlineWidth } = getComputedStyle(one);
  return [one.tagName, outlineStyle === "none" ? 0 : parseFloat(outlineWidth)];
}"""
"""What has the focus, and how wide the line around it is, in pixels."""
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'


def sample(page: Page) -> None:
    page.get_by_text("Sample", exact=True).click()
    expect(page.locator(".face")).to_have_count(1)
    expect(page.locator(".js-plotly-plot .bars .point")).to_have_count(8)


def twelve(page: Page) -> None:
    page.get_by_role("link", name="twelve.png").click()
    expect(page.locator(".face")).to_have_count(12)


def many_photos(page: Page) -> None:
    page.get_by_role("link", name="Holiday", exact=True).click()
    expect(page.locator(".groups .tile")).to_have_count(30)


def linked(page: Page) -> None:
    act(page, "Holiday", "Share")
    link, create = page.get_by_test_id("stCode"), page.get_by_role("button", name="Create link")
    expect(link.or_(create)).to_be_visible()
    if create.is_visible():
        create.click()
    page.goto(link.inner_text().strip())
    expect(page.get_by_role("heading", level=1)).to_have_text("Holiday")
    expect(page.locator(".groups .tile")).to_have_count(30)


def chosen(page: Page) -> None:
    for name in ("kept.png", "Holiday"):
        settled(page)
        page.get_by_role("checkbox", name=f"Select {name}", exact=True).check()
    expect(page.get_by_role("button", name="Export (ZIP)")).to_be_visible()


def dialog(action: str) -> Callable[[Page], None]:
    """Return what opens the dialog of an action in the list of results."""

    def open_dialog(page: Page) -> None:
        act(page, "kept.png", action)
        expect(page.get_by_role("dialog").get_by_role("button")).to_have_count(2)

    return open_dialog


def models_compared(page: Page) -> None:
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("combobox", name="Compare with").click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")
    settled(page)
    page.get_by_text("Sample", exact=True).click()
    expect(page.get_by_role("table")).to_be_visible()


def video_people(page: Page) -> None:
    page.get_by_role("link", name="two.mp4", exact=True).first.click()
    expect(page.get_by_role("slider", name="Position in the video")).to_be_visible()
    page.get_by_text("People", exact=True).click()
    expect(page.get_by_label("Name of person 3")).to_be_visible()


def video_correction(page: Page) -> None:
    video_people(page)
    page.get_by_role("button", name=re.compile("person 1: surprise")).click()
    page.get_by_role("button", name="Not right?").first.click()
    expect(page.get_by_test_id("stPopoverBody").get_by_role("radio")).to_have_count(8)


def webcam(page: Page) -> None:
    expect(page.frame_locator("iframe").get_by_role("button", name="Start", exact=True)).to_be_visible()


def webcam_running(page: Page) -> None:
    webcam(page)
    page.frame_locator("iframe").get_by_role("button", name="Start", exact=True).click()
    expect(page.locator(".js-plotly-plot .scatterlayer .trace").first).to_be_attached()  # a flat line has no height


def recorded(page: Page) -> None:
    webcam_running(page)
    expect(page.get_by_test_id("stMetric").filter(has_text="Faces in view")).to_contain_text("1")
    page.frame_locator("iframe").get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("heading", name="Recording", exact=True)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(3)


def new_training(page: Page) -> None:
    page.get_by_text("New training", exact=True).click()
    page.get_by_text("Drawn faces", exact=True).click()
    expect(page.get_by_role("button", name="Start training")).to_be_enabled()


def training_running(page: Page) -> None:
    expect(page.get_by_role("button", name="Stop", exact=True)).to_be_visible()
    expect(page.locator(".js-plotly-plot")).to_have_count(4)


def training_done(page: Page) -> None:
    page.get_by_text("Runs", exact=True).click()
    page.get_by_role("combobox", name="Runs", exact=True).click()
    page.get_by_role("option", name="faces · ").click()
    expect(page.locator(".js-plotly-plot")).to_have_count(4)
    settled(page)
    page.get_by_role("combobox", name="Other runs in the charts").click()
    page.get_by_role("option").first.click()
    page.keyboard.press("Escape")


def part(name: str, charts: int) -> Callable[[Page], None]:
    """Return what opens a part of the report of a model."""

    def open_part(page: Page) -> None:
        page.get_by_role("radiogroup", name="Part").get_by_text(name, exact=True).click()
        expect(page.locator(".js-plotly-plot")).to_have_count(charts)

    return open_part


def mistakes(page: Page) -> None:
    page.get_by_role("button", name=re.compile("fear predicted as surprise")).click()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()


def comparison(page: Page) -> None:
    compare(page, RUNS)


def evaluate(page: Page) -> None:
    page.get_by_text("Evaluate", exact=True).click()
    expect(page.get_by_role("combobox", name="Split")).to_be_visible()


def data_set(page: Page) -> None:
    page.get_by_text("Data set", exact=True).click()
    page.get_by_text("Drawn faces", exact=True).click()
    expect(page.locator(".js-plotly-plot")).to_have_count(1)


def nothing(page: Page) -> None:
    """The page as it opens."""


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "home": ("", nothing),
    "photo": ("photo", sample),
    "models compared": ("photo", models_compared),
    "twelve faces": ("results", twelve),
    "many photos": ("results", many_photos),
    "many photos by a link": ("results", linked),
    "video": ("video", nothing),
    "video people": ("results", video_people),
    "video correction": ("results", video_correction),
    "webcam": ("webcam", webcam),
    "webcam running": ("webcam", webcam_running),
    "webcam recording": ("webcam", recorded),
    "results": ("results", nothing),
    "results selected": ("results", chosen),
    "result renamed": ("results", dialog("Rename")),
    "result shared": ("results", dialog("Share")),
    "training": ("training", new_training),
    "training running": ("training", training_running),
    "training done": ("training", training_done),
    "mistakes": ("evaluation", mistakes),
    "expressions": ("evaluation", part("Expressions", 3)),
    "confidence": ("evaluation", part("Confidence", 1)),
    "people": ("evaluation", part("People", 2)),
    "robustness": ("evaluation", part("Robustness", 1)),
    "downloads": ("evaluation", part("Details and downloads", 1)),
    "comparison": ("evaluation", comparison),
    "evaluate": ("evaluation", evaluate),
    "data set": ("evaluation", data_set),
    "model card": ("model_card", nothing),
}
"""What the test opens → the page and what is done on it."""


@pytest.fixture(scope="module")
def looked_at(camera_browser: Browser) -> Iterator[Page]:
    context = camera_browser.new_context()
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def filled(app_folder: Path, astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Something to look at on every page."""
    fill_results(app_folder / "results", astronaut)
    fill_photos(app_folder / "data/collections", astronaut)
    fill_video(app_folder / "data/videos", write_person(tmp_path_factory.mktemp("clip") / "two.mp4"))
    fill_reports(app_folder / "runs")
    fill_runs(app_folder / "runs")
    yield
    shutil.rmtree(app_folder / "runs")


@pytest.mark.slow
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("state", STATES)
def test_it_fits_and_is_read(
    looked_at: Page, app_url: str, app_folder: Path, state: str, request: pytest.FixtureRequest
) -> None:
    page, (address, open_state) = looked_at, STATES[state]
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.emulate_media(color_scheme="light")
    with going_on(app_folder / "runs") if state == "training running" else nullcontext(), errors_of(page) as errors:
        page.goto(f"{app_url}/{address}")
        page.locator(IDLE).wait_for()
        open_state(page)
        page.locator(IDLE).wait_for()
        wrong = wrong_with(page, state, request.config.getoption("--screenshots"))
    assert not wrong, "\n".join(wrong)
    assert errors == []


def wrong_with(page: Page, state: str, screenshots: str | None) -> list[str]:
    """Return what is too wide or cannot be read, wide and on a phone, light and dark."""
    wrong: list[str] = []
    for width, height in (WIDE, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(PAINTED, arg=scheme)
            where = f"{width} {scheme}"
            if screenshots:
                page.screenshot(path=Path(screenshots) / f"{state}-{where}.png".replace(" ", "-"))
            wrong += [f"{where}: {element} is too wide" for element in too_wide(page)]
            wrong += [f"{where}: {text}" for text in (*faint(page), *page.evaluate(CHARTS))]
    return wrong


def faint(page: Page) -> list[str]:
    """Return the texts, but those of charts, with less than 4.5:1, on the page and in its frames."""
    nodes = []
    for frame in page.frames:
        frame.wait_for_function(RESTED)
        frame.evaluate(AXE_SCRIPT)
        nodes += [node for rule in frame.evaluate(CONTRAST)["violations"] for node in rule["nodes"]]
    return [f"{node['html'][:150]}\n  {node['any'][0]['message']}" for node in nodes]


@pytest.mark.slow
def test_what_sticks_out_is_faint_or_thrown_is_found(looked_at: Page, app_url: str) -> None:
    page = looked_at
    with errors_of(page) as errors:
        page.goto(f"{app_url}/photo")
        page.locator(IDLE).wait_for()
        assert too_wide(page) == faint(page) == errors == []
        page.evaluate("""() => {
          document.querySelector("[data-testid=stMainBlockContainer]").insertAdjacentHTML("beforeend",
            `<hr style="width: 2000px"><h1 style="color: #888; background: #fff; font-size: 40px">Large</h1>
            <iframe srcdoc="<p style='color: #888'>Framed</p>"></iframe>`);
          setTimeout(() => { throw new Error("uncaught"); });
        }""")
        assert "HR null" in too_wide(page)
        expect(page.frame_locator("iframe").get_by_text("Framed")).to_be_visible()
        large, framed = faint(page)
    (error,) = errors
    assert "Large" in large and "Framed" in framed and "uncaught" in error


@pytest.mark.slow
@pytest.mark.parametrize("address", ["", "training", "evaluation"])
def test_whoever_uses_the_keyboard_sees_where_they_are(looked_at: Page, app_url: str, address: str) -> None:
    page = looked_at
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.goto(f"{app_url}/{address}")
    page.locator(IDLE).wait_for()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    seen = []
    for _ in range(16):
        page.keyboard.press("Tab")
        seen.append(tuple(page.evaluate(FOCUS)))
    pressed = [width for tag, width in seen if tag in ("A", "BUTTON", "SUMMARY")]
    assert len(pressed) > 10 and min(pressed) >= 2, seen
