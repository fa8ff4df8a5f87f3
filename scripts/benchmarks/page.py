"""How long the evaluation page takes to open, as seen by the user.

Times are taken inside the page, in every frame that it draws: polling from outside would add up to half a second.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
import psutil

from fer.errors import EvaluationError
from fer.images import encode_jpeg

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
OPEN_SECONDS = 120
FAKE_CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")
"""Chromium's flags for a camera that nobody has to allow."""
_WATCH = """
window.seen = {};
const look = () => {
  const components = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")];
  if (document.querySelector(".figures"))
    window.seen["headline figures"] ??= performance.now();
  if (components.some(component => component.shadowRoot?.querySelector("td button")))
    window.seen["confusion matrix"] ??= performance.now();
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def measure(repeat: int = 5) -> dict[str, float]:
    """How long the evaluation page takes in Chromium until its figures and its matrix are drawn; medians.

    For each repetition the app is restarted, and the page is opened three times: by the app's first visitor, by another
    one with an empty browser cache, and by that one again, from the cache.

    Raises:
        EvaluationError: Playwright or Chromium is missing, or the app does not start.
    """
    times: dict[str, list[float]] = {}
    with browser() as started, tempfile.TemporaryDirectory() as place:
        for _ in range(repeat):
            with running_app(Path(place)) as url:
                first, another = started.new_page(), started.new_page()  # each has its own cache
                for page in (first, another):
                    page.add_init_script(_WATCH)
                visits = {"first visitor after the app's start": first, "empty cache": another, "in the cache": another}
                for who, page in visits.items():
                    for what, seconds in _open(page, f"{url}/evaluation").items():
                        times.setdefault(f"{who}: {what} (s)", []).append(seconds)
                first.close()
                another.close()
    return {name: median(seconds) for name, seconds in times.items()}


@contextmanager
def browser(*flags: str) -> Iterator["Browser"]:
    """Start Chromium, with these flags besides the usual ones, and close it afterwards.

    Raises:
        EvaluationError: Playwright or Chromium is missing.
    """
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError as error:
        raise EvaluationError(
            "expected Playwright, which drives the browser. Install it: pip install -r requirements-dev.txt"
        ) from error
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(
                executable_path=chromium(), args=["--no-sandbox", "--disable-gpu", *flags]
            )
        except Error as error:
            raise EvaluationError(f"expected a working Chromium, found none: {str(error).splitlines()[0]}") from error
        yield started
        started.close()


def chromium() -> str | None:
    """Return the path of the installed Chromium, or None for Playwright's own."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def write_camera(path: Path, frames: Iterable[np.ndarray]) -> str:
    """Write what a camera sees as Motion JPEG, which Chromium plays in a loop; return the flag for it.

    Args:
        path: the file, with the suffix .mjpeg.
        frames: RGB uint8 (H, W, 3), all of one size; Chromium shows 30 per second.
    """
    path.write_bytes(b"".join(encode_jpeg(np.ascontiguousarray(frame)) for frame in frames))
    return f"--use-file-for-fake-video-capture={path}"


def start_webcam(page: "Page") -> "Locator":
    """Press Start on the webcam page, wait for its first figures, and return the element with the video."""
    video = page.locator('iframe[title="streamlit_webrtc.component.webrtc_streamer"]')
    video.content_frame.get_by_role("button", name="Start", exact=True).click()
    page.get_by_test_id("stMetric").first.wait_for()
    return video


@contextmanager
def running_app(place: Path) -> Iterator[str]:
    """Start the app as a user does, with its runs, data and log in a folder; yield its address, and stop it afterwards.

    Raises:
        EvaluationError: it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url, log = f"http://127.0.0.1:{port}", place / "log.txt"
    command = [sys.executable, "-m", "fer", "app", "--server.port", str(port), "--server.headless", "true"]
    folders = {"FER_RUNS": str(place / "runs"), "FER_DATA": str(place / "data"), "FER_RESULTS": str(place / "results")}
    with log.open("w") as output:
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | folders, stdout=output, stderr=subprocess.STDOUT)
    try:
        until = time.monotonic() + START_SECONDS
        while not _is_up(url):
            if time.monotonic() > until or server.poll() is not None:
                raise EvaluationError(f"the app did not start:\n{log.read_text()}")
            time.sleep(0.2)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def app_process() -> psutil.Process:
    """Return the server that `running_app` started last."""
    servers = [child for child in psutil.Process().children() if "app" in child.cmdline()]
    return max(servers, key=psutil.Process.create_time)


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
            return bool(answer.read() == b"ok")
    except OSError:
        return False


def _open(page: "Page", url: str) -> dict[str, float]:
    """Return what was drawn when, in seconds after the start of navigation."""
    page.goto(url, wait_until="commit")
    page.wait_for_function("Object.keys(window.seen ?? {}).length === 2", polling=200, timeout=1000 * OPEN_SECONDS)
    seen: dict[str, float] = page.evaluate("window.seen")
    page.wait_for_timeout(1000)  # anything still loading belongs to this visit, not to the next
    return {what: milliseconds / 1000 for what, milliseconds in seen.items()}
