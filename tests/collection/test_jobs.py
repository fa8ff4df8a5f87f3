"""Jobs of the page: uploads that cannot lead astray, a process that is killed and goes on."""

import io
import json
import os
import signal
import time
import zipfile
from pathlib import Path

import pytest
from fer.collection.jobs import FINISHED, INTERRUPTED, KEPT_SECONDS, RUNNING, Job
from fer.collection.work import do, main

from fer.collection import jobs
from fer.errors import CollectionError
from fer.results.journal import Finished, read_finished

PATIENCE_SECONDS = 240


def upload(job: Job, name: str, data: bytes = b"picture") -> None:
    jobs.add_upload(job, name, io.BytesIO(data))


def names(job: Job) -> list[str]:
    return [picture.name for picture in job.pictures()]


@pytest.fixture
def job(tmp_path: Path, tiny_checkpoint: Path) -> Job:
    return jobs.create(tmp_path / "jobs", tiny_checkpoint, "3 files")


def packed(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return file.getvalue()


def test_a_job_is_found_by_its_id_alone(job: Job) -> None:
    folder = job.folder.parent
    assert jobs.find(folder, job.id) == job
    assert jobs.jobs(folder) == [job]
    for guess in ("", "x" * 22, "../" + job.id, job.id + "/../" + job.id, "."):
        assert jobs.find(folder, guess) is None


def test_uploads_of_one_name_are_all_kept(job: Job) -> None:
    for name in ("a.jpg", "a.jpg", "summer/a.jpg", "winter\\a.jpg"):
        upload(job, name)
    assert sorted(names(job)) == ["a-2.jpg", "a.jpg", "summer/a.jpg", "winter/a.jpg"]
    assert len({picture.output for picture in job.pictures()}) == 4


@pytest.mark.parametrize("name", ["../../a.jpg", "/etc/a.jpg", "C:\\a.jpg", "..\\..\\a.jpg", "x/../../../a.jpg"])
def test_no_name_leads_out_of_the_job(job: Job, name: str) -> None:
    upload(job, name)
    (picture,) = job.pictures()
    assert picture.path.resolve().is_relative_to(job.source.resolve())


def test_a_zip_is_unpacked_into_folders_of_its_own(job: Job) -> None:
    data = packed(a_jpg=b"1", below__a_jpg=b"2", notes_txt=b"3")
    upload(job, "trip.zip", data)
    upload(job, "trip.zip", data)
    assert sorted(names(job)) == ["trip-2/a.jpg", "trip-2/below/a.jpg", "trip/a.jpg", "trip/below/a.jpg"]
    assert sorted(path.name for path in job.folder.iterdir()) == ["job.json", "pictures"]


def test_a_hostile_zip_and_other_files_are_refused(job: Job) -> None:
    link = io.BytesIO()
    with zipfile.ZipFile(link, "w") as archive:
        archive.writestr("../../evil.jpg", b"x")
    for name, data, words in (
        ("a.zip", link.getvalue(), "leads out"),
        ("b.zip", b"no zip", "whole ZIP"),
        ("c.exe", b"x", "pictures or a ZIP"),
        (".jpg", b"x", "pictures or a ZIP"),
    ):
        with pytest.raises(CollectionError, match=words):
            upload(job, name, data)
    assert job.pictures() == []
    assert not list(job.folder.parent.parent.rglob("evil*"))


def test_a_job_without_pictures_does_not_start(job: Job) -> None:
    with pytest.raises(CollectionError, match="found none in 3 files"):
        jobs.start(job)
    with pytest.raises(CollectionError, match="found none at"):
        jobs.create(job.folder.parent, job.checkpoint, "gone", job.folder / "gone")


def test_old_uploads_go_and_folders_of_this_machine_stay(job: Job, many_photos: Path) -> None:
    folder = job.folder.parent
    here = jobs.create(folder, job.checkpoint, "photos", many_photos)
    for old in (job, here):
        record = json.loads((old.folder / "job.json").read_text())
        record["created"] -= KEPT_SECONDS + 1
        (old.folder / "job.json").write_text(json.dumps(record))
    new = jobs.create(folder, job.checkpoint, "new")
    assert [one.id for one in jobs.jobs(folder)] == [new.id, here.id]
    jobs.delete(here)
    assert many_photos.is_dir() and len(list(many_photos.rglob("*.jpg"))) == 25


def simplified(finished: list[Finished]) -> list[tuple[object, ...]]:
    return [
        (
            one.picture.name,
            one.result.error and "broken",
            len(one.thumbnails),
            [(face.box, face.label, round(face.confidence, 5)) for face in one.result.faces],
        )
        for one in finished
    ]


def test_a_process_that_was_killed_goes_on_and_ends_like_an_unbroken_one(
    tmp_path: Path, tiny_checkpoint: Path, many_photos: Path
) -> None:
    killed, unbroken = (jobs.create(tmp_path, tiny_checkpoint, name, many_photos) for name in ("killed", "unbroken"))
    jobs.start(killed)
    with pytest.raises(CollectionError, match="no other collection"):
        jobs.start(unbroken)
    until = time.monotonic() + PATIENCE_SECONDS
    while not read_finished(killed.results_path):
        assert time.monotonic() < until
        time.sleep(0.01)
    os.kill(json.loads((killed.folder / "process.json").read_text())["pid"], signal.SIGKILL)
    while jobs.view(killed).state == RUNNING:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert jobs.view(killed).state == INTERRUPTED
    before = killed.results_path.read_bytes().rpartition(b"\n")[0].splitlines()
    assert 1 < len(before) < 27
    jobs.start(killed)
    while jobs.view(killed).state == RUNNING:
        assert time.monotonic() < until
        time.sleep(0.05)
    view = jobs.view(killed)
    assert (view.state, view.done, view.total) == (FINISHED, 26, 26)
    after = killed.results_path.read_bytes().splitlines()
    assert after[: len(before)] == before  # nothing of it was done again, but the broken one
    assert len({json.loads(line)["file"] for line in after[1:]}) == 26
    assert len(after) - 1 - 26 <= 1
    do(unbroken.folder)
    assert simplified(read_finished(killed.results_path)) == simplified(read_finished(unbroken.results_path))
    assert len(list((killed.folder / "annotated").rglob("*.jpg"))) == 25


def test_what_went_wrong_is_said(tmp_path: Path, many_photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = jobs.create(tmp_path, tmp_path / "missing.safetensors", "photos", many_photos)
    assert main([str(job.folder)]) == 1
    assert main([str(tmp_path / "nothing")]) == 1
    assert "expected a job, found none" in capsys.readouterr().err
    jobs.start(job)
    until = time.monotonic() + PATIENCE_SECONDS
    while (view := jobs.view(job)).state == RUNNING:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert view.state == INTERRUPTED and "missing.safetensors" in view.message
