"""Bar charts of expressions. Text colors and backgrounds are left to the page's theme."""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from fer.charts.chart import lay_out
from fer.faces import Face, percent
from fer.labels import color_of
from fer.names import in_chart


def probability_bars(face: Face) -> go.Figure:
    """Return a bar for each expression's probability, the most probable on top."""
    percents = {label: 100 * probability for label, probability in face.ranked()}
    return _bars(percents, [percent(probability) for _, probability in face.ranked()], "%{y}: %{x:.1f} %", 100)


def count_bars(counts: Mapping[str, int]) -> go.Figure:
    """Return a bar for each expression's number of faces, the most frequent on top."""
    ranked = dict(sorted(counts.items(), key=lambda pair: -pair[1]))
    return _bars(ranked, [f"{count:,}" for count in ranked.values()], "%{y}: %{x:,}", max(ranked.values(), default=1))


def _bars(lengths: Mapping[str, float], texts: Sequence[str], hover: str, longest: float) -> go.Figure:
    """Return bars in the colors of their labels, the first on top."""
    labels = list(lengths)[::-1]  # plotly draws from the bottom up
    figure = go.Figure(
        go.Bar(
            x=[lengths[label] for label in labels],
            y=[in_chart(label) for label in labels],
            orientation="h",
            marker_color=[color_of(label) for label in labels],
            text=texts[::-1],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"{hover}<extra></extra>",
        )
    )
    return lay_out(
        figure,
        36 + 26 * len(labels),
        x={"range": [0, longest], "visible": False},
        y={"type": "category", "ticksuffix": "  "},  # labels may be numbers
        margin={"l": 0, "r": 44, "t": 4, "b": 4},
        bargap=0.3,
        showlegend=False,
    )
