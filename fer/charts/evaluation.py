"""Charts of a report: confusion matrix, figures for each expression, curves, and calibration."""

from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer.charts import chart
from fer.charts.chart import FIRST, GUIDE, PERCENT, SECOND, THIRD, Chart, explained, lay_out, lay_out_bars, percents
from fer.charts.training import confusion_map
from fer.evaluation.confusions import MATRIX_READING, MATRIX_TITLE
from fer.evaluation.figures import Agreement, Curve, Estimate, Robustness
from fer.evaluation.report import Report
from fer.faces import percent
from fer.labels import color_of
from fer.names import in_chart

_DOTTED = {"color": GUIDE, "dash": "dot"}


def confusion(report: Report) -> Chart:
    """Return the confusion matrix."""
    figure = confusion_map(report.confusion, report.labels)
    figure.update_layout(height=145 + 42 * len(report.labels), margin_t=30)  # room for the save button
    return Chart("confusion", MATRIX_TITLE, MATRIX_READING, figure)


def classes(report: Report) -> Chart:
    """Return precision, recall and F1 of each expression, with intervals."""
    shown = {in_chart(f"{label} ({one.support:,})"): one for label, one in report.per_class.items() if one.support}
    figure = go.Figure()
    for name, color, shape in (("precision", FIRST, ""), ("recall", SECOND, "/"), ("F1", THIRD, "x")):
        figures = [getattr(one, name.lower()) for one in shown.values()]
        hover = f"%{{y}}, {name}: %{{x:.1f}} %<extra></extra>"
        whiskers = chart.whiskers(figures)
        chart.add_bars(figure, percents(figures), [*shown], name, color, shape, error_x=whiskers, hovertemplate=hover)
    return explained("classes", lay_out_bars(figure, 90 + 58 * len(shown)))


def roc(report: Report) -> Chart:
    """Return the ROC curves of all expressions."""
    curves = {label: both.roc for label, both in report.curves.items()}
    figure = _curves(curves, "false positive rate", "true positive rate", "area")
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=_DOTTED, name="chance")
    return explained("roc", figure, _mean(report.mean_roc_area))


def precision_recall(report: Report) -> Chart:
    """Return the precision–recall curves of all expressions."""
    curves = {label: both.precision_recall for label, both in report.curves.items()}
    figure = _curves(curves, "recall", "precision", "average precision")
    return explained("precision-recall", figure, _mean(report.mean_average_precision))


def _mean(area: float | None) -> str:
    return "" if area is None else f", mean area {area:.2f}"


def _curves(curves: dict[str, Curve], x_title: str, y_title: str, area: str) -> go.Figure:
    figure = go.Figure()
    for number, (label, curve) in enumerate(curves.items()):
        if curve.area is None:
            continue
        x, y = ([100 * value for value in values] for values in (curve.x, curve.y))
        text = in_chart(label)
        name, hover = f"{text} ({curve.area:.2f})", f"{text}: %{{y:.0f}} % at %{{x:.0f}} %<extra></extra>"
        chart.add_curve(figure, x, y, name, color_of(label), number, mode="lines", hovertemplate=hover)
    x_axis, y_axis = PERCENT | {"title": x_title, "range": [0, 100.5]}, PERCENT | {"title": y_title}
    legend = {"orientation": "h", "y": -0.2, "yanchor": "top", "title": {"text": f"({area})  "}}
    return lay_out(figure, 430, x_axis, y_axis, legend, dragmode=False)


def reliability(report: Report) -> Chart:
    """Return the reliability diagram before and after temperature scaling, with a histogram of the pictures below."""
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.04)
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=_DOTTED, name="ideal", hoverinfo="skip")
    for name, found, color, number, shape in (
        ("before", report.before, SECOND, 1, "/"),
        ("after", report.calibration, FIRST, 0, ""),
    ):
        filled = [bin for bin in found.bins if bin.confidence is not None and bin.accuracy is not None]
        chart.add_curve(
            figure,
            [100 * (bin.confidence or 0) for bin in filled],
            [100 * (bin.accuracy or 0) for bin in filled],
            f"{name} (error {100 * found.expected_calibration_error:.1f} %)",
            color,
            number,
            size_px=8,
            customdata=[bin.n for bin in filled],
            hovertemplate=f"{name}: %{{x:.0f}} % confidence, %{{y:.0f}} % correct, n %{{customdata:,}}<extra></extra>",
            cliponaxis=False,
        )
        figure.add_bar(
            x=[50 * (bin.low + bin.high) for bin in found.bins],
            y=[bin.n for bin in found.bins],
            name=name,
            marker={"color": color, "pattern": chart.pattern(shape)},
            hovertemplate=f"{name}: %{{y:,}} pictures<extra></extra>",
            showlegend=False,
            row=2,
            col=1,
        )
    lay_out(figure, 520, PERCENT, legend=chart.ROW_ABOVE, barmode="group", dragmode=False)
    figure.update_xaxes(title="confidence", row=2)
    figure.update_yaxes(title="accuracy", row=1, **PERCENT)
    figure.update_yaxes(title="pictures", nticks=3, row=2)
    return explained("reliability", figure)


def reliability_table(report: Report) -> list[dict[str, str]]:
    """Return calibration figures before and after, a dict for each row."""
    names = {
        "temperature": "temperature",
        "expected_calibration_error": "expected calibration error",
        "brier_score": "Brier score (0 to 2)",
        "negative_log_likelihood": "negative log likelihood",
    }
    sides = {"before": report.before, "after": report.calibration}
    return [
        {"figure": name, **{side: f"{getattr(found, field):.3f}" for side, found in sides.items()}}
        for field, name in names.items()
    ]


def people(agreement: Agreement) -> Chart:
    """Return how often a single rater, and how often the model, agree with most of the other raters."""
    figure = go.Figure()
    for name, share, color, shape in (
        ("a single rater", agreement.rater, SECOND, "/"),
        ("the model", agreement.model, FIRST, ""),
    ):
        y, hover = [f"{name}<br><b>{percent(share.value, 1)}</b>"], f"{name}: %{{x:.1f}} %<extra></extra>"
        more: dict[str, Any] = {"error_x": chart.whiskers([share]), "hovertemplate": hover, "showlegend": False}
        chart.add_bars(figure, percents([share]), y, name, color, shape, **more)
    return explained("people", lay_out_bars(figure, 140))


def by_agreement(agreement: Agreement) -> Chart:
    """Return the model's accuracy by how much the raters agree."""
    bins = [bin for bin in agreement.by_agreement if bin.accuracy]
    accuracies = [bin.accuracy for bin in bins if bin.accuracy]
    figure = go.Figure(
        go.Bar(
            x=[f"{100 * bin.above:.0f}–{100 * bin.up_to:.0f}" for bin in bins],
            y=percents(accuracies),
            error_y=chart.whiskers(accuracies),
            marker={"color": FIRST},
            text=[f"n = {bin.n:,}" for bin in bins],
            textposition="inside",
            insidetextanchor="start",
            textangle=0,
            textfont={"color": "white"},
            hovertemplate="%{x} % agree: accuracy %{y:.1f} %, %{text}<extra></extra>",
        )
    )
    x = {"type": "category", "title": "% of the raters chose the label", "tickangle": 0}
    lay_out(figure, 320, x, PERCENT | {"title": "accuracy"}, bargap=0.2, dragmode=False)
    return explained("by-agreement", figure)


def robustness(found: Robustness) -> Chart:
    """Return the accuracy on degraded pictures, compared with the original ones."""
    names = ["original", *(f"{one.name} {one.setting}".strip() for one in found.disturbed)]
    shares: list[Estimate] = [found.clean, *(one.accuracy for one in found.disturbed)]
    kinds = ["", *(one.name for one in found.disturbed)]
    order = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
    figure = go.Figure(
        go.Bar(
            x=percents(shares),
            y=[f"{name} · <b>{100 * share.value:.0f}</b>" for name, share in zip(names, shares, strict=True)],
            orientation="h",
            error_x=chart.whiskers(shares),
            # Neighbors of one kind share color and pattern, so that the groups are visible.
            marker={
                "color": [THIRD if not kind else (FIRST, "#5A93B8")[order[kind] % 2] for kind in kinds],
                "pattern": chart.pattern("") | {"shape": ["" if order[kind] % 2 else "/" for kind in kinds]},
            },
            customdata=names,
            hovertemplate="%{customdata}: %{x:.1f} %<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_vline(x=100 * found.clean.value, line={"color": GUIDE, "dash": "dot", "width": 2})
    return explained("robustness", lay_out_bars(figure, 90 + 23 * len(names)))
