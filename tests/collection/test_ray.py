"""Two workers of a local Ray, one of them killed: nothing is lost or duplicated."""

import socket
import subprocess
import sys
import uuid
from pathlib import Path

import pandas as pd
import psutil
import pytest

from fer.collection.ray_engine import recognize_with_ray
from fer.errors import CollectionError
from fer.results.journal import HEADER, PictureTask
from tests.scripts.processes import PATIENCE_SECONDS, end_of, start, wait_until, wait_while_alive


def predict(folder: Path, photos: Path, checkpoint: Path, mark: str, *options: str) -> "subprocess.Popen[str]":
    """Start predict.py in another folder; its workers can be recognized by a mark."""
    command = ["scripts/predict.py", "--image", photos, "--workers", "2", "--checkpoint", checkpoint]
    return start(folder.parent, *command, "--parquet", folder, *options, env={"FER_TEST_MARK": mark})


def workers_of(mark: str) -> set[int]:
    """Return the IDs of the Ray Data processes started for a test."""
    found = set()
    for process in Path("/proc").iterdir():
        try:
            is_worker = (process / "cmdline").read_bytes().startswith(b"ray::MapWorker")
            if is_worker and f"FER_TEST_MARK={mark}".encode() in (process / "environ").read_bytes():
                found.add(int(process.name))
        except OSError:  # not a process, or gone by now
            continue
    return found


def rows(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    faces, pictures = (pd.read_parquet(folder / f"{name}.parquet") for name in ("faces", "pictures"))
    return faces.sort_values(["path", "face"], ignore_index=True), pictures.sort_values("path", ignore_index=True)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
def test_killing_a_worker_loses_and_duplicates_nothing(
    ray_is_installed: None, tmp_path: Path, many_photos: Path, tiny_checkpoint: Path
) -> None:
    mark = uuid.uuid4().hex
    job = predict(tmp_path / "ray", many_photos, tiny_checkpoint, mark, "--engine", "ray")
    results = tmp_path / "ray" / ".results"
    try:
        wait_while_alive(job, lambda: results.is_file() and len(results.read_bytes()) > len(HEADER))
        victim = min(workers_of(mark))
        psutil.Process(victim).kill()
        at_that_time = len(results.read_bytes().splitlines()) - 1
        _, errors = job.communicate(timeout=PATIENCE_SECONDS)
    finally:
        job.kill()
    assert at_that_time < 26, "all was done before the worker could be killed"
    assert job.returncode == 1 and "broken.jpg" in errors and "Traceback" not in errors
    assert not results.exists()

    assert end_of(predict(tmp_path / "threads", many_photos, tiny_checkpoint, mark)).code == 1
    (faces, pictures), (expected_faces, expected_pictures) = rows(tmp_path / "ray"), rows(tmp_path / "threads")
    pd.testing.assert_frame_equal(faces, expected_faces, rtol=0, atol=1e-5)
    pd.testing.assert_frame_equal(pictures, expected_pictures)
    assert len(faces) == 24 and not faces.duplicated(["path", "face"]).any()
    assert len(pictures) == 26 and pictures["path"].is_unique
    counts = pictures.set_index(pictures["path"].map(lambda path: Path(path).name))
    assert counts.loc["nobody.png", "faces"] == 0 and pd.isna(counts.loc["nobody.png", "error"])
    assert "broken.jpg" in counts.loc["broken.jpg", "error"]
    wait_until(lambda: not workers_of(mark), "for the workers to go")


def test_a_missing_cluster_is_reported_at_once(tmp_path: Path, tiny_checkpoint: Path) -> None:
    pictures = [PictureTask(tmp_path / "a.jpg", "a.jpg")]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"  # nobody listens there
        with pytest.raises(CollectionError, match=address):
            next(recognize_with_ray(pictures, tiny_checkpoint, address=address))


def test_without_ray_it_says_how_to_get_it(
    tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(CollectionError, match=r'pip install "ray\[data\]"'):
        next(recognize_with_ray([PictureTask(tmp_path / "a.jpg", "a.jpg")], tiny_checkpoint))
