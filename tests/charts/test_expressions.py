"""The figure has the right numbers in the right order; its looks are tested in the browser."""

import plotly.graph_objects as go
import pytest

from fer.charts.expressions import count_bars, probability_bars
from fer.faces import Box, Face
from fer.labels import FERPLUS, color_of


def figure_of(labels: tuple[str, ...], probabilities: tuple[float, ...]) -> go.Figure:
    return probability_bars(Face(Box(0, 0, 1, 1), (), 1.0, labels=labels, probabilities=probabilities))


def test_bars_are_percents_with_the_most_probable_on_top() -> None:
    figure = figure_of(("anger", "fear", "happiness"), (0.25, 0.05, 0.7))
    (bars,) = figure.data
    assert list(bars.y) == ["fear", "anger", "happiness"]  # plotly draws the first one at the bottom
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
