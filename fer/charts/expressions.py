"""Plotly figures. Text colours and backgrounds are left to the page's theme."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer.faces import Face, percent
from fer.labels import color_of
from fer.video.history import Sample, seconds_by_person


def probability_bars(face: Face) -> go.Figure:
    """Return a bar for each expression's probability, the most probable on top."""
    percents = {label: 100 * probability for label, probability in face.ranked()}
    return _bars(percents, [percent(probability) for _, probability in face.ranked()], "%{y}: %{x:.1f} %", 100)


def count_bars(counts: Mapping[str, int]) -> go.Figure:
    """Return a bar for each expression's number of faces, the most frequent on top."""
    ranked = dict(sorted(counts.items(), key=lambda pair: -pair[1]))
    return _bars(ranked, [f"{count:,}" for count in ranked.values()], "%{y}: %{x:,}", max(ranked.values(), default=1))


def _bars(lengths: Mapping[str, float], texts: Sequence[str], hover: str, longest: float) -> go.Figure:
    """Return bars in the colours of their labels, the first on top."""
    labels = list(lengths)[::-1]  # plotly draws from the bottom up
    figure = go.Figure(
        go.Bar(
            x=[lengths[label] for label in labels],
            y=labels,
            orientation="h",
            marker_color=[color_of(label) for label in labels],
            text=texts[::-1],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{hover}<extra></extra>",
        )
    )
    figure.update_layout(
        height=36 + 26 * len(labels),
        margin={"l": 0, "r": 44, "t": 4, "b": 4},
        xaxis={"range": [0, longest], "visible": False, "fixedrange": True},
        yaxis={"type": "category", "fixedrange": True, "ticksuffix": "  "},  # labels may be numbers
        bargap=0.3,
        showlegend=False,
    )
    return figure


MOST_PERSONS = 3
"""As many are drawn in the live chart: those seen last."""


def expression_lines(samples: Sequence[Sample], labels: Sequence[str], now: float, span_seconds: float) -> go.Figure:
    """Return each expression's probability over the last seconds, a panel for each person.

    Args:
        samples: of the time that is shown, in any order.
        labels: all expressions, so that colours and legend stay as they are.
        now: the moment at the right border, in the samples' time.
        span_seconds: how much of the past is shown.
    """
    latest = {sample.person: sample.seconds for sample in sorted(samples, key=lambda sample: sample.seconds)}
    persons = sorted(sorted(latest, key=lambda person: -latest[person])[:MOST_PERSONS]) or [0]
    figure = make_subplots(
        rows=len(persons),
        shared_xaxes=True,
        vertical_spacing=0.08,
        subplot_titles=[f"person {person}" if person else "" for person in persons],
    )
    for row, person in enumerate(persons, start=1):
        own = sorted((s for s in samples if s.person == person), key=lambda sample: sample.seconds)
        seconds = np.array([sample.seconds - now for sample in own])
        percents = 100 * np.array([sample.probabilities for sample in own]).reshape(len(own), len(labels))
        percents[_gaps(own)] = np.nan  # a line across the time that somebody was away would be made up
        for index, label in enumerate(labels):
            figure.add_scatter(
                x=seconds,
                y=percents[:, index],
                name=label,
                mode="lines",
                line={"color": color_of(label), "width": 2.5},
                showlegend=row == 1,
                legendgroup=label,
                hovertemplate="%{y:.0f} %",
                row=row,
                col=1,
            )
    figure.update_xaxes(range=[-span_seconds, 0], ticksuffix=" s", fixedrange=True)
    figure.update_yaxes(range=[0, 101], ticksuffix=" %", fixedrange=True, nticks=3)
    figure.update_layout(
        height=120 + 170 * len(persons),
        margin={"l": 0, "r": 0, "t": 28, "b": 0},
        legend={"orientation": "h", "y": -0.22 / len(persons), "yanchor": "top"},
        hovermode="x",
        uirevision="live",  # a label that somebody switched off stays off
    )
    return figure


def _gaps(samples: Sequence[Sample]) -> list[int]:
    """Return the indices of samples that come long after the one before."""
    pairs = pairwise(samples)
    return [i for i, (a, b) in enumerate(pairs, start=1) if b.seconds - a.seconds - a.lasted > 0.5]


MOST_ROWS = 20
"""As many persons are drawn in a summary: those in view the longest."""


def time_bars(summary: Mapping[int, Mapping[str, float]], labels: Sequence[str]) -> go.Figure:
    """Return how long each person showed each expression: person → label → seconds."""
    persons = _longest(summary)
    figure = go.Figure()
    for label in labels:
        seconds = [summary[person].get(label, 0.0) for person in persons]
        if not any(seconds):
            continue
        figure.add_bar(
            x=seconds,
            y=[f"person {person}" for person in persons],
            name=label,
            orientation="h",
            marker_color=color_of(label),
            text=[
                label if value > 0.15 * sum(summary[p].values()) else ""
                for p, value in zip(persons, seconds, strict=True)
            ],
            textposition="inside",
            insidetextanchor="middle",
            hovertemplate=f"{label}: %{{x:.1f}} s<extra></extra>",
        )
    figure.update_layout(
        barmode="stack",
        height=90 + 42 * len(persons),
        margin={"l": 0, "r": 10, "t": 4, "b": 0},
        xaxis={"ticksuffix": " s", "fixedrange": True},
        yaxis={"type": "category", "autorange": "reversed", "fixedrange": True, "ticksuffix": "  "},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        showlegend=True,
    )
    return figure


COLUMNS = 400
"""Moments of a timeline, however long the video was."""


def timeline(samples: Sequence[Sample], labels: Sequence[str], seconds: float) -> go.Figure:
    """Return who showed what when: a row for each person, coloured by the expression.

    Args:
        samples: of the whole video.
        labels: all expressions.
        seconds: how long the video was.
    """
    totals = seconds_by_person(samples)
    persons = _longest(totals)
    index = {label: number for number, label in enumerate(labels)}
    shown = np.full((len(persons), COLUMNS), np.nan)
    scale = COLUMNS / max(seconds, 1e-6)
    for sample in samples:
        if sample.person in persons:
            first = min(int(sample.seconds * scale), COLUMNS - 1)
            last = max(int((sample.seconds + sample.lasted) * scale), first + 1)
            shown[persons.index(sample.person), first:last] = index[sample.label]
    steps = [[(number + end) / len(labels), color_of(label)] for label, number in index.items() for end in (0, 1)]
    names = np.array([*labels, ""], object)
    figure = go.Figure(
        go.Heatmap(
            x=(np.arange(COLUMNS) + 0.5) / scale,
            y=[f"person {person}" for person in persons],
            z=shown,
            zmin=-0.5,
            zmax=len(labels) - 0.5,
            colorscale=steps or None,  # before anybody was seen the labels are not known
            ygap=6,
            customdata=names[np.where(np.isnan(shown), -1, shown).astype(int)],
            hovertemplate="%{x:.1f} s: %{customdata}<extra>%{y}</extra>",
            hoverongaps=False,
            showscale=False,
        )
    )
    for label in labels:
        if any(label in row for row in totals.values()):
            figure.add_scatter(
                x=[None],
                y=[None],
                mode="markers",
                name=label,
                marker={"color": color_of(label), "symbol": "square", "size": 12},
            )
    figure.update_layout(
        height=110 + 42 * len(persons),
        margin={"l": 0, "r": 10, "t": 4, "b": 0},
        xaxis={"range": [0, seconds], "ticksuffix": " s", "fixedrange": True, "showgrid": False},
        yaxis={"type": "category", "autorange": "reversed", "fixedrange": True, "ticksuffix": "  "},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        showlegend=True,
    )
    return figure


def _longest(summary: Mapping[int, Mapping[str, float]]) -> list[int]:
    """Return the persons that were in view the longest, in the order of their numbers."""
    return sorted(sorted(summary, key=lambda person: -sum(summary[person].values()))[:MOST_ROWS])
