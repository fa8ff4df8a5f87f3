"""The evaluation page as people use it: charts are drawn, a field opens its pictures, runs are compared, files open."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from fer.evaluation.report import Evaluation, read_report
from fer.faces import percent
from fer.model import DEFAULT_REPORT
from fer.reports.evaluation import report_charts
from tests.browser.acting import compare, downloaded, too_wide
from tests.browser.content import fill_reports

FIELD = re.compile(" predicted as ")


def field(page: Page, truth: str, answer: str) -> Locator:
    return page.get_by_role("button", name=f"{truth} predicted as {answer}")


def picture_of(page: Page, name: str) -> bytes:
    """Return the picture (SVG) that the camera above a chart saves."""
    page.locator(".js-plotly-plot").hover()
    with page.expect_download() as download:
        page.locator(".js-plotly-plot .modebar-btn").click()
    assert download.value.suggested_filename == f"{name}.svg"
    return Path(download.value.path()).read_bytes()


@pytest.fixture
def runs(app_url: str, app_folder: Path) -> Iterator[dict[str, Evaluation]]:
    """Two runs of pretended models, measured on drawn faces that can be opened again."""
    folder = app_folder / "runs"
    made = fill_reports(folder)
    yield made
    for name in made:
        shutil.rmtree(folder / name)


def choose_report(page: Page, url: str, name: str) -> None:
    page.goto(f"{url}/evaluation")
    page.get_by_role("combobox", name="Report").click()
    page.get_by_role("option", name=name).click()
    expect(page.get_by_text(re.compile("pretended, test")).first).to_be_visible()
    expect(page.get_by_role("button", name=FIELD)).to_have_count(9)


def test_charts_of_the_shipped_model_are_drawn(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/evaluation")
    report = read_report(DEFAULT_REPORT)
    expect(page.get_by_text(percent(report.accuracy.value, 1)).first).to_be_visible()
    expect(page.get_by_role("button", name=FIELD)).to_have_count(64)
    confusion = report.confusion
    expect(field(page, "neutral", "sadness")).to_have_text(str(confusion[0][3]))
    page.get_by_text("% of row", exact=True).click()
    expect(field(page, "neutral", "sadness")).to_have_text(str(round(100 * confusion[0][3] / sum(confusion[0]))))
    page.get_by_text("Expressions", exact=True).click()
    expect(page.locator(".js-plotly-plot .bars .point")).to_have_count(24)  # eight expressions, three figures
    expect(page.locator(".js-plotly-plot .scatterlayer .trace")).to_have_count(17)  # two curves each, and guessing
    page.get_by_text("Confidence", exact=True).click()
    expect(page.locator(".js-plotly-plot .bars .point")).to_have_count(30)


def test_a_report_is_opened_by_its_address_and_a_click_on_a_field_shows_its_pictures(
    context: BrowserContext, app_url: str, runs: dict[str, Evaluation]
) -> None:
    report = runs["calm"].report
    first = context.new_page()
    choose_report(first, app_url, "calm")
    first.wait_for_url(re.compile("report=calm"))
    page = context.new_page()
    page.goto(first.url)
    expect(page.get_by_role("combobox", name="Report")).to_have_value(re.compile("^calm "))
    expect(page.get_by_role("button", name=FIELD)).to_have_count(9)
    field(page, "fear", "neutral").click()
    number = report.confusion[1][0]
    expect(field(page, "fear", "neutral")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text(re.compile(rf"\b{number} of 120 .*fear.*neutral"))).to_be_visible()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    where = page.get_by_role("textbox", name="pretended")
    where.fill("synthetic:80")
    where.press("Enter")
    faces = page.get_by_role("img", name=re.compile(r"\bfear$"))
    expect(faces).to_have_count(min(number, 48))
    page.wait_for_function("face => face.naturalWidth > 2", arg=faces.first.element_handle())
    field(page, "neutral", "fear").press("Enter")
    expect(page.get_by_text(re.compile(rf"\b{report.confusion[0][1]} of 120 .*neutral.*fear"))).to_be_visible()
    expect(page.get_by_role("img", name=re.compile(r"\bneutral$"))).to_have_count(min(report.confusion[0][1], 48))


def test_two_runs_are_compared(page: Page, app_url: str, runs: dict[str, Evaluation]) -> None:
    page.goto(f"{app_url}/evaluation")
    compare(page, runs)
    expect(page.locator(".js-plotly-plot .errorbar")).to_have_count(2)
    expect(page.locator(".js-plotly-plot .bars .point")).to_have_count(2)


def test_downloads_open_without_the_app(page: Page, context: BrowserContext, app_url: str, tmp_path: Path) -> None:
    page.goto(f"{app_url}/evaluation")
    page.get_by_text("Details and downloads", exact=True).click()
    assert json.loads(downloaded(page, "All figures (JSON)"))["n"] == read_report(DEFAULT_REPORT).n
    assert len(downloaded(page, "Predictions (CSV)").splitlines()) == 1 + 3137
    all_charts = len(report_charts(read_report(DEFAULT_REPORT)))
    for name, charts in (("One-page report (HTML)", all_charts), ("This chart (HTML)", 1)):
        file = tmp_path / "page.html"
        file.write_bytes(downloaded(page, name))
        opened = context.new_page()
        outside: list[str] = []
        opened.on("request", lambda request, seen=outside: seen.append(request.url))
        opened.goto(file.as_uri())
        expect(opened.locator(".js-plotly-plot .main-svg").first).to_be_visible()
        expect(opened.locator(".js-plotly-plot")).to_have_count(charts)
        assert [url for url in outside if not url.startswith(("file:", "data:", "blob:"))] == []
        opened.close()
    assert picture_of(page, "confusion").lstrip().startswith(b"<svg")
    assert len(downloaded(page, "Data (CSV)").splitlines()) == 1 + 64


def test_phone(page: Page, app_url: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{app_url}/evaluation")
    expect(page.get_by_role("button", name=FIELD)).to_have_count(64)
    assert too_wide(page) == []
