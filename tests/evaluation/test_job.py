"""Evaluations in background processes."""

import json
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from fer.cli import jobs as command
from fer.errors import JobError
from fer.evaluation import job as evaluations
from fer.evaluation.job import KIND, REPORT_NAME, model_of
from fer.evaluation.report import Request, read_evaluation
from fer.jobs import job
from fer.jobs.job import JobView
from fer.jobs.status import DAMAGED, FAILED, FINISHED, INTERRUPTED, STOPPED
from tests.scripts.processes import wait_until

Wanted = list[tuple[str | None, Request]]


def wait(folder: Path) -> JobView[Request]:
    wait_until(lambda: not job.view(folder, KIND).active)
    return job.view(folder, KIND)


@pytest.mark.slow
def test_an_evaluation_leaves_a_report_and_a_failed_one_its_reason(tmp_path: Path, tiny_checkpoint: Path) -> None:
    wanted: Wanted = [(None, Request("synthetic:80", str(tiny_checkpoint)))]
    (folder,) = evaluations.start(tmp_path, wanted, "drawn", threads=1)
    assert folder == tmp_path / ".shipped" / "reports" / "tiny-drawn-test-majority"
    with pytest.raises(JobError, match=rf"{KIND.name}.*\b1\b"):
        evaluations.start(tmp_path, wanted, "drawn")
    with pytest.raises(JobError, match=folder.name):
        job.delete(folder, KIND)
    seen = wait(folder)
    assert (seen.state, model_of(folder), seen.message) == (FINISHED, None, "")
    assert seen.request and seen.request.dataset == "synthetic:80"
    report = read_evaluation(folder / REPORT_NAME).report
    assert report.data.name.startswith("drawn faces (80)")
    assert "--dataset synthetic:80" in report.made.command and "--split test --rule majority" in report.made.command

    (failing,) = evaluations.start(
        tmp_path, [("mine", Request("nowhere", str(tiny_checkpoint)))], "../no where", threads=1
    )
    assert failing.parent == tmp_path / "mine" / "reports" and "/" not in failing.name
    seen = wait(failing)
    assert (seen.state, model_of(failing)) == (FAILED, "mine") and "nowhere" in seen.message
    assert {view.folder for view in job.views(tmp_path, KIND)} == {folder, failing}
    job.delete(failing, KIND)
    assert [view.folder for view in job.views(tmp_path, KIND)] == [folder]


@pytest.mark.slow
def test_several_models_are_measured_side_by_side(tmp_path: Path, tiny_checkpoint: Path) -> None:
    request = Request("synthetic:80", str(tiny_checkpoint))
    folders = evaluations.start(tmp_path, [("one", request), ("other", request)], "drawn", threads=2)
    assert [folder.parents[1].name for folder in folders] == ["one", "other"]
    with pytest.raises(JobError, match=rf"{KIND.name}.*\b1\b"):
        evaluations.start(tmp_path, [(None, request)], "drawn")
    assert [wait(folder).state for folder in folders] == [FINISHED, FINISHED]
    one, other = (read_evaluation(folder / REPORT_NAME).report for folder in folders)
    assert one.confusion == other.confusion


@pytest.mark.slow
def test_a_killed_or_stopped_evaluation_can_be_resumed(tmp_path: Path, tiny_checkpoint: Path) -> None:
    wanted: Wanted = [("mine", Request("synthetic:400", str(tiny_checkpoint), robustness=True, sample=20))]
    (folder,) = evaluations.start(tmp_path, wanted, "drawn", threads=1)
    (unbroken,) = (folder.with_name("unbroken"),)
    job.create(unbroken, KIND, wanted[0][1])
    wait_until(lambda: job.view(folder, KIND).status.done)
    psutil.Process(json.loads((folder / "process.json").read_text())["pid"]).kill()
    seen = wait(folder)
    assert seen.state == INTERRUPTED and seen.can_resume and not (folder / REPORT_NAME).exists()
    job.start(folder, KIND, threads=1)
    job.stop(folder, KIND)
    assert job.view(folder, KIND).state == STOPPED
    for one in (folder, unbroken):
        assert command.main(["resume", str(one), "--threads", "1"]) == 0
    a, b = (read_evaluation(one / REPORT_NAME).report for one in (folder, unbroken))
    assert (a.confusion, a.calibration, a.robustness) == (b.confusion, b.calibration, b.robustness)


OLD_REQUEST = """{"request": {"dataset": "synthetic:80", "checkpoint": "%s", "split": "test", "rule": "majority",
"robustness": false, "sample": null}, "process": {"pid": 4194305, "began": "c2f4-boot 12345"}}"""


@pytest.mark.slow
def test_evaluations_of_an_earlier_version_are_read(tmp_path: Path, tiny_checkpoint: Path) -> None:
    reports = tmp_path / "mine" / "reports"
    for name in ("ended", "failed", "by-hand", "damaged"):
        (reports / name).mkdir(parents=True)
        (reports / name / "progress.json").write_text('{"what": "asking the model", "done": 1, "total": 8}')
        (reports / name / "log.txt").write_text("error: found nothing\n")
        if name != "by-hand":
            (reports / name / "request.json").write_text(OLD_REQUEST % tiny_checkpoint if name != "damaged" else "{")
        if name in ("ended", "by-hand"):
            (reports / name / REPORT_NAME).write_text("{}")
    found = {seen.name: seen for seen in job.views(tmp_path, KIND)}
    states = {name: (seen.state, seen.request is not None, seen.can_resume) for name, seen in found.items()}
    assert states == {
        "ended": (FINISHED, True, False),
        "failed": (INTERRUPTED, True, True),
        "by-hand": (FINISHED, False, False),
        "damaged": (INTERRUPTED, False, False),
    }
    assert found["failed"].message == "found nothing" and found["ended"].message == ""
    job.start(reports / "failed", KIND, threads=1)
    assert wait(reports / "failed").state == FINISHED
    assert read_evaluation(reports / "failed" / REPORT_NAME).report.n == 8
    job.delete(reports / "damaged", KIND)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"kind": "evaluation"}', '{"kind": "evaluation", "dataset": 5, "checkpoint": "x"}']
)
def test_unreadable_evaluations_are_damaged(tmp_path: Path, text: str) -> None:
    folder = tmp_path / "mine" / "reports" / "one"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(text)
    assert [seen.state for seen in job.views(tmp_path, KIND)] == [DAMAGED]


def test_the_command_of_the_same_evaluation() -> None:
    request = Request("my faces", "m.safetensors", "validation", "argmax", robustness=True, sample=30)
    assert request.command()[2:] == [
        "--dataset", "my faces", "--checkpoint", "m.safetensors", "--split", "validation", "--rule", "argmax",
        "--robustness", "--sample", "30",
    ]  # fmt: skip
    assert "--robustness" not in replace(request, robustness=False).command()
    assert replace(request, device="cuda:1", robustness=False).command()[-2:] == ["--device", "cuda:1"]
