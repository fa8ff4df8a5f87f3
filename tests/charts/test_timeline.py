"""Charts of a video: exact bars, moments to click on, and not too much for a browser."""

import numpy as np
import pytest

from fer.charts.timeline import MOST_ROWS, POINTS, clip_lines, clip_timeline, shown_people, tone_lines
from tests.video.results import clip_result

RESULT = clip_result({1: ["neutral"] * 10 + ["happiness"] * 5, 2: [None] * 5 + ["surprise"] * 5})


def test_bars_lie_where_the_expressions_were() -> None:
    figure = clip_timeline(RESULT, 0.7)
    bars = {bar.name: bar for bar in figure.data if bar.type == "bar"}
    assert set(bars) == {"neutral", "happiness", "surprise"}
    assert (bars["happiness"].base[0], bars["happiness"].x[0]) == pytest.approx((1.0, 0.5))
    assert bars["surprise"].y == ("person 2",)
    (line,) = figure.layout.shapes
    assert line.x0 == line.x1 == 0.7


def test_every_moment_can_be_clicked_on_and_says_its_second() -> None:
    (points,) = [trace for trace in clip_timeline(RESULT).data if trace.type == "scatter"]
    assert len(points.x) == 20
    assert [row[0] for row in points.customdata] == pytest.approx(list(points.x))
    assert list(points.customdata[0][1:]) == ["neutral", "80 %"]


def test_long_videos_and_crowds_are_thinned() -> None:
    long = clip_result({person: ["neutral"] * (100 + person) for person in range(1, 20)} | {20: ["anger"] * 5000})
    assert len(shown_people(long)) == MOST_ROWS and 20 in shown_people(long) and 1 not in shown_people(long)
    (points,) = [trace for trace in clip_timeline(long).data if trace.type == "scatter"]
    assert len(points.x) < MOST_ROWS * 2 * POINTS
    assert points.x.max() > 490


def test_a_line_has_a_hole_where_somebody_was_away() -> None:
    result = clip_result({1: ["neutral"] * 10 + [None] * 20 + ["neutral"] * 10})
    (line,) = [trace for trace in clip_lines(result, 1).data if trace.name == "neutral"]
    assert np.isnan(line.y).sum() == 1
    assert np.nanmax(line.y) == pytest.approx(80, abs=0.1)
    assert np.isnan(tone_lines(result).data[0].y).sum() == 1


def test_the_tone_has_a_line_for_each_person() -> None:
    figure = tone_lines(clip_result({1: ["happiness"] * 10, 2: ["anger"] * 10}, confidence=1.0))
    assert [trace.name for trace in figure.data] == ["person 1", "person 2"]
    assert np.mean(figure.data[0].y) == pytest.approx(1) and np.mean(figure.data[1].y) == pytest.approx(-1)


def test_nobody_is_no_error() -> None:
    assert not [bar for bar in clip_timeline(clip_result({})).data if bar.type == "bar"]
