"""What a report says of a model's answers, as charts: what is taken for what, each expression, curves."""

import plotly.graph_objects as go

from fer.charts.chart import (
    DASHES,
    FIRST,
    GUIDE,
    PERCENT,
    SECOND,
    THIRD,
    Chart,
    bars_layout,
    lay_out,
    pattern,
    percents,
    whiskers,
)
from fer.charts.training import confusion_map
from fer.evaluation.confusions import MATRIX_READING, MATRIX_TITLE
from fer.evaluation.figures import Curve
from fer.evaluation.report import Report
from fer.labels import color_of

_CELL_PX = 42


def confusion(report: Report) -> Chart:
    """Return what was taken for what."""
    figure = confusion_map(report.confusion, report.labels)
    figure.update_layout(height=145 + _CELL_PX * len(report.labels), margin_t=30)  # room for the button that saves it
    return Chart("confusion", MATRIX_TITLE, MATRIX_READING, figure)


def classes(report: Report) -> Chart:
    """Return precision, recall and F1 of each expression, with intervals."""
    shown = {label: figures for label, figures in report.per_class.items() if figures.support}
    figure = go.Figure()
    for name, color, shape in (("precision", FIRST, ""), ("recall", SECOND, "/"), ("F1", THIRD, "x")):
        figures = [getattr(one, name.lower()) for one in shown.values()]
        figure.add_bar(
            x=percents(figures),
            y=[f"{label} ({one.support:,})" for label, one in shown.items()],
            name=name,
            orientation="h",
            error_x=whiskers(figures),
            marker={"color": color, "pattern": pattern(shape)},
            hovertemplate=f"%{{y}}, {name}: %{{x:.1f}} %<extra></extra>",
        )
    bars_layout(figure, rows=len(shown), row_px=58)
    return Chart(
        "classes",
        "Each expression",
        "Precision: how often the model is right when it gives this answer; recall: how many of these pictures it "
        "finds; F1: both in one; the lines are 95 % intervals, long where there are few pictures (in brackets).",
        figure,
    )


def roc(report: Report) -> Chart:
    """Return the ROC curves of all expressions."""
    curves = {label: both.roc for label, both in report.curves.items()}
    figure = _curves(curves, "false alarms, of all other pictures", "found, of all that show it", "area")
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line={"color": GUIDE, "dash": "dot"}, name="guessing")
    return Chart(
        "roc",
        f"ROC curves{_mean(report.mean_roc_area)}",
        "For each expression, how many of its pictures are found at the price of how many false alarms: the closer to "
        "the upper left corner, the better, and the dotted diagonal is guessing.",
        figure,
    )


def precision_recall(report: Report) -> Chart:
    """Return the precision–recall curves of all expressions."""
    curves = {label: both.precision_recall for label, both in report.curves.items()}
    figure = _curves(curves, "recall", "precision", "average precision")
    return Chart(
        "precision-recall",
        f"Precision–recall curves{_mean(report.mean_average_precision)}",
        "How often an answer is right, the more of an expression's pictures are to be found: the closer to the upper "
        "right corner, the better; rare expressions lie lower.",
        figure,
    )


def _mean(area: float | None) -> str:
    return "" if area is None else f", mean area {area:.2f}"


def _curves(curves: dict[str, Curve], x_title: str, y_title: str, area: str) -> go.Figure:
    figure = go.Figure()
    for number, (label, curve) in enumerate(curves.items()):
        if curve.area is None:
            continue
        figure.add_scatter(
            x=[100 * value for value in curve.x],
            y=[100 * value for value in curve.y],
            name=f"{label} ({curve.area:.2f})",
            mode="lines",
            line={"color": color_of(label), "width": 2.5, "dash": DASHES[number % len(DASHES)]},
            hovertemplate=f"{label}: %{{y:.0f}} % at %{{x:.0f}} %<extra></extra>",
        )
    x, y = PERCENT | {"title": x_title, "range": [0, 100.5]}, PERCENT | {"title": y_title}
    legend = {"orientation": "h", "y": -0.2, "yanchor": "top", "title": {"text": f"({area})  "}}
    return lay_out(figure, 430, x, y, legend, dragmode=False)
