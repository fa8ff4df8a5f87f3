"""Data sets and training runs as charts."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from fer.charts import chart
from fer.charts.chart import FIRST, NAMES, PERCENT, ROW_ABOVE, SECOND, THIRD, Chart, lay_out
from fer.names import in_chart
from fer.training.metrics import EpochMetrics

SPLIT_STYLES = {"train": (FIRST, ""), "validation": ("#E69F00", "/"), "test": (THIRD, "x")}
"""Split → colour and pattern of its bars."""


def class_bars(counts: Mapping[str, Mapping[str, int]]) -> go.Figure:
    """Return how many pictures of each expression there are: label → split → pictures."""
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
    """Return how many pictures have how large a share of raters for the most frequent label, float (n,), 0..1."""
    # A bin for each ten percent; its upper bound belongs to it.
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


def loss_curves(metrics: Sequence[EpochMetrics], epochs: int) -> go.Figure:
    """Return the loss on the training and the validation pictures after each epoch, of as many as are to be trained."""
    return _curves(metrics, epochs, "loss", scale=1.0).update_yaxes(rangemode="tozero")


def accuracy_curves(metrics: Sequence[EpochMetrics], epochs: int) -> go.Figure:
    """Return the accuracy, in percent, after each epoch, with a star at the best; see `loss_curves`."""
    figure = _curves(metrics, epochs, "accuracy", scale=100.0)
    if metrics:
        best = max(metrics, key=lambda line: line.validation_accuracy)
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
    return figure.update_yaxes(range=[0, 102], ticksuffix=" %")


def rate_curve(metrics: Sequence[EpochMetrics], epochs: int) -> go.Figure:
    """Return the learning rate at the end of each epoch; see `loss_curves`."""
    figure, hover = go.Figure(), "epoch %{x}: %{y:.2g}<extra></extra>"
    known = {line.epoch: line.learning_rate for line in metrics if line.learning_rate is not None}
    chart.add_curve(figure, [*known], [*known.values()], "learning rate", THIRD, 0, 6, hovertemplate=hover)
    figure.update_yaxes(rangemode="tozero", exponentformat="power")
    return _over_epochs(figure, epochs).update_layout(showlegend=False)


def confusion_map(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> go.Figure:
    """Return what was taken for what, counts (K, K): rows are the truth, columns the answers, by each row's shares."""
    counts = np.asarray(confusion, int)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            x=list(map(in_chart, labels)),
            y=list(map(in_chart, labels)),
            z=shares,
            zmin=0,
            zmax=100,
            # Opaque and light, so that the numbers stand out on both themes.
            colorscale=[[0, "#EEF3F8"], [1, "#4C97D4"]],
            textfont={"color": "#111827"},
            text=counts,
            texttemplate="%{text}",
            customdata=counts,
            hovertemplate="%{y} taken for %{x}: %{customdata} (%{z:.0f} %)<extra></extra>",
            showscale=False,
            xgap=2,
            ygap=2,
        )
    )
    x = {"type": "category", "title": "answer", "side": "bottom", "showgrid": False}
    return lay_out(figure, 130 + 34 * len(labels), x, {**NAMES, "title": "truth", "showgrid": False})


def _curves(metrics: Sequence[EpochMetrics], epochs: int, what: str, scale: float) -> go.Figure:
    figure = go.Figure()
    for number, (split, color, size_px) in enumerate((("train", FIRST, 6), ("validation", SECOND, 8))):
        known = [(line.epoch, value) for line in metrics if (value := getattr(line, f"{split}_{what}")) is not None]
        if known:
            x, y = [epoch for epoch, _ in known], [scale * value for _, value in known]
            hover = f"{split}: %{{y:.3g}}<extra>epoch %{{x}}</extra>"
            chart.add_curve(figure, x, y, split, color, number, size_px, hovertemplate=hover, cliponaxis=False)
    return _over_epochs(figure, epochs)


def _over_epochs(figure: go.Figure, epochs: int) -> go.Figure:
    x = {"range": [0.5, max(epochs, 2) + 0.5], "nticks": 8, "tickformat": "d", "title": "epoch"}
    return lay_out(figure, 260, x, {"nticks": 5}, ROW_ABOVE, uirevision="training")
