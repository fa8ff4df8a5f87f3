"""Charts of a video file, to be clicked on. Text colours and backgrounds are left to the page's theme."""

import numpy as np
import plotly.graph_objects as go

from fer.faces import percent
from fer.labels import color_of
from fer.video.timeline import ClipResult

MOST_ROWS = 12
"""As many persons are drawn: those in view the longest."""
POINTS = 600
"""Moments of each person that can be clicked on, however long the video was."""
MOST_BARS = 4000
"""Shorter spans are left out of the drawing where there are more; a browser would take seconds for them."""
_MARK = "#808792"


def shown_people(result: ClipResult) -> list[int]:
    """Return the persons that were in view the longest, in the order of their numbers."""
    totals = {person: sum(seconds.values()) for person, seconds in result.summary().items()}
    return sorted(sorted(totals, key=lambda person: -totals[person])[:MOST_ROWS])


def clip_timeline(result: ClipResult, moment: float | None = None) -> go.Figure:
    """Return who showed what from when to when: a row for each person; each point's first custom value is its second.

    Args:
        result: of the video.
        moment: is marked, if given, in seconds.
    """
    persons = shown_people(result)
    figure = go.Figure()
    spans = [span for span in result.spans if span.person in persons]
    spans = sorted(spans, key=lambda span: -span.seconds)[:MOST_BARS]
    for label in result.labels:
        own = [span for span in spans if span.label == label]
        if own:
            figure.add_bar(
                base=[span.start for span in own],
                x=[span.seconds for span in own],
                y=[_name(span.person) for span in own],
                orientation="h",
                name=label,
                marker={"color": color_of(label), "line": {"width": 0}},
                hoverinfo="skip",
                unselected={"marker": {"opacity": 1}},
            )
    rows = _spread(result, persons)
    confidences = result.probabilities[rows, result.held[rows]]
    seconds = result.frame_seconds[result.places[rows]]
    figure.add_scatter(  # bars give no moment when they are clicked on
        x=seconds,
        y=[_name(person) for person in result.persons[rows]],
        customdata=[
            [float(at), result.labels[held], percent(confidence)]
            for at, held, confidence in zip(seconds, result.held[rows], confidences, strict=True)
        ],
        mode="markers",
        marker={"size": 2, "opacity": 0, "color": _MARK},  # larger ones tie with their neighbours
        selected={"marker": {"opacity": 0}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="%{x:.1f} s: %{customdata[1]}, %{customdata[2]}<extra>%{y}</extra>",
        showlegend=False,
    )
    if moment is not None:
        figure.add_vline(x=moment, line={"color": _MARK, "width": 2, "dash": "dot"})
    figure.update_layout(
        barmode="overlay",
        bargap=0.35,
        height=110 + 46 * max(len(persons), 1),
        margin={"l": 0, "r": 10, "t": 4, "b": 0},
        xaxis={"range": [result.starts, result.ends], "ticksuffix": " s", "fixedrange": True, "showgrid": False},
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": [_name(person) for person in persons],
            "autorange": "reversed",
            "fixedrange": True,
            "ticksuffix": "  ",
        },
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom"},
        showlegend=True,
        dragmode=False,
        hovermode="closest",
        hoverdistance=60,  # pixels: anywhere on a bar
        clickmode="event+select",
    )
    return figure


def clip_lines(result: ClipResult, person: int, moment: float | None = None) -> go.Figure:
    """Return the probability of each expression of a person over the video."""
    rows = _spread(result, [person])
    seconds, percents = _with_holes(result, rows, 100 * result.probabilities[rows].astype(float))
    figure = go.Figure()
    for index, label in enumerate(result.labels):
        if np.nanmax(percents[:, index], initial=0) >= 5:
            figure.add_scatter(
                x=seconds,
                y=percents[:, index],
                name=label,
                mode="lines",
                line={"color": color_of(label), "width": 2},
                hovertemplate="%{y:.0f} %",
            )
    if moment is not None:
        figure.add_vline(x=moment, line={"color": _MARK, "width": 2, "dash": "dot"})
    _axes(figure, result, {"range": [0, 101], "ticksuffix": " %", "fixedrange": True, "nticks": 3}, 240)
    return figure


def tone_lines(result: ClipResult) -> go.Figure:
    """Return the derived tone of each person over the video; the result must have one."""
    assert result.tone is not None
    figure = go.Figure()
    for person in shown_people(result):
        rows = _spread(result, [person])
        seconds, tones = _with_holes(result, rows, result.tone[rows])
        figure.add_scatter(
            x=seconds,
            y=tones,
            name=_name(person),
            mode="lines",
            line={"width": 2},
            hovertemplate="%{y:+.2f}",
        )
    figure.add_hline(y=0, line={"color": _MARK, "width": 1})
    _axes(
        figure,
        result,
        {
            "range": [-1.15, 1.15],
            "tickvals": [-1, 0, 1],
            "ticktext": ["unpleasant", "neither", "pleasant"],
            "fixedrange": True,
        },
        200,
    )
    return figure


def _axes(figure: go.Figure, result: ClipResult, yaxis: dict[str, object], height: int) -> None:
    figure.update_layout(
        height=height,
        margin={"l": 0, "r": 10, "t": 4, "b": 0},
        xaxis={"range": [result.starts, result.ends], "ticksuffix": " s", "fixedrange": True},
        yaxis=yaxis,
        legend={"orientation": "h", "y": -0.2, "yanchor": "top"},
        showlegend=True,
        hovermode="x",
        dragmode=False,
    )


def _spread(result: ClipResult, persons: list[int]) -> np.ndarray:
    """Return rows of these persons, at most `POINTS` of each, evenly in time."""
    chosen = []
    for person in persons:
        rows = np.flatnonzero(result.persons == person)
        chosen.append(rows[:: max(len(rows) // POINTS, 1)])
    return np.concatenate(chosen) if chosen else np.array([], int)


def _with_holes(result: ClipResult, rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return when the rows are and their values, NaN where somebody was away: a line across that would be made up."""
    seconds = result.frame_seconds[result.places[rows]]
    away = np.flatnonzero(np.diff(seconds) > max(1.0, 3 * result.seconds / POINTS)) + 1
    return np.insert(seconds, away, seconds[away]), np.insert(values, away, np.nan, axis=0)


def _name(person: int) -> str:
    return f"person {person}"
