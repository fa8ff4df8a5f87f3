"""Plotly figures about data sets and training runs. Text colours and backgrounds are left to the page's theme.

Colour is never alone: lines differ in dash and mark, bars in pattern, and fields of the heat map carry their number.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from fer.charts.chart import FIRST, NAMES, ROW_ABOVE, SECOND, THIRD, lay_out, pattern
from fer.training.metrics import EpochMetrics

SPLIT_STYLES = {"train": (FIRST, ""), "validation": ("#E69F00", "/"), "test": (THIRD, "x")}
"""Split → colour and pattern of its bars."""
_TRAIN = {"line": {"color": FIRST, "width": 2.5}, "marker": {"symbol": "circle", "size": 6}}
_VALIDATION = {"line": {"color": SECOND, "width": 2.5, "dash": "dash"}, "marker": {"symbol": "diamond", "size": 8}}
_HEIGHT_PX = 260


def class_bars(counts: Mapping[str, Mapping[str, int]]) -> go.Figure:
    """Return how many pictures of each expression there are: label → split → pictures."""
    labels, splits = list(counts), [split for split in SPLIT_STYLES if any(split in row for row in counts.values())]
    totals = [sum(row.values()) for row in counts.values()]
    figure = go.Figure()
    for split in splits:
        color, shape = SPLIT_STYLES[split]
        figure.add_bar(
            x=[row.get(split, 0) for row in counts.values()],
            y=labels,
            name=split,
            orientation="h",
            marker={"color": color, "pattern": pattern(shape)},
            hovertemplate=f"%{{y}}, {split}: %{{x:,}}<extra></extra>",
        )
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


def loss_curves(metrics: Sequence[EpochMetrics], epochs: int) -> go.Figure:
    """Return the loss on the training and the validation pictures after each epoch.

    Args:
        metrics: the lines of metrics.jsonl.
        epochs: as many are to be trained.
    """
    figure = _curves(metrics, epochs, "loss", scale=1.0)
    figure.update_yaxes(rangemode="tozero")
    return figure


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
            marker={"symbol": "star", "size": 15, "color": "#D55E00", "line": {"color": "white", "width": 1}},
            hovertemplate="best: %{y:.1f} %<extra></extra>",
        )
    figure.update_yaxes(range=[0, 102], ticksuffix=" %")
    return figure


def rate_curve(metrics: Sequence[EpochMetrics], epochs: int) -> go.Figure:
    """Return the learning rate at the end of each epoch; see `loss_curves`."""
    figure = go.Figure()
    figure.add_scatter(
        x=[line.epoch for line in metrics],
        y=[line.learning_rate for line in metrics],
        name="learning rate",
        mode="lines+markers",
        line={"color": "#009E73", "width": 2.5},
        marker={"symbol": "square", "size": 6},
        hovertemplate="epoch %{x}: %{y:.2g}<extra></extra>",
    )
    figure.update_yaxes(rangemode="tozero", exponentformat="power")
    return _over_epochs(figure, epochs).update_layout(showlegend=False)


def confusion_map(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> go.Figure:
    """Return what was taken for what: rows are the truth, columns the answers, each row coloured by its shares.

    Args:
        confusion: (K, K) counts.
        labels: the K labels.
    """
    counts = np.asarray(confusion, int)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            x=list(labels),
            y=list(labels),
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
    for split, style in (("train", _TRAIN), ("validation", _VALIDATION)):
        known = [(line.epoch, value) for line in metrics if (value := getattr(line, f"{split}_{what}")) is not None]
        if known:
            figure.add_scatter(
                x=[epoch for epoch, _ in known],
                y=[scale * value for _, value in known],
                name=split,
                mode="lines+markers",
                cliponaxis=False,
                hovertemplate=f"{split}: %{{y:.3g}}<extra>epoch %{{x}}</extra>",
                **style,
            )
    return _over_epochs(figure, epochs)


def _over_epochs(figure: go.Figure, epochs: int) -> go.Figure:
    x = {"range": [0.5, max(epochs, 2) + 0.5], "nticks": 8, "tickformat": "d", "title": "epoch"}
    return lay_out(figure, _HEIGHT_PX, x, {"nticks": 5}, ROW_ABOVE, uirevision="training")
