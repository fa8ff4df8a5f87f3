"""Charts of data sets and runs: the numbers are right, and color is never the only cue."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest

from fer.charts.training import accuracy_curves, class_bars, confusion_map, loss_curves, rate_curve
from fer.training.config import TrainingConfig
from fer.training.metrics import Beginning, EpochMetrics, Part
from fer.training.runs import RunView, open_run, view

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


CONFIG = TrainingConfig("x", epochs=20, warmup_epochs=2, batch_size=32)
STEPS = [Part(0.5 * number, 3.0 / number, CONFIG.rate_at(0.5 * number, 16)) for number in range(1, 7)]


def seen(
    folder: Path,
    metrics: Sequence[EpochMetrics] = METRICS,
    steps: Sequence[Part] = (),
    beginning: Beginning | None = None,
    config: TrainingConfig = CONFIG,
) -> RunView:
    """Return a run as it is on disk."""
    run = open_run(folder.parent, config, folder.name)
    for line in metrics:
        run.append_metrics(line)
    for part in steps:
        run.append_step(part)
    if beginning:
        run.write_beginning(beginning)
    return view(folder)


def test_curves_show_both_splits_over_all_epochs(tmp_path: Path) -> None:
    run = seen(tmp_path / "mine")
    for figure, what, scale in ((loss_curves(run), "loss", 1), (accuracy_curves(run), "accuracy", 100)):
        found = traces(figure)
        for split in ("train", "validation"):
            np.testing.assert_allclose(found[split].y, [scale * getattr(line, f"{split}_{what}") for line in METRICS])
            assert list(found[split].x) == [1, 2, 3]
        assert found["train"].line.dash != found["validation"].line.dash
        assert found["train"].marker.symbol != found["validation"].marker.symbol
        assert figure.layout.xaxis.range[1] >= 20


def test_the_loss_within_epochs_is_a_line_from_the_first_epoch_on(tmp_path: Path) -> None:
    within = loss_curves(seen(tmp_path / "mine", METRICS[:1], STEPS)).data[0]
    assert (list(within.x), list(within.y)) == ([part.moment for part in STEPS], [part.loss for part in STEPS])
    assert within.line.width < 2


def test_the_best_epoch_has_a_star(tmp_path: Path) -> None:
    best = traces(accuracy_curves(seen(tmp_path / "mine")))["best"]
    assert (list(best.x), list(best.y)) == ([2], [50.0])


def test_the_initial_models_accuracy_is_a_line_over_all_epochs(tmp_path: Path) -> None:
    run = seen(tmp_path / "mine", beginning=Beginning(160, "first", 0.375, 8))
    (line,) = [trace for trace in accuracy_curves(run).data if trace.name.startswith("first")]
    assert (list(line.x), list(line.y)) == ([0, 20], [37.5, 37.5])
    without = seen(tmp_path / "other", beginning=Beginning(160, "first", None, 8))
    assert not [trace for trace in accuracy_curves(without).data if trace.name.startswith("first")]


def test_several_runs_are_overlaid(tmp_path: Path) -> None:
    longer = replace(CONFIG, epochs=40)
    mine, other = seen(tmp_path / "mine"), seen(tmp_path / "other", METRICS[:2], config=longer)
    for figure in (loss_curves(mine, [other]), accuracy_curves(mine, [other])):
        found = traces(figure)
        assert len(found["other"].x) == 2 and found["other"].line.color != found["validation"].line.color
        assert figure.layout.xaxis.range[1] >= 40


def test_a_run_of_an_older_version_has_no_training_accuracy(tmp_path: Path) -> None:
    run = seen(tmp_path / "mine", [replace(line, train_accuracy=None) for line in METRICS])
    assert "train" not in traces(accuracy_curves(run))
    assert "train" in traces(loss_curves(run))


def test_before_the_first_epoch_the_figures_are_empty(tmp_path: Path) -> None:
    run = seen(tmp_path / "mine", [])
    for figure in (loss_curves(run), accuracy_curves(run), rate_curve(run)):
        assert not any(len(trace.x) for trace in figure.data)


def test_the_learning_rate_is_that_of_the_schedule_with_its_warm_up_and_smaller_batches(tmp_path: Path) -> None:
    run = seen(tmp_path / "mine", METRICS, STEPS, Beginning(256, "x", None, 8))
    found = traces(rate_curve(run))
    assert list(found["actual"].y) == [part.rate for part in STEPS]
    planned, size = found["planned"], CONFIG.batch_size_for(256)
    assert size < CONFIG.batch_size
    assert max(planned.y) == pytest.approx(CONFIG.peak_learning_rate * size / CONFIG.batch_size)
    assert planned.x[int(np.argmax(planned.y))] == pytest.approx(2)
    np.testing.assert_allclose(np.interp([part.moment for part in STEPS], planned.x, planned.y), found["actual"].y)
    older = traces(rate_curve(seen(tmp_path / "older")))
    np.testing.assert_allclose(older["actual"].y, [0.1, 0.05, 0.1 / 3])
    assert "planned" not in older


def test_confusion_is_colored_by_share_and_labeled_by_count() -> None:
    (heatmap,) = confusion_map([[3, 1], [0, 0]], ["anger", "fear"]).data
    np.testing.assert_allclose(heatmap.z, [[75, 25], [0, 0]])  # no division by 0 in an empty row
    assert np.array(heatmap.text).tolist() == [[3, 1], [0, 0]]
