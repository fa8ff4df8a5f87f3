"""Every page as it looks, wide and on a phone, light and dark: nothing overflows, all text can be read."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from fer.images import encode_png
from fer.recognition.photo import recognize_photo
from fer.recognition.recognizer import Recognizer
from fer.results.photo import photo_content
from fer.results.result import PHOTO, VIDEO, Figures
from fer.results.store import ResultStore

WIDE, PHONE = (1280, 900), (390, 844)
CONTRAST = "axe.run({ runOnly: ['color-contrast'], resultTypes: ['violations'], iframes: false })"
"""Of text and what lies behind it: 4.5:1, and 3:1 where it is large (WCAG 2.2, 1.4.3)."""
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
NOT_OURS = ("_stcore/health", "_stcore/host-config", "Unrecognized feature")
"""What Streamlit's own code logs at an address below the first."""
OVERFLOW = """(width) => {
  if (document.documentElement.scrollWidth <= width) return [];
  const all = [...document.querySelectorAll("[data-testid=stMain] *")];
  const wide = all.filter((one) => one.getBoundingClientRect().right > width);
  return wide.map((one) => `${one.tagName} ${one.dataset.testid ?? one.className}`).slice(-3);
}"""


def sample(page: Page) -> None:
    page.get_by_text("Sample", exact=True).click()
    expect(page.locator(".face")).to_have_count(1)
    expect(page.locator(".js-plotly-plot .bars .point")).to_have_count(8)


def kept(page: Page) -> None:
    page.get_by_role("link", name="kept.png").click()
    expect(page.locator(".face")).to_have_count(1)


def webcam(page: Page) -> None:
    page.get_by_text("Everybody in view").click()
    expect(page.frame_locator("iframe").get_by_role("button", name="Start", exact=True)).to_be_visible()


def nothing(page: Page) -> None:
    """The page as it opens."""


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "home": ("", nothing),
    "photo": ("photo", sample),
    "kept photo": ("results", kept),
    "many photos": ("folder", nothing),
    "video": ("video", nothing),
    "webcam": ("webcam", webcam),
    "results": ("results", nothing),
    "training": ("training", nothing),
    "evaluation": ("evaluation", nothing),
    "model card": ("model_card", nothing),
}
"""What is looked at → the page and what is done on it."""


@pytest.fixture(scope="module")
def looked_at(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(60_000)
    context.add_init_script(AXE_SCRIPT)
    expect.set_options(timeout=60_000)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def filled(app_folder: Path, astronaut: np.ndarray) -> None:
    """A photo and a video in the results."""
    store = ResultStore(app_folder / "results")
    recognizer, picture = Recognizer.load(), encode_png(astronaut)
    figures, content = photo_content(
        recognize_photo(recognizer, picture), recognizer.info.labels, 0.5, (".png", picture)
    )
    store.add("", PHOTO, "kept.png", content=content, figures=figures, model="FER+")
    store.add("", VIDEO, "A long name of a video, as cameras and people give them.mp4", figures=Figures(seconds=192))


@pytest.mark.slow
@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("state", STATES)
def test_it_fits_and_is_read(looked_at: Page, app_url: str, state: str, request: pytest.FixtureRequest) -> None:
    page, (address, act) = looked_at, STATES[state]
    errors: list[str] = []

    def log(message: ConsoleMessage) -> None:
        said = f"{message.text} {message.location['url']}"
        if message.type == "error" and not any(known in said for known in NOT_OURS):
            errors.append(said)

    page.on("console", log)
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    page.emulate_media(color_scheme="light")
    page.goto(f"{app_url}/{address}")
    page.locator(IDLE).wait_for()
    act(page)
    page.locator(IDLE).wait_for()
    wrong: list[str] = []
    for width, height in (WIDE, PHONE):
        page.set_viewport_size({"width": width, "height": height})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.wait_for_timeout(200)
            where = f"{width} {scheme}"
            if folder := request.config.getoption("--screenshots"):
                page.screenshot(path=Path(folder) / f"{state}-{where}.png".replace(" ", "-"))
            wrong += [f"{where}: {element} is too wide" for element in page.evaluate(OVERFLOW, width)]
            for rule in page.evaluate(CONTRAST)["violations"]:
                wrong += [f"{where}: {node['html'][:150]}\n  {node['any'][0]['message']}" for node in rule["nodes"]]
    page.remove_listener("console", log)
    assert not wrong, "\n".join(wrong)
    assert errors == []
