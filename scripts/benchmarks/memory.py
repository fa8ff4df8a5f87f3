"""Memory of the app with several visitors: `python scripts/benchmark.py memory`."""

import tempfile
from pathlib import Path

from scripts.benchmarks.page import app_process, browser, running_app
from scripts.benchmarks.startup import WATCH, result_seconds, sample_photo


def measure(visitors: int = 8) -> dict[str, float]:
    """The server's resident memory at start, and after a photo by each of several visitors who stay.

    Each visitor is a separate browser context in Chromium.

    Raises:
        EvaluationError: Playwright or Chromium is missing, or the app does not start.
    """
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as place, browser() as chromium, running_app(Path(place)) as url:
        photo = sample_photo(Path(place))
        server = app_process()
        figures["server, no visitor yet (MB)"] = server.memory_info().rss / 1e6
        for number in range(1, visitors + 1):
            page = chromium.new_context().new_page()
            page.add_init_script(WATCH)
            page.goto(f"{url}/photo", wait_until="commit")
            result_seconds(page, photo)
            if number in (1, visitors):
                figures[f"server, a photo by each of {number} (MB)"] = server.memory_info().rss / 1e6
    return figures
