"""Evaluations as processes of their own."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fer.errors import EvaluationError
from fer.evaluation.report import read_evaluation
from fer.training import evaluations
from fer.training.evaluations import FAILED, FINISHED, RUNNING, Request


def wait(condition: Callable[[], bool], seconds: float = 90) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_an_evaluation_leaves_a_report_and_a_failed_one_its_reason(tmp_path: Path, tiny_checkpoint: Path) -> None:
    folder = evaluations.start(tmp_path, None, Request("synthetic:80", str(tiny_checkpoint)), "drawn", threads=1)
    assert folder == tmp_path / ".shipped" / "reports" / "drawn-test-majority"
    with pytest.raises(EvaluationError, match="expected no other evaluation"):
        evaluations.start(tmp_path, None, Request("synthetic:80", str(tiny_checkpoint)), "drawn")
    with pytest.raises(EvaluationError, match="Stop it first"):
        evaluations.delete(folder)
    wait(lambda: evaluations.view(folder).state != RUNNING)
    seen = evaluations.view(folder)
    assert (seen.state, seen.run, seen.message) == (FINISHED, None, "")
    assert seen.request and seen.request.dataset == "synthetic:80"
    assert read_evaluation(seen.report_path).report.data.name.startswith("synthetic")
    assert set(seen.progress) == {"what", "done", "total"}

    failing = evaluations.start(tmp_path, "mine", Request("nowhere", str(tiny_checkpoint)), "../no where", threads=1)
    assert failing.parent == tmp_path / "mine" / "reports" and "/" not in failing.name
    wait(lambda: evaluations.view(failing).state != RUNNING)
    seen = evaluations.view(failing)
    assert (seen.state, seen.run) == (FAILED, "mine") and "found nothing" in seen.message
    assert {view.folder for view in evaluations.evaluations(tmp_path)} == {folder, failing}
    evaluations.delete(failing)
    assert [view.folder for view in evaluations.evaluations(tmp_path)] == [folder]


def test_one_that_is_stopped_leaves_nothing(tmp_path: Path, tiny_checkpoint: Path) -> None:
    folder = evaluations.start(tmp_path, "mine", Request("synthetic:4000", str(tiny_checkpoint)), "drawn", threads=1)
    evaluations.stop(folder)
    assert not folder.exists() and evaluations.evaluations(tmp_path) == []
