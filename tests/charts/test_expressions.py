"""The figure holds the right numbers in the right order; how it looks is the browser tests' matter."""

import numpy as np
import plotly.graph_objects as go
import pytest

from fer.charts.expressions import (
    COLUMNS,
    MOST_PERSONS,
    MOST_ROWS,
    count_bars,
    expression_lines,
    probability_bars,
    time_bars,
    timeline,
)
from fer.faces import Box, Face
from fer.labels import FERPLUS, color_of
from fer.video.history import Sample


def figure_of(labels: tuple[str, ...], probabilities: tuple[float, ...]) -> go.Figure:
    return probability_bars(Face(Box(0, 0, 1, 1), (), 1.0, labels=labels, probabilities=probabilities))


def test_bars_are_percents_with_the_most_probable_on_top() -> None:
    figure = figure_of(("anger", "fear", "happiness"), (0.25, 0.05, 0.7))
    (bars,) = figure.data
    assert list(bars.y) == ["fear", "anger", "happiness"]  # plotly's first is the lowest
    assert list(bars.x) == pytest.approx([5, 25, 70])
    assert list(bars.text) == ["5 %", "25 %", "70 %"]
    assert bars.orientation == "h"


def test_counts_have_the_most_frequent_on_top() -> None:
    (bars,) = count_bars({"anger": 2, "happiness": 1200, "fear": 7}).data
    assert list(bars.y) == ["anger", "fear", "happiness"]
    assert list(bars.x) == [2, 7, 1200]
    assert list(bars.text) == ["2", "7", "1,200"]


def test_every_bar_has_the_color_of_its_label() -> None:
    labels = (*FERPLUS, "my own word")
    (bars,) = figure_of(labels, (1 / 9,) * 9).data
    assert dict(zip(bars.y, bars.marker.color, strict=True)) == {label: color_of(label) for label in labels}


def test_all_pictures_share_one_scale() -> None:
    for probabilities in ((0.9, 0.1), (0.5, 0.5)):
        assert tuple(figure_of(("a", "b"), probabilities).layout.xaxis.range) == (0, 100)


def test_there_is_room_for_every_bar() -> None:
    two, eight = figure_of(("a", "b"), (0.5, 0.5)), figure_of(FERPLUS, (0.125,) * 8)
    assert eight.layout.height - two.layout.height == 6 * 26


def test_labels_that_are_numbers_stay_words() -> None:
    figure = figure_of(("0", "1", "2"), (0.2, 0.7, 0.1))
    assert figure.layout.yaxis.type == "category"
    assert list(figure.data[0].y) == ["2", "0", "1"]


def test_colors_of_text_and_background_are_left_to_the_theme() -> None:
    layout = figure_of(("a", "b"), (0.5, 0.5)).to_plotly_json()["layout"]
    assert not {"paper_bgcolor", "plot_bgcolor", "font"} & set(layout)


# Of a video

WORDS = ("neutral", "happiness", "my own word")


def sample(seconds: float, person: int = 1, happiness: float = 0.6, lasted: float = 0.2) -> Sample:
    label = "happiness" if happiness > 0.5 else "neutral"
    probabilities = (1 - happiness, happiness, 0.0)
    return Sample(seconds, lasted, person, label, max(probabilities), probabilities)


def test_lines_show_percents_over_the_seconds_before_now() -> None:
    samples = [sample(10 + step / 5, happiness=0.5 + step / 20) for step in range(10)]
    figure = expression_lines(samples[::-1], WORDS, now=12.0, span_seconds=30)
    assert [trace.name for trace in figure.data] == list(WORDS)
    assert list(figure.data[1].x) == pytest.approx([-2 + step / 5 for step in range(10)])
    assert list(figure.data[1].y) == pytest.approx([50 + 5 * step for step in range(10)])
    assert list(figure.data[0].y) == pytest.approx([50 - 5 * step for step in range(10)])
    assert tuple(figure.layout.xaxis.range) == (-30, 0)
    assert tuple(figure.layout.yaxis.range) == (0, 101)


def test_lines_have_the_colors_of_their_labels_and_one_legend() -> None:
    figure = expression_lines([sample(1, person) for person in (1, 2)], WORDS, 2.0, 30)
    assert [trace.line.color for trace in figure.data] == 2 * [color_of(word) for word in WORDS]
    assert [trace.showlegend for trace in figure.data] == [True] * 3 + [False] * 3
    assert [trace.legendgroup for trace in figure.data] == 2 * list(WORDS)


def test_each_person_has_the_own_panel() -> None:
    samples = [sample(1 + step / 5, person, happiness=person / 10) for step in range(5) for person in (7, 2)]
    figure = expression_lines(samples, WORDS, 2.0, 30)
    assert [note.text for note in figure.layout.annotations] == ["person 2", "person 7"]
    panels = {trace.yaxis: trace.y[0] for trace in figure.data if trace.name == "happiness"}
    assert panels == pytest.approx({"y": 20, "y2": 70})


def test_of_a_crowd_those_seen_last_have_panels() -> None:
    samples = [sample(person, person) for person in range(1, 11)]
    figure = expression_lines(samples, WORDS, 11.0, 30)
    assert [note.text for note in figure.layout.annotations] == ["person 8", "person 9", "person 10"]
    assert len(figure.data) == MOST_PERSONS * len(WORDS)


def test_a_line_is_broken_where_somebody_was_away() -> None:
    samples = [sample(seconds) for seconds in (1.0, 1.2, 1.4, 5.0, 5.2)]
    for trace in expression_lines(samples, WORDS, 6.0, 30).data:
        assert np.isnan(trace.y).tolist() == [False, False, False, True, False]


def test_a_long_sample_is_no_gap() -> None:
    figure = expression_lines([sample(1.0, lasted=4.0), sample(5.1)], WORDS, 6.0, 30)
    assert not np.isnan(figure.data[0].y).any()


@pytest.mark.parametrize("labels", [WORDS, ()])
def test_without_samples_there_is_one_empty_panel(labels: tuple[str, ...]) -> None:
    figure = expression_lines([], labels, 0.0, 30)
    assert len(figure.data) == len(labels)
    assert all(len(trace.x) == 0 for trace in figure.data)


def test_time_bars_stack_the_seconds_of_each_person() -> None:
    summary = {1: {"neutral": 8.0, "happiness": 2.0}, 3: {"my own word": 4.0}}
    figure = time_bars(summary, WORDS)
    assert figure.layout.barmode == "stack"
    bars = {bar.name: dict(zip(bar.y, bar.x, strict=True)) for bar in figure.data}
    assert bars == {
        "neutral": {"person 1": 8.0, "person 3": 0.0},
        "happiness": {"person 1": 2.0, "person 3": 0.0},
        "my own word": {"person 1": 0.0, "person 3": 4.0},
    }
    assert [bar.marker.color for bar in figure.data] == [color_of(word) for word in WORDS]


def test_time_bars_leave_out_what_nobody_showed_and_write_only_where_there_is_room() -> None:
    figure = time_bars({1: {"neutral": 9.0, "happiness": 1.0}}, WORDS)
    assert {bar.name: tuple(bar.text) for bar in figure.data} == {"neutral": ("neutral",), "happiness": ("",)}


def test_time_bars_show_those_in_view_the_longest_in_the_order_of_their_numbers() -> None:
    figure = time_bars({person: {"neutral": float(person)} for person in range(1, 31)}, WORDS)
    assert list(figure.data[0].y) == [f"person {person}" for person in range(31 - MOST_ROWS, 31)]
    assert figure.layout.yaxis.autorange == "reversed"


def test_time_bars_of_nobody_are_empty() -> None:
    assert len(time_bars({}, WORDS).data) == 0
    assert len(time_bars({}, ()).data) == 0


def test_a_timeline_colors_each_moment_by_its_label() -> None:
    samples = [sample(0, 1, 0.9, 5), sample(5, 1, 0.1, 5), sample(2.5, 4, 0.9, 2.5)]
    figure = timeline(samples, WORDS, 10.0)
    heat = figure.data[0]
    assert list(heat.y) == ["person 1", "person 4"]
    shown = np.asarray(heat.z, float)
    assert shown.shape == (2, COLUMNS)
    assert np.all(shown[0, : COLUMNS // 2] == 1)
    assert np.all(shown[0, COLUMNS // 2 :] == 0)
    there = ~np.isnan(shown[1])
    assert there[COLUMNS // 4 : COLUMNS // 2].all()
    assert there.sum() == COLUMNS // 4
    assert heat.customdata[0][0] == "happiness"
    assert heat.customdata[1][0] == ""
    assert heat.x[0] == pytest.approx(0.0125)
    assert heat.x[-1] == pytest.approx(9.9875)


def test_a_timelines_scale_has_a_band_for_each_label_and_a_legend_for_those_seen() -> None:
    figure = timeline([sample(0, 1, 0.9), sample(1, 1, 0.1)], WORDS, 10.0)
    heat, *legend = figure.data
    span = heat.zmax - heat.zmin
    for number, word in enumerate(WORDS):
        middle = (number - heat.zmin) / span
        below = [color for place, color in heat.colorscale if place <= middle][-1]
        above = next(color for place, color in heat.colorscale if place >= middle)
        assert below == above == color_of(word)
    assert [(entry.name, entry.marker.color) for entry in legend] == [
        ("neutral", color_of("neutral")),
        ("happiness", color_of("happiness")),
    ]


def test_a_moment_in_a_long_video_is_still_seen() -> None:
    figure = timeline([sample(3600, 1, 0.9, 0.2), sample(7200, 2, 0.9, 0.2)], WORDS, 7200.0)
    assert (~np.isnan(np.asarray(figure.data[0].z, float))).sum(axis=1).tolist() == [1, 1]


def test_a_timeline_of_a_crowd_has_the_longest_rows() -> None:
    samples = [sample(person, person, lasted=person) for person in range(1, 31)]
    assert len(timeline(samples, WORDS, 60.0).data[0].y) == MOST_ROWS


@pytest.mark.parametrize("labels", [WORDS, ()])
def test_a_timeline_of_nobody_is_no_error(labels: tuple[str, ...]) -> None:
    figure = timeline([], labels, 0.0)
    assert len(figure.data[0].y) == 0
