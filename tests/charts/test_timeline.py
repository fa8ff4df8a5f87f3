"""Charts of a video: exact bars, clickable moments, and a size that a browser can handle."""

import numpy as np
import plotly.graph_objects as go
import pytest

from fer.charts.timeline import (
    MOST_ROWS,
    POINTS,
    latest_people,
    probability_lines,
    shown_people,
    time_bars,
    timeline_bars,
    valence_lines,
)
from fer.labels import FERPLUS, color_of
from fer.video.live import SAMPLE_SECONDS
from fer.video.recorder import Recorder
from tests.video.results import face, timeline_of

SEEN = timeline_of({1: ["neutral"] * 10 + ["happiness"] * 5, 2: [None] * 5 + ["surprise"] * 5})
NOBODY = timeline_of({})


def live(seconds: float) -> Recorder:
    recorder = Recorder(FERPLUS, SAMPLE_SECONDS, 1000)
    for step in range(round(30 * seconds)):
        recorder.add(step, step / 30, [face(person, "neutral", 0.2 + person / 10) for person in (7, 2)])
    return recorder


def test_bars_match_the_times_of_expressions() -> None:
    figure = timeline_bars(SEEN, 0.7)
    bars = {bar.name: bar for bar in figure.data if bar.type == "bar"}
    assert set(bars) == {"neutral", "happiness", "surprise"}
    assert (bars["happiness"].base[0], bars["happiness"].x[0]) == pytest.approx((1.0, 0.5))
    assert bars["surprise"].y == ("person 2",)
    assert bars["surprise"].marker.color == color_of("surprise")
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == 0.7


def test_bars_of_a_recording_are_whole_although_it_is_stored_in_pieces() -> None:
    bars = [bar for bar in timeline_bars(live(10).timeline()).data if bar.type == "bar"]
    assert [(bar.name, len(bar.x)) for bar in bars] == [("neutral", 2)]
    assert list(bars[0].x) == pytest.approx([10, 10], abs=0.05)


def test_every_moment_is_clickable_and_has_its_time() -> None:
    (points,) = [trace for trace in timeline_bars(SEEN).data if trace.type == "scatter"]
    assert len(points.x) == 20
    assert [row[0] for row in points.customdata] == pytest.approx(list(points.x))
    assert list(points.customdata[0][1:]) == ["neutral", "80 %"]


def test_long_videos_and_crowds_are_thinned() -> None:
    shown = {person: ["neutral"] * (100 + person) for person in range(1, 25)}
    long = timeline_of(shown | {30: ["anger"] * 5000})
    assert len(shown_people(long)) == MOST_ROWS and 30 in shown_people(long) and 1 not in shown_people(long)
    (points,) = [trace for trace in timeline_bars(long).data if trace.type == "scatter"]
    assert len(points.x) < MOST_ROWS * 2 * POINTS
    assert points.x.max() > 490


def test_a_line_has_a_gap_while_somebody_is_away() -> None:
    seen = timeline_of({1: ["neutral"] * 10 + [None] * 20 + ["neutral"] * 10})
    (line,) = [trace for trace in probability_lines(seen, [1]).data if trace.name == "neutral"]
    assert np.isnan(line.y).sum() == 1
    assert np.nanmax(line.y) == pytest.approx(80, abs=0.1)
    assert np.isnan(valence_lines(seen).data[0].y).sum() == 1


def test_a_long_row_is_no_gap() -> None:
    assert not np.isnan(probability_lines(live(5).timeline(), [2]).data[0].y).any()


def test_lines_of_the_last_minute_are_counted_back_from_now() -> None:
    figure = probability_lines(live(10).recent(), [2])
    assert tuple(figure.layout.xaxis.range) == (-60, pytest.approx(0, abs=0.1))
    assert figure.data[0].x[0] == pytest.approx(-10, abs=0.1) and figure.data[0].x[-1] <= 0


def test_each_person_has_a_panel_and_all_share_a_legend() -> None:
    figure = probability_lines(live(2).timeline(), [2, 7])
    assert [note.text for note in figure.layout.annotations] == ["person 2", "person 7"]
    panels = {trace.yaxis: trace.y[0] for trace in figure.data if trace.name == "neutral"}
    assert panels == pytest.approx({"y": 40, "y2": 90})
    assert [trace.line.color for trace in figure.data] == 2 * [color_of(label) for label in FERPLUS]
    assert [trace.name for trace in figure.data if trace.showlegend] == ["neutral"], "nothing else was ever likely"
    assert [trace.legendgroup for trace in figure.data] == 2 * list(FERPLUS)


def test_the_legend_of_the_lines_has_the_likely_expressions() -> None:
    named = [trace.name for trace in probability_lines(SEEN, [1]).data if trace.showlegend]
    assert named == ["neutral", "happiness"]
    assert len(probability_lines(SEEN, [1]).data) == len(FERPLUS)


@pytest.mark.parametrize("figure", [timeline_bars(SEEN), probability_lines(SEEN, [1]), valence_lines(SEEN)])
def test_the_last_second_is_on_the_axis(figure: go.Figure) -> None:
    low, high = figure.layout.xaxis.range
    assert low == 0 and 1.5 < high < 1.51


def test_the_people_seen_last_in_a_crowd() -> None:
    assert latest_people(timeline_of({p: [None] * p + ["neutral"] for p in range(1, 11)})) == [8, 9, 10]


def test_time_bars_stack_the_seconds_of_each_person() -> None:
    figure = time_bars(SEEN)
    assert figure.layout.barmode == "stack"
    bars = {bar.name: dict(zip(bar.y, bar.x, strict=True)) for bar in figure.data}
    assert bars == {
        "neutral": pytest.approx({"person 1": 1.0, "person 2": 0.0}),
        "happiness": pytest.approx({"person 1": 0.5, "person 2": 0.0}),
        "surprise": pytest.approx({"person 1": 0.0, "person 2": 0.5}),
    }
    assert [bar.marker.color for bar in figure.data] == [color_of(name) for name in bars]


def test_time_bars_are_labeled_only_if_there_is_room() -> None:
    figure = time_bars(timeline_of({1: ["neutral"] * 9 + ["happiness"]}))
    assert {bar.name: tuple(bar.text) for bar in figure.data} == {"neutral": ("neutral",), "happiness": ("",)}


def test_people_stay_in_the_order_of_their_numbers() -> None:
    figure = time_bars(timeline_of({person: ["neutral"] * person for person in range(1, 31)}))
    names = [f"person {person}" for person in range(31 - MOST_ROWS, 31)]
    assert list(figure.data[0].y) == list(figure.layout.yaxis.categoryarray) == names
    assert figure.layout.yaxis.autorange == "reversed"


def test_valence_has_a_line_for_each_person() -> None:
    figure = valence_lines(timeline_of({1: ["happiness"] * 10, 2: ["anger"] * 10}, confidence=1.0))
    assert [trace.name for trace in figure.data] == ["person 1", "person 2"]
    assert np.mean(figure.data[0].y) == pytest.approx(1) and np.mean(figure.data[1].y) == pytest.approx(-1)


def test_nobody_is_no_error() -> None:
    assert not [bar for bar in timeline_bars(NOBODY).data if bar.type == "bar"]
    assert len(time_bars(NOBODY).data) == 0
    assert all(not len(trace.x) for trace in probability_lines(NOBODY, latest_people(NOBODY)).data)
