"""Charts of a report and of a comparison: the numbers are right, and color is never the only cue."""

import csv
from dataclasses import replace

import numpy as np
import pytest

from fer.charts.chart import WHISKER, as_table, themed, whiskers
from fer.charts.comparison import class_deltas, differences, training_curves
from fer.charts.evaluation import (
    by_agreement,
    classes,
    confusion,
    people,
    precision_recall,
    reliability,
    reliability_table,
    robustness,
    roc,
)
from fer.charts.training import rater_agreement
from fer.evaluation.comparison import compare
from fer.evaluation.figures import Estimate
from fer.evaluation.report import Evaluation, Report
from fer.training.metrics import EpochMetrics
from tests.evaluation.evaluations import make_evaluation


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return make_evaluation(rated=True)


@pytest.fixture
def report(evaluation: Evaluation) -> Report:
    return evaluation.report


def test_each_cell_shows_its_number_and_is_colored_by_its_share_of_the_row(report: Report) -> None:
    (fields,) = confusion(report).figure.data
    assert np.array(fields.text).tolist() == np.array(report.confusion).tolist()
    np.testing.assert_allclose(fields.z[:2].sum(axis=1), 100)
    assert fields.z[2].sum() == 0  # the third label has no pictures


def test_intervals_range_from_low_to_high_if_they_exist() -> None:
    bars = whiskers([Estimate(0.5, 0.4, 0.7), Estimate(0.0, None, None)])
    assert bars["array"] == pytest.approx([20, 0])
    assert bars["arrayminus"] == pytest.approx([10, 0])


def test_intervals_take_the_text_color_and_the_original_is_unchanged(report: Report) -> None:
    assert report.agreement
    chart, other = classes(report).figure, by_agreement(report.agreement).figure
    assert {trace.error_x.color for trace in themed(chart, dark=False).data} == {"#1B222C"}
    assert themed(other, dark=True).data[0].error_y.color == "#E8ECF1"
    assert {trace.error_x.color for trace in chart.data} == {WHISKER["color"]}


def test_each_expression_has_three_bars_that_differ_in_pattern(report: Report) -> None:
    figure = classes(report).figure
    assert [trace.name for trace in figure.data] == ["precision", "recall", "F1"]
    assert len({trace.marker.pattern.shape for trace in figure.data}) == 3
    neutral = report.per_class["neutral"]
    assert [trace.x[0] for trace in figure.data] == pytest.approx(
        [100 * neutral.precision.value, 100 * neutral.recall.value, 100 * neutral.f1.value]
    )
    assert figure.data[0].y[0] == f"neutral ({neutral.support})"
    assert not any("absent" in name for name in figure.data[0].y)  # it has no pictures


def test_curves_leave_out_expressions_without_pictures(report: Report) -> None:
    for chart, further in ((roc(report), ["chance"]), (precision_recall(report), [])):
        names = [trace.name.split(" (")[0] for trace in chart.figure.data]
        assert names == ["neutral", "fear", *further]
        assert len({trace.line.dash for trace in chart.figure.data}) == len(names)
    assert f"({report.curves['fear'].roc.area:.2f})" in roc(report).figure.data[1].name
    np.testing.assert_allclose(roc(report).figure.data[0].x, 100 * np.array(report.curves["neutral"].roc.x))


def test_reliability_before_and_after(report: Report) -> None:
    figure = reliability(report).figure
    lines = [trace for trace in figure.data if trace.type == "scatter" and trace.mode == "lines+markers"]
    assert len(lines) == 2 and lines[0].line.dash != lines[1].line.dash
    filled = [bin for bin in report.calibration.bins if bin.n]
    np.testing.assert_allclose(lines[1].x, [100 * (bin.confidence or 0) for bin in filled])
    np.testing.assert_allclose(lines[1].y, [100 * (bin.accuracy or 0) for bin in filled])
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [sum(trace.y) for trace in bars] == [report.n, report.n]
    assert reliability_table(report)[0] == {"figure": "temperature", "before": "1.000", "after": "1.300"}


def test_no_name_is_a_formula_in_the_table_of_a_chart(report: Report) -> None:
    labels = ("=1+1", "-x", "@y")
    hostile = replace(report, per_class=dict(zip(labels, report.per_class.values(), strict=False)))
    lines = list(csv.reader(as_table(classes(hostile).figure).splitlines()))
    assert any(cell.startswith("'=1+1") for line in lines for cell in line)
    assert not any(cell.startswith(("=", "-x", "@")) for line in lines for cell in line)


def test_people_and_agreement(report: Report) -> None:
    assert report.agreement
    shown = people(report.agreement).figure
    assert [trace.x[0] for trace in shown.data] == pytest.approx(
        [100 * report.agreement.rater.value, 100 * report.agreement.model.value]
    )
    bars = by_agreement(report.agreement).figure.data[0]
    filled = [bin for bin in report.agreement.by_agreement if bin.n]
    assert list(bars.text) == [f"n = {bin.n}" for bin in filled]


def test_robustness_is_compared_with_the_original_pictures(report: Report) -> None:
    assert report.robustness
    figure = robustness(report.robustness).figure
    assert figure.data[0].y[0].endswith(f"<b>{100 * report.robustness.clean.value:.0f}</b>")
    assert len(figure.data[0].x) == 1 + len(report.robustness.disturbed)
    assert figure.layout.shapes[0].x0 == pytest.approx(100 * report.robustness.clean.value)


def test_a_comparison(evaluation: Evaluation) -> None:
    better = compare(evaluation, make_evaluation(seed=1, skill=3, rated=True))
    figure = differences("a", {"b": better}).figure
    assert [trace.x[0] for trace in figure.data] == pytest.approx(
        [100 * better.accuracy.value, 100 * better.macro_f1.value]
    )
    assert figure.data[0].marker.symbol != figure.data[1].marker.symbol
    bars = class_deltas("a", {"b": better, "c": better}).figure
    assert bars.data[0].x[0] == pytest.approx(100 * better.per_class["neutral"].f1)
    assert bars.data[0].marker.pattern.shape != bars.data[1].marker.pattern.shape
    lines = training_curves({"a": [EpochMetrics(1, 0.5)], "b": []}).figure
    assert (list(lines.data[0].x), list(lines.data[0].y)) == ([1], [50.0])


def test_raters_are_counted_by_how_many_agree() -> None:
    bars = rater_agreement(np.array([1.0, 0.91, 0.9, 0.5, 0.05, 0.0])).figure.data[0]
    assert list(bars.y) == [2, 0, 0, 0, 1, 0, 0, 0, 1, 2]  # bins include their upper bound
    assert bars.customdata[9] == "90 to 100" and bars.x[9] == 95


def test_every_chart_says_how_to_read_it(report: Report) -> None:
    from fer.reports.evaluation import basis_of, report_charts

    charts = report_charts(report)
    assert [chart.name for chart in charts] == [
        "confusion", "classes", "roc", "precision-recall", "reliability", "people", "by-agreement", "robustness",
    ]  # fmt: skip
    assert all(chart.reading.endswith(".") for chart in charts)
    assert all("n = " in basis_of(chart, report) for chart in charts)
    assert report.robustness and basis_of(charts[-1], report) == report.data.rule_and_n(report.robustness.n)
