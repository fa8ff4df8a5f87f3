"""A running app and a browser to use it with. Without a browser the tests are skipped; in CI they fail then."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@pytest.fixture(scope="session")
def start_browser() -> Iterator[Callable[..., Browser]]:
    """Starts a Chromium: (*more flags, without="a flag of the usual ones") → browser. Tests close it."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as playwright:

        def start(*more: str, without: str = "") -> Browser:
            flags = [flag for flag in (*FLAGS, *more) if flag != without]
            try:
                return playwright.chromium.launch(executable_path=found, args=flags)
            except Error as error:
                if os.environ.get("CI"):
                    raise
                pytest.skip(f"no Chromium to be started: {str(error).splitlines()[0]}")

        yield start


@pytest.fixture(scope="session")
def browser(start_browser: Callable[..., Browser]) -> Iterator[Browser]:
    launched = start_browser()
    yield launched
    launched.close()


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app, started as a user starts it, with the model that is shipped and folders of its own."""
    place = tmp_path_factory.mktemp("app")
    os.environ |= {"FER_RUNS": str(place / "runs"), "FER_DATA": str(place / "data")}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    log = place / "log.txt"
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.port", str(port)]
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait_for(f"{url}/_stcore/health", server, log)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        del os.environ["FER_RUNS"], os.environ["FER_DATA"]


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                if answer.read() == b"ok":
                    return
        except OSError:
            pass
        if server.poll() is not None:
            break
        time.sleep(0.5)
    raise RuntimeError(f"the app did not start:\n{log.read_text()}")


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
