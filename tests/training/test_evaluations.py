"""Evaluations as processes of their own."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fer.errors import EvaluationError
from fer.evaluation.report import read_evaluation
from fer.training import evaluations
from fer.training.evaluations import FAILED, FINISHED, RUNNING, Request

Wanted = list[tuple[str | None, Request]]


def wait(condition: Callable[[], bool], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_an_evaluation_leaves_a_report_and_a_failed_one_its_reason(tmp_path: Path, tiny_checkpoint: Path) -> None:
    wanted: Wanted = [(None, Request("synthetic:80", str(tiny_checkpoint)))]
    (folder,) = evaluations.start(tmp_path, wanted, "drawn", threads=1)
    assert folder == tmp_path / ".shipped" / "reports" / "tiny-drawn-test-majority"
    with pytest.raises(EvaluationError, match="expected no other evaluation"):
        evaluations.start(tmp_path, wanted, "drawn")
    with pytest.raises(EvaluationError, match="Stop it first"):
        evaluations.delete(folder)
    wait(lambda: evaluations.view(folder).state != RUNNING)
    seen = evaluations.view(folder)
    assert (seen.state, seen.run, seen.message) == (FINISHED, None, "")
    assert seen.request and seen.request.dataset == "synthetic:80"
    assert read_evaluation(seen.report_path).report.data.name.startswith("synthetic")
    assert set(seen.progress) == {"what", "done", "total"}

    (failing,) = evaluations.start(
        tmp_path, [("mine", Request("nowhere", str(tiny_checkpoint)))], "../no where", threads=1
    )
    assert failing.parent == tmp_path / "mine" / "reports" and "/" not in failing.name
    wait(lambda: evaluations.view(failing).state != RUNNING)
    seen = evaluations.view(failing)
    assert (seen.state, seen.run) == (FAILED, "mine") and "found nothing" in seen.message
    assert {view.folder for view in evaluations.evaluations(tmp_path)} == {folder, failing}
    evaluations.delete(failing)
    assert [view.folder for view in evaluations.evaluations(tmp_path)] == [folder]


def test_several_models_are_measured_side_by_side(tmp_path: Path, tiny_checkpoint: Path) -> None:
    request = Request("synthetic:80", str(tiny_checkpoint))
    folders = evaluations.start(tmp_path, [("one", request), ("other", request)], "drawn", threads=2)
    assert [folder.parents[1].name for folder in folders] == ["one", "other"]
    with pytest.raises(EvaluationError, match="expected no other evaluation"):
        evaluations.start(tmp_path, [(None, request)], "drawn")
    wait(lambda: all(evaluations.view(folder).state == FINISHED for folder in folders))
    one, other = (read_evaluation(evaluations.view(folder).report_path).report for folder in folders)
    assert one.confusion == other.confusion


def test_one_that_is_stopped_leaves_nothing(tmp_path: Path, tiny_checkpoint: Path) -> None:
    wanted: Wanted = [("mine", Request("synthetic:4000", str(tiny_checkpoint)))]
    (folder,) = evaluations.start(tmp_path, wanted, "drawn", threads=1)
    evaluations.stop(folder)
    assert not folder.exists() and evaluations.evaluations(tmp_path) == []
