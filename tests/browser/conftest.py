"""A running app and a browser to use it with. Without a browser the tests are skipped."""

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from fer.datasets.drawing import draw_portrait
from fer.images import encode_jpeg
from scripts.benchmarks.page import FAKE_CAMERA, chromium, running_app, write_camera

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    *FAKE_CAMERA,
]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", help="a folder for the pictures of each page that test_looks.py looks at")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Function) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the page showed to the report of a failure."""
    report = yield
    if report.when == "call" and report.failed and "page" in item.funcargs:
        page: Page = item.funcargs["page"]
        with suppress(Error):  # the page may be gone
            report.sections.append(("Page", f"{page.url}\n{page.locator('body').aria_snapshot(timeout=5_000)}"))
    return report


@pytest.fixture(scope="session")
def start_browser() -> Iterator[Callable[..., Browser]]:
    """Starts a Chromium: (*more flags, without="a flag of the usual ones") → browser. Tests close it."""
    with sync_playwright() as playwright:

        def start(*more: str, without: str = "") -> Browser:
            flags = [flag for flag in (*FLAGS, *more) if flag != without]
            try:
                return playwright.chromium.launch(executable_path=chromium(), args=flags)
            except Error as error:
                pytest.skip(f"no Chromium to be started: {str(error).splitlines()[0]}")

        yield start


@pytest.fixture(scope="session")
def browser(start_browser: Callable[..., Browser]) -> Iterator[Browser]:
    launched = start_browser()
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def camera_browser(
    start_browser: Callable[..., Browser], tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray
) -> Iterator[Browser]:
    """A browser whose camera shows two seconds of a face that moves."""
    photo = cv2.resize(astronaut, (900, 900), interpolation=cv2.INTER_AREA)
    places = ((round(60 + 40 * np.sin(turn)), round(10 + 10 * np.sin(turn))) for turn in np.arange(60) * 2 * np.pi / 60)
    frames = (photo[y : y + 480, x : x + 640] for x, y in places)
    launched = start_browser(write_camera(tmp_path_factory.mktemp("camera") / "camera.mjpeg", frames))
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app keeps its runs and its data; tests put some there."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def app_url(app_folder: Path) -> Iterator[str]:
    """The address of the app, started as a user starts it, with the model that is shipped and folders of its own."""
    with running_app(app_folder) as url:
        yield url


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Sixty drawn photos of one face each."""
    paths = []
    for number in range(60):
        portrait, _ = draw_portrait(
            "happiness", np.random.default_rng(number), width_px=320, height_px=400, face_height_px=190
        )
        paths.append(tmp_path / f"{number:02}.jpg")
        paths[-1].write_bytes(encode_jpeg(portrait))
    return paths
