"""Charts that compare two or more models on the same pictures."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fer.charts import chart
from fer.charts.chart import FIRST, GUIDE, NAMES, ROW_ABOVE, SECOND, THIRD, Chart, explained, lay_out, percents
from fer.evaluation.comparison import Comparison
from fer.names import in_chart
from fer.training.metrics import EpochMetrics

LINES = (FIRST, SECOND, THIRD, "#CC79A7", "#7B5EA7", "#8A8F98")
_POINTS = {"tickformat": "+", "zeroline": False}


def differences(baseline: str, comparisons: Mapping[str, Comparison]) -> Chart:
    """Return how much better or worse others are than a first model, the baseline, in points, with intervals."""
    figure = go.Figure()
    accuracies = [one.accuracy for one in comparisons.values()]
    scores = [one.macro_f1 for one in comparisons.values()]
    for number, (what, figures) in enumerate({"accuracy": accuracies, "macro F1": scores}.items()):
        figure.add_scatter(
            x=percents(figures),
            y=[in_chart(f"{name}, {what}") for name in comparisons],
            name=what,
            mode="markers",
            marker={"size": 13, "symbol": chart.SYMBOLS[number], "color": LINES[number]},
            error_x=chart.whiskers(figures) | {"color": LINES[number]},
            hovertemplate="%{y}: %{x:+.1f} points<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": GUIDE, "dash": "dot", "width": 2})
    x = {"title": "points better", **_POINTS}
    return explained("differences", lay_out(figure, 110 + 64 * len(comparisons), x, NAMES, ROW_ABOVE), baseline)


def class_deltas(baseline: str, comparisons: Mapping[str, Comparison]) -> Chart:
    """Return how much better or worse each expression's F1 is than a first model's; see `differences`."""
    figure = go.Figure()
    for number, (name, comparison) in enumerate(comparisons.items()):
        shown = {
            in_chart(f"{label} ({one.support:,})"): one for label, one in comparison.per_class.items() if one.support
        }
        chart.add_bars(
            figure,
            [100 * delta.f1 for delta in shown.values()],
            list(shown),
            in_chart(name),
            LINES[number % len(LINES)],
            ("", "/", "x", "-", "+", ".")[number % 6],
            customdata=[[100 * delta.precision, 100 * delta.recall] for delta in shown.values()],
            hovertemplate="%{y}: F1 %{x:+.1f}, precision %{customdata[0]:+.1f}, recall %{customdata[1]:+.1f} points"
            f"<extra>{in_chart(name)}</extra>",
        )
    labels = max((len(trace.y) for trace in figure.data), default=0)
    figure.add_vline(x=0, line={"color": GUIDE, "width": 1.5})
    x = {"title": "difference in F1, points", **_POINTS}
    lay_out(figure, 100 + labels * (22 + 16 * len(comparisons)), x, NAMES, ROW_ABOVE, barmode="group")
    return explained("class-deltas", figure)


def training_curves(metrics: Mapping[str, Sequence[EpochMetrics]]) -> Chart:
    """Return the validation accuracy after each epoch for several runs by name."""
    figure = go.Figure()
    for number, (name, lines) in enumerate(metrics.items()):
        epochs, accuracies = [one.epoch for one in lines], [100 * one.validation_accuracy for one in lines]
        text, color = in_chart(name), LINES[number % len(LINES)]
        hover = f"%{{y:.1f}} % after epoch %{{x}}<extra>{text}</extra>"
        chart.add_curve(figure, epochs, accuracies, text, color, number, hovertemplate=hover, cliponaxis=False)
    longest = max((line.epoch for lines in metrics.values() for line in lines), default=0)
    x = {"title": "epoch", "tickformat": "d", "tick0": 0, "dtick": 1 + longest // 10}
    y = {"title": "validation accuracy", "ticksuffix": " %"}
    return explained("training-curves", lay_out(figure, 320, x, y, ROW_ABOVE))
