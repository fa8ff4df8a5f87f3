"""Two models or more on the same pictures, as charts."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fer.charts.chart import (
    DASHES,
    FIRST,
    GUIDE,
    NAMES,
    POINTS,
    ROW_ABOVE,
    SECOND,
    SYMBOLS,
    THIRD,
    Chart,
    lay_out,
    pattern,
    percents,
    whiskers,
)
from fer.evaluation.comparison import Comparison
from fer.training.metrics import EpochMetrics

LINES = (FIRST, SECOND, THIRD, "#CC79A7", "#7B5EA7", "#8A8F98")


def differences(baseline: str, comparisons: Mapping[str, Comparison]) -> Chart:
    """Return by how much others are better or worse than a first model, in percentage points, with intervals.

    Args:
        baseline: what the first model is called.
        comparisons: what another is called → it beside the first.
    """
    figure = go.Figure()
    accuracies = [one.accuracy for one in comparisons.values()]
    scores = [one.macro_f1 for one in comparisons.values()]
    for number, (what, figures) in enumerate({"accuracy": accuracies, "macro F1": scores}.items()):
        figure.add_scatter(
            x=percents(figures),
            y=[f"{name}, {what}" for name in comparisons],
            name=what,
            mode="markers",
            marker={"size": 13, "symbol": SYMBOLS[number], "color": LINES[number]},
            error_x=whiskers(figures) | {"color": LINES[number]},
            hovertemplate="%{y}: %{x:+.1f} points<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": GUIDE, "dash": "dot", "width": 2})
    x = {"title": f"points better than {baseline}", **POINTS}
    lay_out(figure, 110 + 64 * len(comparisons), x, NAMES, ROW_ABOVE)
    return Chart(
        "differences",
        f"Better or worse than {baseline}",
        "Right of the dotted line a model is better than the first one, left of it worse; a 95 % interval (line) that "
        "crosses the dotted line means that it could be chance.",
        figure,
    )


def class_deltas(baseline: str, comparisons: Mapping[str, Comparison]) -> Chart:
    """Return by how much each expression's F1 is better or worse than a first model's; see `differences`."""
    figure = go.Figure()
    for number, (name, comparison) in enumerate(comparisons.items()):
        shown = {label: delta for label, delta in comparison.per_class.items() if delta.support}
        figure.add_bar(
            x=[100 * delta.f1 for delta in shown.values()],
            y=[f"{label} ({delta.support:,})" for label, delta in shown.items()],
            name=name,
            orientation="h",
            marker={"color": LINES[number % len(LINES)], "pattern": pattern(("", "/", "x", "-", "+", ".")[number % 6])},
            customdata=[[100 * delta.precision, 100 * delta.recall] for delta in shown.values()],
            hovertemplate="%{y}: F1 %{x:+.1f}, precision %{customdata[0]:+.1f}, recall %{customdata[1]:+.1f} points"
            f"<extra>{name}</extra>",
        )
    labels = max((len(trace.y) for trace in figure.data), default=0)
    figure.add_vline(x=0, line={"color": GUIDE, "width": 1.5})
    x = {"title": f"F1, points more than {baseline}", **POINTS}
    lay_out(figure, 100 + labels * (22 + 16 * len(comparisons)), x, NAMES, ROW_ABOVE, barmode="group")
    return Chart(
        "class-deltas",
        "Each expression",
        "Bars to the right are expressions that a model names better than the first one does, by F1; on those with few "
        "pictures (in brackets) a single one moves the bar far.",
        figure,
    )


def training_curves(metrics: Mapping[str, Sequence[EpochMetrics]]) -> Chart:
    """Return the validation accuracy after each epoch, of several runs.

    Args:
        metrics: name of a run → its finished epochs.
    """
    figure = go.Figure()
    for number, (name, lines) in enumerate(metrics.items()):
        figure.add_scatter(
            x=[line.epoch for line in lines],
            y=[100 * line.validation_accuracy for line in lines],
            name=name,
            mode="lines+markers",
            line={"color": LINES[number % len(LINES)], "width": 2.5, "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 7},
            hovertemplate="%{y:.1f} % after epoch %{x}<extra>" + name + "</extra>",
            cliponaxis=False,
        )
    longest = max((line.epoch for lines in metrics.values() for line in lines), default=0)
    x = {"title": "epoch", "tickformat": "d", "tick0": 0, "dtick": 1 + longest // 10}
    lay_out(figure, 320, x, {"title": "validation accuracy", "ticksuffix": " %"}, ROW_ABOVE)
    return Chart(
        "training-curves",
        "While they were trained",
        "Accuracy on each run's own validation pictures after each epoch: a curve that still rises at its end could go "
        "on, and runs with other validation pictures cannot be compared here.",
        figure,
    )
