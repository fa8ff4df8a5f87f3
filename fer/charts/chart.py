"""Common parts of charts: layout, and for charts about models an explanation of how to read them.

Titles and explanations are in readings.md. Text colors and backgrounds are left to the page's theme. Color is never the
only cue: lines differ in dash and marker, bars in pattern, and cells show their number.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import unescape
from itertools import repeat
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from fer.evaluation.figures import Estimate
from fer.names import not_a_formula

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "cross", "star")
WHISKER = {"color": "#808792", "thickness": 1.8, "width": 4}
"""Style of an interval: a gray that is visible on both themes and on bars."""
GUIDE = "#808792"
FIRST, SECOND, THIRD = "#0072B2", "#D55E00", "#009E73"


@dataclass(frozen=True, eq=False)
class Chart:
    """A figure with its title and explanation."""

    name: str
    """Name for files: "confusion"."""
    title: str
    reading: str
    """How to read it, in a sentence."""
    figure: go.Figure


def explained(name: str, figure: go.Figure, *values: str) -> Chart:
    """Return a figure with its title and explanation from readings.md; values replace {} in the title."""
    title, reading = _readings()[name]
    return Chart(name, title.format(*values), reading, figure)


@cache
def _readings() -> dict[str, tuple[str, str]]:
    """Return name of a chart → (title, explanation)."""
    sections = Path(__file__).with_name("readings.md").read_text("utf-8").split("\n## ")[1:]
    return {name: (title, reading.strip()) for name, title, reading in (part.split("\n\n", 2) for part in sections)}


PERCENT = {"range": [0, 101], "dtick": 25, "ticklabeloverflow": "allow", "ticksuffix": " %"}
"""An axis of percentages."""
NAMES = {"type": "category", "autorange": "reversed", "ticksuffix": "  "}
"""A vertical axis of names, the first one on top."""
ROW_ABOVE = {"orientation": "h", "y": 1.0, "yanchor": "bottom"}
"""A legend in a row above the figure, in place of a title."""


def lay_out(
    figure: go.Figure,
    height_px: int,
    x: Mapping[str, Any] | None = None,
    y: Mapping[str, Any] | None = None,
    legend: Mapping[str, Any] | None = None,
    **layout: Any,
) -> go.Figure:
    """Lay out a figure to fill its place: no margins, and axes that cannot be dragged.

    `x`, `y` and `layout` are further properties of plotly's axes and layout; there is a legend only if `legend` is
    given.
    """
    if legend:
        layout = {"legend": legend, "showlegend": True, **layout}
    figure.update_layout(**{"height": height_px, "margin": {"l": 0, "r": 16, "t": 4, "b": 0}, **layout})
    return figure.update_xaxes(fixedrange=True, **(x or {})).update_yaxes(fixedrange=True, **(y or {}))


def percents(figures: Sequence[Estimate]) -> list[float]:
    """Return the values of shares in percent."""
    return [100 * one.value for one in figures]


def whiskers(figures: Sequence[Estimate], scale: float = 100.0) -> dict[str, Any]:
    """Return the intervals of figures as plotly's error bars; of length 0 without an interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (one.high - one.value) if one.high is not None else 0 for one in figures],
        "arrayminus": [scale * (one.value - one.low) if one.low is not None else 0 for one in figures],
        **WHISKER,
    }


def themed(figure: go.Figure, dark: bool) -> go.Figure:
    """Return a copy of a figure for a light or a dark page: intervals in the text color, cells to match.

    Even the darkest cell keeps a contrast of 4.5 to its number.
    """
    figure, color = go.Figure(figure), "#E8ECF1" if dark else "#1B222C"
    for axis in ("error_x", "error_y"):
        figure.update_traces({f"{axis}_color": color}, selector={f"{axis}_color": WHISKER["color"]})
    if dark:
        fields = {"colorscale": [[0, "#1D242E"], [1, "#2A6399"]], "textfont_color": color}
        figure.update_traces(fields, selector={"type": "heatmap"})
    return figure


def as_table(figure: go.Figure) -> str:
    """Return the data of a figure as CSV: a row for each point or cell, with the bounds of its interval if it has one.

    Values are as on the axes.
    """
    text = io.StringIO()
    write = csv.writer(text, lineterminator="\n")
    write.writerow(["series", "x", "y", "value", "low", "high"])
    for trace in figure.data:
        name = _plain(trace.name or "")
        if trace.type == "heatmap":
            rows = zip(trace.y, trace.customdata, strict=True)
            fields = ((x, y, number) for y, row in rows for x, number in zip(trace.x, row, strict=True))
            write.writerows([name, _plain(x), _plain(y), number, "", ""] for x, y, number in fields)
            continue
        across = trace.error_x if trace.error_x.array is not None else trace.error_y
        values = trace.x if trace.error_x.array is not None else trace.y
        bounds: Any = zip(across.arrayminus, across.array, strict=True) if across.array is not None else repeat(None)
        for x, y, value, bound in zip(trace.x, trace.y, values, bounds, strict=False):
            ends = [value - bound[0], value + bound[1]] if bound else ["", ""]
            write.writerow([name, _plain(x), _plain(y), "", *ends])
    return text.getvalue()


def _plain(value: Any) -> Any:
    """Return a name without plotly's markup, as a table cell."""
    return not_a_formula(unescape(re.sub(r"<[^<>]*>", " ", value)).strip()) if isinstance(value, str) else value


def pattern(shape: str) -> dict[str, Any]:
    """Return plotly's fill pattern for bars, "" for none."""
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "white", "fgopacity": 0.7, "size": 6, "solidity": 0.3}


def add_bars(
    figure: go.Figure, x: Sequence[float], y: Sequence[str], name: str, color: str, shape: str, **more: Any
) -> None:
    """Add horizontal bars, distinguished by color and pattern."""
    figure.add_bar(x=x, y=y, name=name, orientation="h", marker={"color": color, "pattern": pattern(shape)}, **more)


def add_curve(
    figure: go.Figure,
    x: Sequence[float],
    y: Sequence[float],
    name: str,
    color: str,
    number: int,
    size_px: int = 7,
    **more: Any,
) -> None:
    """Add a line with markers; dash and marker depend on `number`."""
    line = {"color": color, "width": 2.5, "dash": DASHES[number % len(DASHES)]}
    marker = {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": size_px}
    figure.add_scatter(x=x, y=y, name=name, line=line, marker=marker, **{"mode": "lines+markers", **more})


def lay_out_bars(figure: go.Figure, height_px: int) -> go.Figure:
    """Lay out horizontal bars of percentages, the first one on top."""
    x, legend = PERCENT | {"side": "top"}, {"orientation": "h", "y": 0, "yanchor": "top"}
    return lay_out(figure, height_px, x, NAMES, bargap=0.25, barmode="group", dragmode=False, legend=legend)
