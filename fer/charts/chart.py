"""What charts share: how they are laid out, and for those about models a sentence that says how to read them.

Titles and sentences stand in readings.md. Text colours and backgrounds are left to the page's theme. Colour is never
alone: lines differ in dash and mark, bars in pattern, and fields carry their number.
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


def explained(name: str, figure: go.Figure, *values: str) -> Chart:
    """Return a figure with its title and sentence from readings.md; values take the place of {} in the title."""
    title, reading = _readings()[name]
    return Chart(name, title.format(*values), reading, figure)


@cache
def _readings() -> dict[str, tuple[str, str]]:
    """Return the name of each chart → its title and sentence."""
    sections = Path(__file__).with_name("readings.md").read_text("utf-8").split("\n## ")[1:]
    return {name: (title, reading.strip()) for name, title, reading in (part.split("\n\n", 2) for part in sections)}


PERCENT = {"range": [0, 101], "dtick": 25, "ticklabeloverflow": "allow", "ticksuffix": " %"}
"""An axis of percentages."""
NAMES = {"type": "category", "autorange": "reversed", "ticksuffix": "  "}
"""A vertical axis of names, the first one on top."""
ROW_ABOVE = {"orientation": "h", "y": 1.0, "yanchor": "bottom"}
"""A legend in a row above the figure, which has no title there."""


def lay_out(
    figure: go.Figure,
    height_px: int,
    x: Mapping[str, Any] | None = None,
    y: Mapping[str, Any] | None = None,
    legend: Mapping[str, Any] | None = None,
    **layout: Any,
) -> go.Figure:
    """Lay a figure out to fill its place: no margins, axes that nobody can drag away.

    `x`, `y` and `layout` are what else plotly's axes and layout are like; there is a legend if it is told how to lie.
    """
    if legend:
        layout = {"legend": legend, "showlegend": True, **layout}
    figure.update_layout(**{"height": height_px, "margin": {"l": 0, "r": 16, "t": 4, "b": 0}, **layout})
    return figure.update_xaxes(fixedrange=True, **(x or {})).update_yaxes(fixedrange=True, **(y or {}))


def percents(figures: Sequence[Estimate]) -> list[float]:
    """Return the values of some shares in percent."""
    return [100 * one.value for one in figures]


def whiskers(figures: Sequence[Estimate], scale: float = 100.0) -> dict[str, Any]:
    """Return the intervals of some figures as plotly's error bars; none where there is no interval."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (one.high - one.value) if one.high is not None else 0 for one in figures],
        "arrayminus": [scale * (one.value - one.low) if one.low is not None else 0 for one in figures],
        **WHISKER,
    }


def themed(figure: go.Figure, dark: bool) -> go.Figure:
    """Return a copy of a figure for a light or a dark page: intervals in the colour of its text, fields to match.

    Of the fields even the fullest one keeps a contrast of 4.5 to its number.
    """
    figure, color = go.Figure(figure), "#E8ECF1" if dark else "#1B222C"
    for axis in ("error_x", "error_y"):
        figure.update_traces({f"{axis}_color": color}, selector={f"{axis}_color": WHISKER["color"]})
    if dark:
        fields = {"colorscale": [[0, "#1D242E"], [1, "#2A6399"]], "textfont_color": color}
        figure.update_traces(fields, selector={"type": "heatmap"})
    return figure


def as_table(figure: go.Figure) -> str:
    """Return what a figure shows as CSV: a row for each point or field, with the ends of its interval where it has one.

    Values are as on its axes.
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
    """Return a name without the marks that plotly draws it by."""
    return unescape(re.sub(r"<[^<>]*>", " ", value)).strip() if isinstance(value, str) else value


def pattern(shape: str) -> dict[str, Any]:
    """Return what plotly draws on bars, "" for nothing."""
    return {"shape": shape, "fillmode": "overlay", "fgcolor": "white", "fgopacity": 0.7, "size": 6, "solidity": 0.3}


def add_bars(
    figure: go.Figure, x: Sequence[float], y: Sequence[str], name: str, color: str, shape: str, **more: Any
) -> None:
    """Add horizontal bars that differ from others in colour and pattern."""
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
    """Add a line with marks, which differs in dash and mark from those with another number."""
    line = {"color": color, "width": 2.5, "dash": DASHES[number % len(DASHES)]}
    marker = {"symbol": SYMBOLS[number % len(SYMBOLS)], "size": size_px}
    figure.add_scatter(x=x, y=y, name=name, line=line, marker=marker, **{"mode": "lines+markers", **more})


def lay_out_bars(figure: go.Figure, height_px: int) -> go.Figure:
    """Lay out horizontal bars of percentages, the first one on top."""
    x, legend = PERCENT | {"side": "top"}, {"orientation": "h", "y": 0, "yanchor": "top"}
    return lay_out(figure, height_px, x, NAMES, bargap=0.25, barmode="group", dragmode=False, legend=legend)
