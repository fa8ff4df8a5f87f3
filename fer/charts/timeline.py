"""Charts of a video's timeline. Text colors and backgrounds are left to the page's theme."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer.charts.chart import GUIDE, NAMES, PERCENT, ROW_ABOVE, lay_out
from fer.faces import percent
from fer.labels import color_of
from fer.names import in_chart
from fer.video.timeline import LONGEST_GAP_SECONDS, Timeline

MOST_ROWS = 20
"""Largest number of people shown: those in view the longest."""
POINTS = 600
"""Points drawn and clickable per person, however long the video is."""
LIKELY = 0.1
"""Expressions that were never this probable are not in the legend of the lines."""
MOST_BARS = 4000
"""Largest number of spans drawn, the shortest are left out; a browser would take seconds for more."""


def shown_people(timeline: Timeline) -> list[int]:
    """Return the people that were in view the longest, ordered by number."""
    totals = {person: sum(seconds.values()) for person, seconds in timeline.summary().items()}
    return sorted(sorted(totals, key=lambda person: -totals[person])[:MOST_ROWS])


def latest_people(timeline: Timeline, most: int = 3) -> list[int]:
    """Return the people seen last, ordered by number."""
    latest = {int(person): place for place, person in enumerate(timeline.rows["person"])}
    return sorted(sorted(latest, key=lambda person: -latest[person])[:most])


def timeline_bars(timeline: Timeline, moment: float | None = None) -> go.Figure:
    """Return who showed what and when: a row for each person; the first custom value of each point is its second.

    Args:
        timeline: of the video.
        moment: a moment to mark, in seconds.
    """
    persons = shown_people(timeline)
    figure = go.Figure()
    spans = [span for span in timeline.spans if span.person in persons]
    spans = sorted(spans, key=lambda span: -span.seconds)[:MOST_BARS]
    for label in timeline.labels:
        own = [span for span in spans if span.label == label]
        if own:
            figure.add_bar(
                base=[span.start for span in own],
                x=[span.seconds for span in own],
                y=[_name(timeline, span.person) for span in own],
                orientation="h",
                name=in_chart(label),
                marker={"color": color_of(label), "line": {"width": 0}},
                hoverinfo="skip",
                unselected={"marker": {"opacity": 1}},
            )
    chosen = [_spread(timeline, person) for person in persons]
    places = np.concatenate(chosen) if chosen else np.array([], int)
    rows = timeline.shown[places]
    figure.add_scatter(  # clicks on bars do not give a moment
        x=rows["seconds"],
        y=[_name(timeline, person) for person in rows["person"]],
        customdata=[
            [float(at), in_chart(timeline.labels[held]), percent(confidence)]
            for at, held, confidence in zip(rows["seconds"], rows["held"], timeline.confidences[places], strict=True)
        ],
        mode="markers",
        marker={"size": 2, "opacity": 0, "color": GUIDE},  # larger ones overlap their neighbors
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="%{x:.1f} s: %{customdata[1]}, %{customdata[2]}<extra>%{y}</extra>",
        showlegend=False,
    )
    _mark(figure, moment)
    return lay_out(
        figure,
        110 + 46 * max(len(persons), 1),
        x=_seconds(timeline) | {"showgrid": False},
        y=_people(timeline, persons),
        legend=ROW_ABOVE,
        barmode="overlay",
        bargap=0.35,
        clickmode="event+select",
        hovermode="closest",
        hoverdistance=60,  # pixels: anywhere on a bar
        dragmode=False,
    )


def time_bars(timeline: Timeline) -> go.Figure:
    """Return how long each person showed each expression."""
    summary, persons = timeline.summary(), shown_people(timeline)
    figure = go.Figure()
    for label in timeline.labels:
        seconds = [summary[person].get(label, 0.0) for person in persons]
        if not any(seconds):
            continue
        figure.add_bar(
            x=seconds,
            y=[_name(timeline, person) for person in persons],
            name=in_chart(label),
            orientation="h",
            marker_color=color_of(label),
            text=[
                in_chart(label) if value > 0.15 * sum(summary[person].values()) else ""
                for person, value in zip(persons, seconds, strict=True)
            ],
            textposition="inside",
            insidetextanchor="middle",
            hovertemplate=f"{in_chart(label)}: %{{x:.1f}} s<extra></extra>",
        )
    height_px = 90 + 42 * len(persons)
    return lay_out(
        figure, height_px, {"ticksuffix": " s"}, _people(timeline, persons), legend=ROW_ABOVE, barmode="stack"
    )


def probability_lines(timeline: Timeline, persons: Sequence[int], moment: float | None = None) -> go.Figure:
    """Return the probability of each expression over the video, a panel for each of these people.

    The legend lists expressions that were likely at some moment; colors do not change while a video is running.
    """
    of_these = np.isin(timeline.rows["person"], persons)
    likely = timeline.shown["probabilities"][of_these].max(axis=0, initial=0.0) >= LIKELY
    panels = max(len(persons), 1)
    figure = make_subplots(
        rows=panels,
        shared_xaxes=True,
        vertical_spacing=0.08,
        subplot_titles=[_name(timeline, person) for person in persons] if len(persons) > 1 else None,
    )
    for row, person in enumerate(persons or [0], start=1):
        places = _spread(timeline, person)
        seconds, percents = _with_holes(timeline, places, 100 * timeline.shown["probabilities"][places].astype(float))
        for index, label in enumerate(timeline.labels):
            figure.add_scatter(
                x=seconds,
                y=percents[:, index],
                name=in_chart(label),
                mode="lines",
                line={"color": color_of(label), "width": 2},
                showlegend=row == 1 and bool(likely[index]),
                legendgroup=label,
                hovertemplate="%{y:.0f} %",
                row=row,
                col=1,
            )
    _mark(figure, moment)
    y, legend = PERCENT | {"dtick": 50}, _BELOW | {"y": -0.22 / panels}
    # The constant revision keeps labels hidden that somebody has switched off.
    lay_out(figure, 100 + 160 * panels, _seconds(timeline), y, legend, uirevision="lines", **_LINES)
    return figure.update_layout(margin_t=28 if len(persons) > 1 else 8)  # room for the first panel's title


def valence_lines(timeline: Timeline) -> go.Figure:
    """Return each person's valence over the video; the timeline must have it."""
    assert timeline.valence is not None
    figure = go.Figure()
    for person in shown_people(timeline):
        places = _spread(timeline, person)
        seconds, values = _with_holes(timeline, places, timeline.valence[places])
        figure.add_scatter(
            x=seconds,
            y=values,
            name=_name(timeline, person),
            mode="lines",
            line=_line_of(person),
            hovertemplate="%{y:+.2f}",
        )
    figure.add_hline(y=0, line={"color": GUIDE, "width": 1})
    sides = {"range": [-1.15, 1.15], "tickvals": [-1, 0, 1], "ticktext": ["unpleasant", "neither", "pleasant"]}
    return lay_out(figure, 200, x=_seconds(timeline), y=sides, legend=_BELOW, **_LINES)


def _line_of(person: int) -> dict[str, Any]:
    """Return the style of a person's line: expressions have colors, people are gray."""
    return {
        "color": GUIDE,
        "dash": ("solid", "dash", "dot", "dashdot")[(person - 1) % 4],
        "width": 2 + (person - 1) // 4 % 2,
    }


_BELOW = {"orientation": "h", "y": -0.2, "yanchor": "top"}
_LINES: dict[str, Any] = {"hovermode": "x", "dragmode": False}


def _seconds(timeline: Timeline) -> dict[str, Any]:
    # A little more than the video: otherwise rounding drops the last tick, such as 10 s of ten seconds.
    return {"range": [timeline.starts, timeline.ends + 1e-3 * timeline.seconds], "ticksuffix": " s"}


def _people(timeline: Timeline, persons: Sequence[int]) -> dict[str, Any]:
    return NAMES | {"categoryorder": "array", "categoryarray": [_name(timeline, person) for person in persons]}


def _mark(figure: go.Figure, moment: float | None) -> None:
    if moment is not None:
        figure.add_vline(x=moment, line={"color": GUIDE, "width": 2, "dash": "dot"})


def _spread(timeline: Timeline, person: int) -> np.ndarray:
    """Return the indices of a person's rows, evenly thinned to about `POINTS`."""
    rows = timeline.of(person)
    return rows[:: max(len(rows) // POINTS, 1)]


def stretches(timeline: Timeline, person: int) -> list[np.ndarray]:
    """Return the indices of a person's rows to draw, for each time in view; about `POINTS` in total."""
    places = _spread(timeline, person)
    return np.split(places, _away(timeline, places))


def _away(timeline: Timeline, places: np.ndarray) -> np.ndarray:
    """Return the positions, among these of a person's rows, before which the person was away."""
    seconds, lasted = timeline.rows["seconds"][places], timeline.rows["lasted"][places]
    gaps = np.diff(seconds) - lasted[:-1]
    return np.flatnonzero(gaps > max(LONGEST_GAP_SECONDS, 3 * timeline.seconds / POINTS)) + 1


def _with_holes(timeline: Timeline, places: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return times and values of the rows, NaN where a person was away, so that no line crosses the gap."""
    seconds, away = timeline.rows["seconds"][places], _away(timeline, places)
    return np.insert(seconds, away, seconds[away]), np.insert(values, away, np.nan, axis=0)


def _name(timeline: Timeline, person: int) -> str:
    return in_chart(timeline.name_of(person))
