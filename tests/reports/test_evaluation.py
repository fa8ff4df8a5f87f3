"""The page with all charts, and a single chart."""

import re
from pathlib import Path

import pytest

from fer.charts.evaluation import confusion
from fer.evaluation.report import Evaluation
from fer.model import DEFAULT_REPORT
from fer.reports.evaluation import headline, html_chart, html_report
from tests.evaluation.evaluations import make_evaluation


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return make_evaluation(rated=True)


def test_every_figure_has_its_rule_and_n(evaluation: Evaluation) -> None:
    figures = {name: rest for name, *rest in headline(evaluation.report)}
    assert figures["Accuracy"][0] == f"{100 * evaluation.report.accuracy.value:.1f} %"
    assert all("majority" in basis and "n = 120" in basis for *_, basis in headline(evaluation.report))
    assert evaluation.report.agreement and len(headline(make_evaluation().report)) == len(figures) - 2
    agreements = {
        f"{100 * share.value:.1f} %" for share in (evaluation.report.agreement.rater, evaluation.report.agreement.model)
    }
    assert agreements <= {value for value, *_ in figures.values()}


def test_the_page_needs_nothing_from_elsewhere(evaluation: Evaluation) -> None:
    page = html_report(evaluation.report)
    assert page.count("plotly.js v") == 1  # the library, once
    outside = re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=[\"']([^\"']+)", page)
    assert [link for link in outside if not link.startswith("data:")] == []
    assert page.count('class="plotly-graph-div"') == 8
    assert evaluation.report.basis in page


def test_names_cannot_break_the_page() -> None:
    report = make_evaluation(labels=("neutral", "<script>alert(1)</script>", "absent")).report
    assert "<script>alert" not in html_report(report).split("</style>")[1].split("<h2>")[0]


def test_a_chart_alone(evaluation: Evaluation) -> None:
    page = html_chart(confusion(evaluation.report))
    assert page.count('class="plotly-graph-div"') == 1 and len(page) > 3_000_000


@pytest.mark.slow
def test_the_command_line_writes_it_from_an_existing_report(tmp_path: Path) -> None:
    from fer.cli import evaluate

    page = tmp_path / "report.html"
    assert evaluate.main(["--report", str(DEFAULT_REPORT), "--html", str(page)]) == 0
    assert "n = 3,137" in page.read_text()
    assert evaluate.main(["--report", str(DEFAULT_REPORT), "--html", str(tmp_path / "nowhere" / "report.html")]) == 1
