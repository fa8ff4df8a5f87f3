"""Figures about data sets and runs: the numbers are in them, and colour is never alone."""

from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from fer.charts.training import accuracy_curves, class_bars, confusion_map, loss_curves, rate_curve
from fer.training.metrics import EpochMetrics

METRICS = [
    EpochMetrics(
        epoch,
        accuracy,
        train_loss=2.0 / epoch,
        validation_loss=2.2 / epoch,
        train_accuracy=0.2 * epoch,
        learning_rate=0.1 / epoch,
    )
    for epoch, accuracy in ((1, 0.25), (2, 0.5), (3, 0.375))
]


def traces(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data if trace.name}


def test_bars_stack_up_to_the_total() -> None:
    figure = class_bars(
        {
            "happiness": {"train": 8, "validation": 1, "test": 0},
            "anger": {"train": 3, "validation": 0, "test": 1},
        }
    )
    found = traces(figure)
    assert list(found["train"].y) == ["happiness", "anger"]
    assert [list(found[split].x) for split in ("train", "validation", "test")] == [[8, 3], [1, 0], [0, 1]]
    assert figure.layout.barmode == "stack"
    assert len({found[split].marker.pattern.shape for split in found}) == 3
    assert [text.strip() for text in figure.data[-1].text] == ["9", "4"]


def test_curves_show_both_splits_apart_and_the_whole_of_the_time() -> None:
    for figure, what, scale in ((loss_curves(METRICS, 20), "loss", 1), (accuracy_curves(METRICS, 20), "accuracy", 100)):
        found = traces(figure)
        for split in ("train", "validation"):
            np.testing.assert_allclose(found[split].y, [scale * getattr(line, f"{split}_{what}") for line in METRICS])
            assert list(found[split].x) == [1, 2, 3]
        assert found["train"].line.dash != found["validation"].line.dash
        assert found["train"].marker.symbol != found["validation"].marker.symbol
        assert figure.layout.xaxis.range[1] >= 20


def test_the_best_epoch_has_a_star() -> None:
    best = traces(accuracy_curves(METRICS, 3))["best"]
    assert (list(best.x), list(best.y)) == ([2], [50.0])


def test_a_run_of_an_older_version_has_no_training_accuracy() -> None:
    lines = [replace(line, train_accuracy=None) for line in METRICS]
    assert "train" not in traces(accuracy_curves(lines, 3))
    assert "train" in traces(loss_curves(lines, 3))


def test_before_the_first_epoch_the_figures_are_empty() -> None:
    for figure in (loss_curves([], 5), accuracy_curves([], 5), rate_curve([], 5)):
        assert not any(len(trace.x) for trace in figure.data)


def test_the_learning_rate() -> None:
    np.testing.assert_allclose(rate_curve(METRICS, 3).data[0].y, [0.1, 0.05, 0.1 / 3])


def test_confusion_is_coloured_by_share_and_numbered_by_count() -> None:
    (heatmap,) = confusion_map([[3, 1], [0, 0]], ["anger", "fear"]).data
    np.testing.assert_allclose(heatmap.z, [[75, 25], [0, 0]])  # a row without pictures is no division by 0
    assert np.array(heatmap.text).tolist() == [[3, 1], [0, 0]]
