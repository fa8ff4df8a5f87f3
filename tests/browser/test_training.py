"""The training page as people use it: start, watch, come back, stop, go on, use the model."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from fer.datasets.drawing import draw_face
from fer.images import encode_png
from fer.jobs import job
from fer.training import runs as training_runs
from fer.training.runs import KIND
from tests.browser.acting import too_wide


@pytest.fixture
def zip_file(tmp_path: Path) -> Path:
    """Drawn faces in folders of two expressions."""
    random, file = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for word, label in (("happy", "happiness"), ("bored", "neutral")):
            for number in range(20):
                archive.writestr(f"{word}/{number}.png", encode_png(draw_face(label, random, size_px=48)))
    path = tmp_path / "faces.zip"
    path.write_bytes(file.getvalue())
    return path


@pytest.fixture
def runs(app_url: str, app_folder: Path) -> Iterator[Path]:
    """The app's run folder, empty before and after."""
    folder = app_folder / "runs"
    yield folder
    for seen in training_runs.views(folder):
        job.stop(seen.folder, KIND)
        job.delete(seen.folder, KIND)


def points(page: Page) -> int:
    """Return how many epochs the curve of the validation loss shows."""
    found: int = page.evaluate(
        """() => { const plot = document.querySelector('.js-plotly-plot');
            const line = plot?.calcdata?.find(points => points[0].trace.name === 'validation');
            return line ? line.filter(point => point.x !== undefined).length : 0 }"""
    )
    return found


def wait_for_points(page: Page, count: int) -> None:
    for _ in range(360):
        if points(page) >= count:
            return
        page.wait_for_timeout(250)
    pytest.fail(f"expected {count} epochs on the curve, found {points(page)}:\n{page.inner_text('body')}")


def test_from_a_zip_to_a_model_in_use(
    context: BrowserContext, page: Page, app_url: str, runs: Path, zip_file: Path
) -> None:
    page.goto(app_url)
    page.get_by_role("link", name="Training", exact=True).click()  # click 1
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(zip_file)  # click 2
    expect(page.get_by_text("40 pictures")).to_be_visible()
    estimate = page.get_by_text(re.compile(r"\d faces")).first
    expect(estimate).to_be_visible(timeout=180_000)  # the first one measures the machine's speed
    page.get_by_role("spinbutton", name="Epochs").fill("8")  # no click of a newcomer's: the usual 30 take too long
    page.get_by_role("spinbutton", name="Epochs").press("Enter")
    page.get_by_role("button", name="Start training").click()  # click 3

    stop = page.get_by_role("button", name="Stop", exact=True)
    expect(stop).to_be_visible()
    wait_for_points(page, 1)
    expect(page.get_by_text("Best so far")).to_be_visible()
    wait_for_points(page, 2)  # without anybody touching the page
    page.reload()
    expect(stop).to_be_visible()
    wait_for_points(page, 2)
    stop.click()
    page.get_by_role("button", name="Resume").click()
    expect(stop).to_be_visible()

    chosen = page.get_by_role("combobox", name="Runs", exact=True)
    expect(chosen).to_have_value(re.compile("finished"), timeout=180_000)
    use = page.get_by_role("button", name="Use for photos")
    expect(use).to_be_visible()
    (seen,) = training_runs.views(runs)
    assert seen.state == "finished" and [line.epoch for line in seen.metrics] == list(range(1, 9))
    wait_for_points(page, 8)

    other = context.new_page()
    other.goto(page.url)  # the address of the run
    expect(other.get_by_role("combobox", name="Runs", exact=True)).to_have_value(re.compile("^faces .*finished"))
    other.get_by_role("button", name="Evaluate this run").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Evaluation")
    other.get_by_test_id("stButton").get_by_role("button", name="Evaluate", exact=True).click()
    progress = other.get_by_role("progressbar").filter(visible=True)
    expect(progress).to_be_visible()
    other.reload()
    expect(progress).to_be_visible()
    fields = other.get_by_role("button", name=re.compile(" predicted as "))
    expect(fields).to_have_count(4)  # when it has ended, its report comes by itself
    again = context.new_page()
    again.goto(other.url)  # the address of the report
    expect(again.get_by_role("combobox", name="Report")).to_have_value(re.compile("^faces "))
    expect(again.get_by_role("button", name=re.compile(" predicted as "))).to_have_count(4)
    page.reload()
    expect(page.get_by_role("button", name="Show the report")).to_be_visible()  # beside the test result

    use.click()  # click 4
    expect(page.get_by_role("heading", level=1)).to_have_text("Photo")
    page.get_by_role("button", name="Settings").click()
    expect(page.get_by_role("combobox", name="Model")).to_have_value("faces")
    page.keyboard.press("Escape")
    page.get_by_text("Sample", exact=True).click()
    expect(page.get_by_role("img", name=re.compile(r"\b1 face\b"))).to_be_visible()
    expect(page.locator(".js-plotly-plot .bars .point")).to_have_count(2)  # the two expressions of the ZIP


def test_phone(page: Page, app_url: str, runs: Path) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/training")
    page.get_by_text("Drawn faces", exact=True).click()
    expect(page.get_by_role("button", name="Start training")).to_be_visible()
    assert too_wide(page) == []


def test_what_is_too_large_or_of_another_kind_is_said(page: Page, app_url: str, runs: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no pictures")
    page.goto(f"{app_url}/training")
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(text)
    expect(page.get_by_test_id("stFileUploader")).to_contain_text("not allowed")
