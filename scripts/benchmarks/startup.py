"""How long the first answer takes of what was started just now: `python scripts/benchmark.py startup`.

The pages' times are read in the page itself, as in `page`.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from fer.images import encode_png
from scripts.benchmarks.page import OPEN_SECONDS, browser, running_app

if TYPE_CHECKING:
    from playwright.sync_api import Page

WATCH = """
const look = () => {
  if (document.querySelectorAll("[data-testid=stHtml] img").length) window.seen_legend ??= performance.now();
  const text = document.body?.textContent ?? "";
  if (text.includes("Pictures stay on this machine")) window.seen_note ??= performance.now();
  if (text.includes("Table (CSV)")) window.seen_result ??= performance.now();
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def measure(repeat: int = 5) -> dict[str, float]:
    """Time until the first answer of a new process; medians.

    `import fer` with the Recognizer; `predict` of one photo; of an app that was started for it, the home page, and the
    photo page's result after an upload that comes as soon as it can. Chromium shares the cores, as on a desktop.

    Raises:
        EvaluationError: Playwright or Chromium is missing, or the app does not start.
    """
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as place, browser() as chromium:
        photo = sample_photo(Path(place))
        for _ in range(repeat):
            times.setdefault("import fer, with Recognizer (s)", []).append(_took("-c", "from fer import Recognizer"))
            command = ("-m", "fer", "predict", "--image", str(photo))
            times.setdefault("predict --image, cold (s)", []).append(_took(*command))
            for what, opens in {"home page": "", "first photo's result after the upload": "photo"}.items():
                with running_app(Path(place)) as url:
                    page = chromium.new_page()
                    page.add_init_script(WATCH)
                    page.goto(f"{url}/{opens}", wait_until="commit")
                    seconds = result_seconds(page, photo) if opens else _seen(page, "legend && window.seen_note")
                    times.setdefault(f"{what}, fresh server (s)", []).append(seconds)
                    page.close()
    return {name: median(seconds) for name, seconds in times.items()}


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
    """Wait until something was drawn and return when, in seconds after the navigation began."""
    found = page.wait_for_function(f"window.seen_{what}", polling=50, timeout=1000 * OPEN_SECONDS)
    milliseconds: float = found.json_value()
    return milliseconds / 1000


def _took(*arguments: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began
