"""Charts of data sets and training runs."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import plotly.graph_objects as go

from fer.charts import chart
from fer.charts.chart import FIRST, GUIDE, NAMES, PERCENT, ROW_ABOVE, SECOND, THIRD, Chart, lay_out
from fer.names import in_chart
from fer.training.runs import RunView

COLORS = THIRD, "#CC79A7", "#7B5EA7", "#B8860B"
"""Colors of other runs, in order."""

SPLIT_STYLES = {"train": (FIRST, ""), "validation": ("#E69F00", "/"), "test": (THIRD, "x")}
"""Split → color and pattern of its bars."""


def class_bars(counts: Mapping[str, Mapping[str, int]]) -> go.Figure:
    """Return the number of pictures of each expression: label → split → pictures."""
    labels, splits = (
        list(map(in_chart, counts)),
        [one for one in SPLIT_STYLES if any(one in row for row in counts.values())],
    )
    totals = [sum(row.values()) for row in counts.values()]
    figure = go.Figure()
    for split in splits:
        color, shape = SPLIT_STYLES[split]
        pictures, hover = [row.get(split, 0) for row in counts.values()], f"%{{y}}, {split}: %{{x:,}}<extra></extra>"
        chart.add_bars(figure, pictures, labels, split, color, shape, hovertemplate=hover)
    figure.add_scatter(
        x=totals,
        y=labels,
        mode="text",
        text=[f" {total:,}" for total in totals],
        textposition="middle right",
        cliponaxis=False,
        showlegend=False,
        hoverinfo="skip",
    )
    legend = {**ROW_ABOVE, "traceorder": "normal"}
    height_px = 70 + 30 * len(labels)
    return lay_out(figure, height_px, {"visible": False}, NAMES, legend, barmode="stack", bargap=0.25, margin_r=48)


def rater_agreement(shares: np.ndarray) -> Chart:
    """Return a histogram of the share of raters for the most frequent label, float (n,), 0..1."""
    # Bins of ten percent, which include their upper bound.
    places = np.clip(np.ceil(np.asarray(shares, float) * 10 - 1e-6).astype(int) - 1, 0, 9)
    counts = np.bincount(places, minlength=10)
    figure = go.Figure(
        go.Bar(
            x=[10 * place + 5 for place in range(10)],
            y=counts,
            customdata=[f"{10 * place} to {10 * place + 10}" for place in range(10)],
            marker={"color": FIRST},
            text=[f"{count:,}" for count in counts],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{customdata} % of the raters: %{y:,} pictures<extra></extra>",
        )
    )
    x = PERCENT | {"range": [0, 100], "dtick": 20, "title": "of the raters chose the most frequent label"}
    lay_out(figure, 300, x, {"title": "pictures", "nticks": 5}, bargap=0.15, margin_t=20)
    return chart.explained("rater-agreement", figure)


def loss_curves(view: RunView, others: Sequence[RunView] = ()) -> go.Figure:
    """Return the loss on the training and validation pictures, over all planned epochs.

    The training loss is also shown within epochs, if known. For other runs, the validation loss is shown.
    """
    figure = go.Figure()
    if steps := view.steps:
        figure.add_scatter(
            x=[part.moment for part in steps],
            y=[part.loss for part in steps],
            name="train, within epochs",
            mode="lines",
            line={"color": FIRST, "width": 1.2},
            opacity=0.55,
            showlegend=False,
            hovertemplate="train: %{y:.3g}<extra>epoch %{x:.2f}</extra>",
        )
    _add_curves(figure, view, "loss", 1.0, others)
    return _over_epochs(figure, [view, *others]).update_yaxes(rangemode="tozero")


def accuracy_curves(view: RunView, others: Sequence[RunView] = ()) -> go.Figure:
    """Return the accuracy in percent after each epoch, with a star at the best; see `loss_curves`.

    A dotted line is the accuracy of the initial model, or of the built-in one, on the same pictures.
    """
    figure = go.Figure()
    _add_curves(figure, view, "accuracy", 100.0, others)
    if best := view.best:
        figure.add_scatter(
            x=[best.epoch],
            y=[100 * best.validation_accuracy],
            name="best",
            mode="markers",
            showlegend=False,
            cliponaxis=False,
            marker={"symbol": "star", "size": 15, "color": SECOND, "line": {"color": "white", "width": 1}},
            hovertemplate="best: %{y:.1f} %<extra></extra>",
        )
    beginning = view.beginning
    if beginning and beginning.accuracy is not None:
        figure.add_scatter(
            x=[0, _epochs([view, *others])],
            y=[100 * beginning.accuracy] * 2,
            name=in_chart(f"{beginning.model} before"),
            mode="lines",
            line={"color": GUIDE, "dash": "dot", "width": 2},
            hovertemplate=f"{in_chart(beginning.model)}, before training: %{{y:.1f}} %<extra></extra>",
        )
    return _over_epochs(figure, [view, *others]).update_yaxes(range=[0, 102], ticksuffix=" %")


def rate_curve(view: RunView) -> go.Figure:
    """Return the learning rate, planned (with warm-up and batch size) and actual."""
    figure, config, beginning = go.Figure(), view.request, view.beginning
    done = [(part.moment, part.rate) for part in view.steps]
    done = done or [(line.epoch, line.learning_rate) for line in view.metrics if line.learning_rate is not None]
    hover = "%{y:.2g}<extra>epoch %{x:.2f}</extra>"
    if config and beginning:
        moments = np.linspace(0, config.epochs, 401)
        batch_size = config.batch_size_for(beginning.pictures)
        planned, line = [config.rate_at(float(one), batch_size) for one in moments], {"color": GUIDE, "dash": "dot"}
        figure.add_scatter(x=moments, y=planned, name="planned", mode="lines", line=line, hovertemplate=hover)
    x, y = ([pair[place] for pair in done] for place in (0, 1))
    name = "so far" if view.active else "actual"
    figure.add_scatter(x=x, y=y, name=name, line={"color": THIRD, "width": 2.5}, hovertemplate=hover)
    figure.update_traces(mode="lines").update_yaxes(rangemode="tozero", exponentformat="power")
    return _over_epochs(figure, [view])


def confusion_map(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> go.Figure:
    """Return a confusion matrix of counts (K, K), rows truth, columns predictions, colored by each row's shares."""
    counts = np.asarray(confusion, int)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            x=list(map(in_chart, labels)),
            y=list(map(in_chart, labels)),
            z=shares,
            zmin=0,
            zmax=100,
            colorscale=[[0, "#EEF3F8"], [1, "#4C97D4"]],  # `themed` has the colors for dark pages
            textfont={"color": "#111827"},
            text=counts,
            texttemplate="%{text}",
            customdata=counts,
            hovertemplate="%{y} predicted as %{x}: %{customdata} (%{z:.0f} %)<extra></extra>",
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    x = {"type": "category", "title": "prediction", "side": "bottom", "showgrid": False}
    return lay_out(figure, 130 + 34 * len(labels), x, {**NAMES, "title": "truth", "showgrid": False})


def _add_curves(figure: go.Figure, view: RunView, what: str, scale: float, others: Sequence[RunView]) -> None:
    curves = [("train", FIRST, 6, view, f"train_{what}"), ("validation", SECOND, 8, view, f"validation_{what}")]
    colors = cycle(COLORS)
    curves += [(other.name, next(colors), 7, other, f"validation_{what}") for other in others]
    for number, (name, color, size_px, run, field) in enumerate(curves):
        known = [(line.epoch, value) for line in run.metrics if (value := getattr(line, field)) is not None]
        if known:
            x, y = [epoch for epoch, _ in known], [scale * value for _, value in known]
            hover = f"{in_chart(name)}: %{{y:.3g}}<extra>epoch %{{x}}</extra>"
            chart.add_curve(figure, x, y, in_chart(name), color, number, size_px, hovertemplate=hover, cliponaxis=False)


def _epochs(runs: Sequence[RunView]) -> int:
    return max([2, *(run.request.epochs for run in runs if run.request)])


def _over_epochs(figure: go.Figure, runs: Sequence[RunView]) -> go.Figure:
    x = {"range": [0, _epochs(runs) + 0.5], "nticks": 8, "tickformat": "~g", "title": "epoch"}
    return lay_out(figure, 280, x, {"nticks": 5}, ROW_ABOVE, uirevision="training")
