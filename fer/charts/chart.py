"""What charts about models share: a figure comes with a sentence that says how to read it.

Text colours and backgrounds are left to the page's theme. Colour is never alone: lines differ in dash and mark, bars in
pattern, and fields carry their number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from fer.evaluation.figures import Estimate

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
WHISKER = {"color": "#808792", "thickness": 1.8, "width": 4}
"""An interval: a gray that stands out on both themes and on the bars."""
GUIDE = "#808792"
FIRST, SECOND, THIRD = "#0072B2", "#D55E00", "#009E73"


@dataclass(frozen=True, eq=False)
class Chart:
    """A figure, and what people need to understand it."""

    name: str
    """Plain, for files: "confusion"."""
    title: str
    reading: str
    """How to read it, in a sentence."""
    figure: go.Figure


def whiskers(figures: Sequence[Estimate], scale: float = 100.0) -> dict[str, Any]:
    """Return the intervals of some figures as plotly's error bars; none where there is no interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (one.high - one.value) if one.high is not None else 0 for one in figures],
        "arrayminus": [scale * (one.value - one.low) if one.low is not None else 0 for one in figures],
        **WHISKER,
    }


def color_whiskers(figure: go.Figure, color: str) -> go.Figure:
    """Return a copy of a figure with its gray intervals in another colour: that of the text around it."""
    figure = go.Figure(figure)
    for axis in ("error_x", "error_y"):
        figure.update_traces({f"{axis}_color": color}, selector={f"{axis}_color": WHISKER["color"]})
    return figure


def pattern(shape: str) -> dict[str, Any]:
    """Return what plotly draws on bars, "" for nothing."""
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "white", "fgopacity": 0.7, "size": 6, "solidity": 0.3}


def bars_layout(figure: go.Figure, rows: int, row_px: int) -> None:
    """Lay out horizontal bars of percentages, the first one on top."""
    figure.update_layout(
        height=90 + row_px * rows,
        margin={"l": 0, "r": 8, "t": 4, "b": 0},
        xaxis={
            "range": [0, 101],
            "dtick": 25,
            "ticklabeloverflow": "allow",
            "ticksuffix": " %",
            "fixedrange": True,
            "side": "top",
        },
        yaxis={"type": "category", "autorange": "reversed", "fixedrange": True, "ticksuffix": "  "},
        bargap=0.25,
        barmode="group",
        dragmode=False,
        legend={"orientation": "h", "y": 0, "yanchor": "top"},
    )
