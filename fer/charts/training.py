"""Plotly figures about data sets and training runs. Text colours and backgrounds are left to the page's theme.

Colour is never alone: lines differ in dash and mark, bars in pattern, and fields of the heat map carry their number.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from fer.charts.chart import pattern

SPLIT_STYLES = {"train": ("#0072B2", ""), "validation": ("#E69F00", "/"), "test": ("#009E73", "x")}
"""Split → colour and pattern of its bars."""
_TRAIN = {"line": {"color": "#0072B2", "width": 2.5}, "marker": {"symbol": "circle", "size": 6}}
_VALIDATION = {
    "line": {"color": "#D55E00", "width": 2.5, "dash": "dash"},
    "marker": {"symbol": "diamond", "size": 8},
}
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
    figure.update_layout(
        barmode="stack",
        height=70 + 30 * len(labels),
        margin={"l": 0, "r": 48, "t": 4, "b": 0},
        xaxis={"visible": False, "fixedrange": True},
        yaxis={"type": "category", "autorange": "reversed", "fixedrange": True, "ticksuffix": "  "},
        bargap=0.25,
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "traceorder": "normal"},
        showlegend=True,
    )
    return figure


def loss_curves(metrics: Sequence[Mapping[str, Any]], epochs: int) -> go.Figure:
    """Return the loss on the training and the validation pictures after each epoch.

    Args:
        metrics: the lines of metrics.jsonl.
        epochs: as many are to be trained.
    """
    figure = _curves(metrics, epochs, "loss", scale=1.0)
    figure.update_yaxes(rangemode="tozero")
    return figure


def accuracy_curves(metrics: Sequence[Mapping[str, Any]], epochs: int) -> go.Figure:
    """Return the accuracy, in percent, after each epoch, with a star at the best; see `loss_curves`."""
    figure = _curves(metrics, epochs, "accuracy", scale=100.0)
    if metrics:
        best = max(metrics, key=lambda line: line["validation_accuracy"])
        figure.add_scatter(
            x=[best["epoch"]],
            y=[100 * best["validation_accuracy"]],
            name="best",
            mode="markers",
            showlegend=False,
            cliponaxis=False,
            marker={"symbol": "star", "size": 15, "color": "#D55E00", "line": {"color": "white", "width": 1}},
            hovertemplate="best: %{y:.1f} %<extra></extra>",
        )
    figure.update_yaxes(range=[0, 102], ticksuffix=" %")
    return figure


def rate_curve(metrics: Sequence[Mapping[str, Any]], epochs: int) -> go.Figure:
    """Return the learning rate at the end of each epoch; see `loss_curves`."""
    figure = go.Figure()
    figure.add_scatter(
        x=[line["epoch"] for line in metrics],
        y=[line["learning_rate"] for line in metrics],
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
            colorscale=[
                [0, "#EEF3F8"],
                [1, "#4C97D4"],
            ],  # opaque and light, so that the numbers stand out on both themes
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
    figure.update_layout(
        height=130 + 34 * len(labels),
        margin={"l": 0, "r": 4, "t": 4, "b": 0},
        xaxis={"type": "category", "fixedrange": True, "title": "answer", "side": "bottom", "showgrid": False},
        yaxis={
            "type": "category",
            "autorange": "reversed",
            "fixedrange": True,
            "title": "truth",
            "ticksuffix": "  ",
            "showgrid": False,
        },
    )
    return figure


def _curves(metrics: Sequence[Mapping[str, Any]], epochs: int, what: str, scale: float) -> go.Figure:
    figure = go.Figure()
    for split, style in (("train", _TRAIN), ("validation", _VALIDATION)):
        known = [line for line in metrics if line.get(f"{split}_{what}") is not None]
        if known:
            figure.add_scatter(
                x=[line["epoch"] for line in known],
                y=[scale * line[f"{split}_{what}"] for line in known],
                name=split,
                mode="lines+markers",
                cliponaxis=False,
                hovertemplate=f"{split}: %{{y:.3g}}<extra>epoch %{{x}}</extra>",
                **style,
            )
    return _over_epochs(figure, epochs)


def _over_epochs(figure: go.Figure, epochs: int) -> go.Figure:
    figure.update_xaxes(range=[0.5, max(epochs, 2) + 0.5], fixedrange=True, nticks=8, tickformat="d", title="epoch")
    figure.update_yaxes(fixedrange=True, nticks=5)
    figure.update_layout(
        height=_HEIGHT_PX,
        margin={"l": 0, "r": 4, "t": 4, "b": 0},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        showlegend=True,
        uirevision="training",
    )
    return figure
