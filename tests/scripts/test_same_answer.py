"""A file gives the same result everywhere: `predict --video`, `real_time_detection --source`, the page's job."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer.cli import jobs, live, predict
from fer.datasets.drawing.clip import known_frames, write_clip
from fer.jobs.job import view
from fer.jobs.status import FINISHED
from fer.labels import FERPLUS
from fer.model import DEFAULT_CHECKPOINT
from fer.results.timeline import read_timeline
from fer.video.job import KIND, TIMELINE_NAME, VideoRequest, new_job
from fer.video.settings import ClipOptions

TRUTH = ((0.0, "neutral"), (1.0, "happiness"), (2.0, "surprise"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drawn person whose expression changes twice in three seconds."""
    return write_clip(tmp_path_factory.mktemp("clip") / "known.mp4", known_frames(TRUTH, 3.0))


@pytest.mark.slow
@pytest.mark.parametrize("asked", [[], ["--own-neutral", "median"]])
def test_a_file_has_the_same_answer_from_every_command_and_page(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], asked: list[str]
) -> None:
    table = tmp_path / "faces.csv"
    assert predict.main(["--video", str(clip), "--csv", str(table), "--json", *asked]) == 0
    record = json.loads(capsys.readouterr().out)
    rows = list(csv.DictReader(table.read_text(encoding="utf-8").splitlines()))
    assert live.main(["--source", str(clip), "--no-window", "--json", *asked]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    folder = new_job(
        tmp_path / "videos", VideoRequest(clip, DEFAULT_CHECKPOINT, ClipOptions(median_neutral=bool(asked)))
    )
    assert jobs.main(["run", str(folder)]) == 0 and view(folder, KIND).state == FINISHED
    kept = read_timeline(folder / TIMELINE_NAME)
    assert kept is not None and kept.complete and kept.frames == record["frames_looked_at"] == len(lines) == 90

    faces: list[tuple[int, float, dict[str, Any]]] = [
        (line["frame"], line["seconds"], face) for line in lines for face in line["faces"]
    ]
    assert len(faces) == len(rows) == len(kept.rows) == len(record["rows"]["frame"]) >= 89
    labels = [face["label"] for _, _, face in faces]
    assert {face.get("raw", face)["label"] for _, _, face in faces} == {label for _, label in TRUTH}
    assert labels == [row["label"] for row in rows]
    assert labels == [kept.labels[held] for held in kept.shown["held"]]
    assert labels == [record["labels"][held] for held in record["rows"]["label"]]
    said = {
        "frame": np.array([frame for frame, _, _ in faces], float),
        "seconds": np.array([seconds for _, seconds, _ in faces]),
        "person": np.array([face["track_id"] for _, _, face in faces], float),
        "box": np.array([face["box"] for _, _, face in faces]),
        "probabilities": np.array([[face["probabilities"][label] for label in FERPLUS] for _, _, face in faces]),
    }
    table_of = {
        "box": np.array([[row[side] for side in ("x1", "y1", "x2", "y2")] for row in rows], float),
        "probabilities": np.array([[row[label] for label in FERPLUS] for row in rows], float),
    }
    digits = {"frame": 0.0, "person": 0.0, "seconds": 6e-4, "box": 0.051, "probabilities": 6e-5}
    for name, values in said.items():
        written = table_of[name] if name in table_of else np.array([row[name] for row in rows], float)
        for others in (written, record["rows"][name], kept.shown[name]):
            assert np.abs(np.array(others, float) - values).max() <= digits[name], name
    assert len(kept.baselines) == len(record.get("baselines", [])) == len(asked) // 2
    if asked:
        raw = [[face["raw"]["probabilities"][label] for label in FERPLUS] for _, _, face in faces]
        for others in (
            [[row[f"raw_{label}"] for label in FERPLUS] for row in rows],
            record["rows"]["raw_probabilities"],
        ):
            assert np.abs(np.array(others, float) - raw).max() <= digits["probabilities"]
        assert np.abs(kept.rows["probabilities"] - raw).max() <= digits["probabilities"]
        assert float(rows[0]["neutral_shift_neutral"]) == pytest.approx(kept.baselines[1].shift[0], abs=1e-4)
