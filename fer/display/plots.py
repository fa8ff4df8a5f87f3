"""Plotly figures. Text colours and backgrounds are left to the page's theme."""

import plotly.graph_objects as go

from fer.faces import Face
from fer.labels import color_of


def probability_bars(face: Face) -> go.Figure:
    """Return a bar for each expression's probability, the most probable on top."""
    ranked = face.ranked()[::-1]  # plotly draws from the bottom up
    labels = [label for label, _ in ranked]
    percents = [100 * probability for _, probability in ranked]
    figure = go.Figure(
        go.Bar(
            x=percents,
            y=labels,
            orientation="h",
            marker_color=[color_of(label) for label in labels],
            text=[f"{percent:.0f} %" for percent in percents],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1f} %<extra></extra>",
        )
    )
    figure.update_layout(
        height=36 + 26 * len(labels),
        margin={"l": 0, "r": 44, "t": 4, "b": 4},
        xaxis={"range": [0, 100], "visible": False, "fixedrange": True},
        yaxis={"type": "category", "fixedrange": True, "ticksuffix": "  "},  # labels may be numbers
        bargap=0.3,
        showlegend=False,
    )
    return figure
