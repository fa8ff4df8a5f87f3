"""Time to the first result of a new process: `python scripts/benchmark.py startup`.

The pages' times are taken inside the page, as in `page`.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from fer.images import encode_png
from scripts.benchmarks.page import OPEN_SECONDS, app_process, browser, running_app

if TYPE_CHECKING:
    from playwright.sync_api import Page

WATCH = """
const look = () => {
  if (document.querySelectorAll("[data-testid=stHtml] img").length) window.seen_legend ??= performance.now();
  const text = document.body?.textContent ?? "";
  if (text.includes("Pictures stay on the machine")) window.seen_note ??= performance.now();
  if (text.includes("Table (CSV)")) window.seen_result ??= performance.now();
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def measure(repeat: int = 5) -> dict[str, float]:
    """Time until the first result of a new process, and its CPU time; medians.

    `import fer` with the Recognizer; `predict` on one photo; in a newly started app, the home page, and the photo
    page's result after an upload at the earliest moment. Chromium shares the cores, as on a desktop.

    Raises:
        EvaluationError: Playwright or Chromium is missing, or the app does not start.
    """
    took: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as text, browser() as chromium:
        place = Path(text)
        photo = sample_photo(place)
        for _ in range(repeat):
            took.setdefault("import fer, with Recognizer", []).append(_took("-c", "from fer import Recognizer"))
            command = ("-m", "fer", "predict", "--image", str(photo))
            took.setdefault("predict --image, cold", []).append(_took(*command))
            for what, opens in {"home page": "", "first photo's result after the upload": "photo"}.items():
                with running_app(place) as url:
                    page = chromium.new_page()
                    page.add_init_script(WATCH)
                    page.goto(f"{url}/{opens}", wait_until="commit")
                    seconds = result_seconds(page, photo) if opens else _seen(page, "legend && window.seen_note")
                    times = app_process().cpu_times()
                    took.setdefault(f"{what}, fresh server", []).append((seconds, times.user + times.system))
                    page.close()
    figures: dict[str, float] = {}
    for name, seconds_of in took.items():
        waited, computed = zip(*seconds_of, strict=True)
        figures |= {f"{name} (s)": median(waited), f"  CPU time since start (s)  {name}": median(computed)}
    return figures


def sample_photo(place: Path) -> Path:
    """Write scikit-image's astronaut, one face in 512 × 512 pixels, and return the file."""
    from skimage.data import astronaut

    photo = place / "astronaut.png"
    photo.write_bytes(encode_png(astronaut()))
    return photo


def result_seconds(page: "Page", photo: Path) -> float:
    """Upload a photo to the photo page and return how long its result takes."""
    chooser = page.locator("[data-testid=stFileUploader] input[type=file]")
    chooser.wait_for(state="attached", timeout=1000 * OPEN_SECONDS)
    began: float = page.evaluate("performance.now() / 1000")
    chooser.set_input_files(photo)
    return _seen(page, "result") - began


def _seen(page: "Page", what: str) -> float:
    """Wait until something is drawn and return when, in seconds after the start of navigation."""
    found = page.wait_for_function(f"window.seen_{what}", polling=50, timeout=1000 * OPEN_SECONDS)
    milliseconds: float = found.json_value()
    return milliseconds / 1000


def _took(*arguments: str) -> tuple[float, float]:
    """Return wall-clock and CPU time of a Python process."""
    began, before = time.perf_counter(), os.times()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    waited, after = time.perf_counter() - began, os.times()
    computed = after.children_user + after.children_system - before.children_user - before.children_system
    return waited, computed
