"""A full disk stops background jobs: everything written before is kept, and they can be resumed."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from fer.cli import jobs as command
from fer.collection import job as collection
from fer.datasets.drawing.clip import known_frames, write_clip
from fer.errors import JobError
from fer.jobs import job
from fer.jobs.job import JobView
from fer.jobs.status import FINISHED, STOPPED
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import read_info
from fer.results.journal import read_finished
from fer.results.timeline import read_timeline
from fer.training.config import TrainingConfig
from fer.training.runs import KIND as TRAINING
from fer.training.runs import Run
from fer.video.job import TIMELINE_NAME, VideoRequest, new_job
from fer.video.settings import ClipOptions

resource = pytest.importorskip("resource", reason="a process cannot be kept to small files")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def work(folder: Path, most_bytes: int | None = None) -> JobView[object]:
    """Run a job in a process that cannot write larger files; return its final state."""
    limit = most_bytes and partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    arguments = [sys.executable, *job.WORKER, str(folder), "--threads", "1"]
    done = subprocess.run(arguments, cwd=ROOT, preexec_fn=limit, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    seen = job.view(folder, command.module_of(folder).KIND)
    assert done.returncode == (0 if seen.state == FINISHED else 1), done.stderr
    return seen


def assert_paused(seen: JobView[object]) -> None:
    assert (seen.state, seen.can_resume) == (STOPPED, True)
    assert "space" in seen.message


def test_many_photos(many_photos: Path, tmp_path: Path) -> None:
    folder = collection.create(tmp_path, DEFAULT_CHECKPOINT, "photos", many_photos).folder
    assert_paused(work(folder, 40_000))
    before = read_finished(folder / collection.RESULTS_NAME)
    assert 2 < len(before) < 24
    assert [one.picture.name for one in before if one.result.error is not None] in ([], ["broken.jpg"])
    assert work(folder).state == FINISHED
    after = {one.picture: one for one in read_finished(folder / collection.RESULTS_NAME)}
    assert len(after) == 26 and all(after[one.picture] == one for one in before)
    assert [one.picture.name for one in after.values() if one.result.error is not None] == ["broken.jpg"]


def test_a_video(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", known_frames(seconds=2))
    folder = new_job(tmp_path / "videos", VideoRequest(tmp_path / "clip.mp4", DEFAULT_CHECKPOINT, ClipOptions()))
    assert_paused(work(folder, 12_000))
    assert not list(folder.glob("*.mp4*")) and not list(folder.glob(".*.partial"))
    assert work(folder).state == FINISHED
    timeline = read_timeline(folder / TIMELINE_NAME)
    assert timeline and timeline.complete and len(list(folder.glob("*-faces.mp4"))) == 1


def test_a_training(tmp_path: Path) -> None:
    config = TrainingConfig(("synthetic:80",), epochs=2, architecture="shufflenet_v2_x0_5", size_px=32, batch_size=16)
    run = Run(tmp_path / "run")
    job.create(run.folder, TRAINING, config)
    assert_paused(work(run.folder, 1_500_000))
    assert not run.last_path.exists() and not list(run.folder.glob(".*.partial"))
    assert work(run.folder).state == FINISHED
    assert [line.epoch for line in run.metrics()] == [1, 2] and read_info(run.best_path).training["epochs"] == 2


def test_a_disk_full_at_the_start_is_reported(tmp_path: Path) -> None:
    code = (
        "import resource, sys; from pathlib import Path; from fer.errors import JobError; from fer.jobs import job;"
        "from fer.training.runs import KIND; from fer.training.config import TrainingConfig;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: job.create(Path(sys.argv[1]), KIND, TrainingConfig(('synthetic',)))\n"
        "except JobError as error: print(error)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path / "run")]
    said = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "space" in said and "config.json" not in [path.name for path in (tmp_path / "run").iterdir()]
    with pytest.raises(JobError):
        job.read_request(tmp_path / "run", TRAINING)
