"""Measure how long the Results page takes to open with many results, until it is on the screen."""

import tempfile
import time
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from fer.collection import job as collections
from fer.images import encode_webp
from fer.jobs import job
from fer.jobs.status import FINISHED, Reporter
from fer.results.content import THUMBNAIL_NAME, THUMBNAIL_PX
from fer.results.database import keep_row
from fer.results.result import COMPLETE, FOLDER, KINDS, Figures, Result
from fer.results.store import ResultStore
from scripts.benchmarks.page import OPEN_SECONDS, browser, running_app
from scripts.benchmarks.visitors import Events, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Page

_WATCH = """
const look = () => {
  const parts = [...document.querySelectorAll("[data-testid=stBidiComponentIsolated]")];
  if (!location.pathname.endsWith("/results")) window.began = performance.now(), window.seen = null;
  else if (parts.some((part) => part.shadowRoot?.querySelector(".row"))) window.seen ??= performance.now();
  requestAnimationFrame(look);
};
window.began = 0;
requestAnimationFrame(look);
"""
"""In every frame: asking from outside would add up to half a second. What counts is from the address on."""


def measure(results: int = 2000, repeat: int = 5) -> dict[str, float]:
    """How long the page of results takes until its list is drawn in Chromium, and without a browser; medians.

    A fourth of the results each are photos, folders with their jobs, videos and recordings. The page is opened by its
    address, with an empty cache and with a full one, and from the home page.

    Raises:
        EvaluationError: Playwright or Chromium is missing, or the app does not start.
    """
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as place, browser() as started:
        _fill(Path(place), results)
        with running_app(Path(place)) as url:
            visitor = Visitor(url, Random(0), Events(), 0.0)
            for count in range(repeat + 1):
                with visitor.connected() as socket:
                    visitor.open(socket, "")
                    began = time.monotonic()
                    visitor.open(socket, "results")
                    took = {"without a browser (s)": time.monotonic() - began}
                page = started.new_page()  # has a cache of its own
                page.add_init_script(_WATCH)
                for how in ("by its address, empty cache (s)", "by its address, full cache (s)"):
                    page.goto(f"{url}/results", wait_until="commit")
                    took[how] = _seen(page)
                page.goto(url)
                page.get_by_test_id("stSidebarNav").get_by_text("Results").wait_for(timeout=1000 * OPEN_SECONDS)
                page.locator('[data-test-script-state="notRunning"]').wait_for(timeout=1000 * OPEN_SECONDS)
                page.get_by_test_id("stSidebarNav").get_by_text("Results").click()
                took["from the home page (s)"] = _seen(page)
                page.close()
                for what, seconds in took.items() if count else ():  # the first visitor waits for imports
                    times.setdefault(what, []).append(seconds)
    return {what: median(seconds) for what, seconds in times.items()}


def _seen(page: "Page") -> float:
    """Return when the list was drawn, in seconds after the page was asked for."""
    page.wait_for_function("window.seen", polling=200, timeout=1000 * OPEN_SECONDS)
    seconds: float = page.evaluate("window.seen - window.began") / 1000
    page.wait_for_timeout(1000)  # what is loaded after that belongs to this opening, not to the next
    return seconds


def _fill(place: Path, count: int) -> None:
    """Keep results of all kinds."""
    store, data = ResultStore(place / "results"), place / "data"
    noise = np.random.default_rng(0).integers(0, 256, (THUMBNAIL_PX, THUMBNAIL_PX, 3), np.uint8)
    tile, now = encode_webp(noise), time.time()
    figures = Figures(faces=3, pictures=2, people=2, seconds=30, expressions={"happiness": 2, "fear": 1})
    with store._database.writing() as database:
        for number in range(count):
            kind, name = KINDS[number % len(KINDS)], f"IMG_{number:04}.jpg"
            made = ""
            if kind == FOLDER:
                request = collections.Request(name, Path("best.safetensors"))
                folder = job.new_job(data / "collections", collections.KIND, request)
                Reporter(folder).set(FINISHED)
                made = f"collections/{folder.name}"
            moment = now - 3600 * number / 2
            result = Result(
                f"{number:022}", "", kind, name, moment, moment, COMPLETE, "shipped", figures=figures, job=made
            )
            store.folder(result).mkdir()
            (store.folder(result) / THUMBNAIL_NAME).write_bytes(tile)
            keep_row(database, result)
