"""Collections as jobs: uploads that cannot escape their folder, a process that is killed and resumed."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import psutil
import pytest

from fer.cli import jobs as command
from fer.collection import job as collection
from fer.collection.job import KIND, RESULTS_NAME, UPLOADS_NAME, Request, pictures_of, source_of
from fer.errors import CollectionError, JobError
from fer.jobs import job as jobs
from fer.jobs.job import JobView
from fer.jobs.status import DAMAGED, FAILED, FINISHED, INTERRUPTED
from fer.results.journal import Finished, read_finished
from tests.scripts.processes import wait_until

Job = JobView[Request]


def upload(job: Job, name: str, data: bytes = b"picture") -> None:
    collection.add_upload(job.folder, name, io.BytesIO(data))


def names(job: Job) -> list[str]:
    assert job.request
    return [picture.name for picture in pictures_of(job.folder, job.request)]


@pytest.fixture
def job(tmp_path: Path, tiny_checkpoint: Path) -> Job:
    return collection.create(tmp_path / "jobs", tiny_checkpoint, "3 files")


def packed(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), data)
    return file.getvalue()


def test_a_job_is_found_by_its_id_alone(job: Job) -> None:
    place = job.folder.parent
    found = jobs.find(place, job.name, KIND)
    assert found and found.request == job.request
    assert [seen.name for seen in jobs.views(place, KIND)] == [job.name]
    for guess in ("", "x" * 22, "../" + job.name, job.name + "/../" + job.name, "."):
        assert jobs.find(place, guess, KIND) is None


def test_uploads_with_the_same_name_are_all_kept(job: Job) -> None:
    for name in ("a.jpg", "a.jpg", "summer/a.jpg", "winter\\a.jpg"):
        upload(job, name)
    assert sorted(names(job)) == ["a-2.jpg", "a.jpg", "summer/a.jpg", "winter/a.jpg"]
    assert job.request and len({picture.output for picture in pictures_of(job.folder, job.request)}) == 4


@pytest.mark.parametrize("name", ["../../a.jpg", "/etc/a.jpg", "C:\\a.jpg", "..\\..\\a.jpg", "x/../../../a.jpg"])
def test_no_name_escapes_the_job(job: Job, name: str) -> None:
    upload(job, name)
    assert job.request
    (picture,) = pictures_of(job.folder, job.request)
    assert picture.path.resolve().is_relative_to((job.folder / UPLOADS_NAME).resolve())


def test_a_zip_is_unpacked_into_its_own_folders(job: Job) -> None:
    data = packed(a_jpg=b"1", below__a_jpg=b"2", notes_txt=b"3")
    upload(job, "trip.zip", data)
    upload(job, "trip.zip", data)
    assert sorted(names(job)) == ["trip-2/a.jpg", "trip-2/below/a.jpg", "trip/a.jpg", "trip/below/a.jpg"]
    assert sorted(path.name for path in job.folder.iterdir()) == ["config.json", "pictures"]


def test_a_hostile_zip_and_other_files_are_refused(job: Job) -> None:
    link = io.BytesIO()
    with zipfile.ZipFile(link, "w") as archive:
        archive.writestr("../../evil.jpg", b"x")
    for name, data, fact in (
        ("a.zip", link.getvalue(), r"evil\.jpg"),
        ("b.zip", b"no zip", r"ZIP.*b\.zip"),
        ("c.exe", b"x", r"c\.exe"),
        (".jpg", b"x", r"'\.jpg'"),
    ):
        with pytest.raises(CollectionError, match=fact) as refused:
            upload(job, name, data)
        assert str(job.folder) not in str(refused.value)
    assert not (job.folder / UPLOADS_NAME).exists()
    assert not list(job.folder.parent.parent.rglob("evil*"))


def test_a_job_without_pictures_does_not_start(job: Job, tiny_checkpoint: Path) -> None:
    with pytest.raises(CollectionError, match="3 files"):
        collection.start(job.folder)
    with pytest.raises(CollectionError, match="gone"):
        collection.create(job.folder.parent, tiny_checkpoint, "gone", job.folder / "gone")


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


def wait(seen: Job) -> Job:
    wait_until(lambda: not jobs.view(seen.folder, KIND).active)
    return jobs.view(seen.folder, KIND)


@pytest.mark.slow
def test_a_killed_job_resumes_and_ends_like_an_uninterrupted_one(
    tmp_path: Path, tiny_checkpoint: Path, many_photos: Path
) -> None:
    killed, unbroken = (
        collection.create(tmp_path, tiny_checkpoint, name, many_photos) for name in ("killed", "unbroken")
    )
    results = killed.folder / RESULTS_NAME
    collection.start(killed.folder)
    with pytest.raises(JobError, match="collection") as refused:
        collection.start(unbroken.folder)
    assert killed.name not in str(refused.value), "who has the ID may see the photos"
    wait_until(lambda: read_finished(results))
    psutil.Process(json.loads((killed.folder / "process.json").read_text())["pid"]).kill()
    assert wait(killed).state == INTERRUPTED
    before = results.read_bytes().rpartition(b"\n")[0].splitlines()
    assert 1 < len(before) < 27
    collection.start(killed.folder)
    view = wait(killed)
    assert (view.state, view.status.done, view.status.total) == (FINISHED, 26, 26)
    after = results.read_bytes().splitlines()
    assert after[: len(before)] == before  # nothing was repeated, except the broken picture
    assert len({json.loads(line)["file"] for line in after[1:]}) == 26
    assert len(after) - 1 - 26 <= 1
    assert command.main(["resume", str(unbroken.folder)]) == 0
    assert simplified(read_finished(results)) == simplified(read_finished(unbroken.folder / RESULTS_NAME))
    assert len(list((killed.folder / "annotated").rglob("*.jpg"))) == 25


@pytest.mark.slow
def test_errors_are_reported(tmp_path: Path, many_photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job = collection.create(tmp_path, tmp_path / "missing.safetensors", "photos", many_photos)
    assert command.main(["run", str(job.folder)]) == 1
    assert command.main(["run", str(tmp_path / "nothing")]) == 1
    assert str(tmp_path / "nothing") in capsys.readouterr().err
    collection.start(job.folder)
    view = wait(job)
    assert view.state == FAILED and "missing.safetensors" in view.message and view.can_resume


def old_job(folder: Path, checkpoint: Path, source: Path, progress: str) -> Path:
    """Create a job as an earlier version left it."""
    folder.mkdir(parents=True)
    (folder / "job.json").write_text(
        f'{{"folder": "{folder}", "title": "holiday", "source": "{source}", "checkpoint": "{checkpoint}", '
        '"created": 1760000000.5, "faces": "everyday"}'
    )
    (folder / "progress.json").write_text(progress)
    (folder / "process.json").write_text('{"pid": 4194305, "began": "c2f4-boot 12345"}')
    (folder / "log.txt").write_text("error: no room\n")
    return folder


@pytest.mark.slow
def test_jobs_of_an_earlier_version_can_be_resumed(tmp_path: Path, tiny_checkpoint: Path, many_photos: Path) -> None:
    place = tmp_path / "jobs"
    ended = old_job(place / ("e" * 22), tiny_checkpoint, many_photos, '{"done": 26, "total": 26, "finished": true}')
    broken = old_job(
        place / ("b" * 22), tiny_checkpoint, place / ("b" * 22) / "pictures",
        '{"done": 1, "total": 4, "finished": false, "seconds_left": 3.5}',
    )  # fmt: skip
    (broken / "pictures").mkdir()
    shutil.copy(many_photos / "00.jpg", broken / "pictures")
    seen = jobs.view(ended, KIND)
    assert (seen.state, seen.status.done, seen.request) == (
        FINISHED, 26, Request("holiday", tiny_checkpoint, many_photos),
    )  # fmt: skip
    seen = jobs.view(broken, KIND)
    assert (seen.state, seen.status.share, seen.message) == (INTERRUPTED, 0.25, "no room")
    assert seen.request and collection.is_upload(broken, seen.request)
    assert source_of(broken, seen.request) == broken / "pictures"
    collection.start(broken)
    assert wait(seen).state == FINISHED
    assert {seen.name for seen in jobs.views(place, KIND)} == {ended.name, broken.name}
    jobs.delete(ended, KIND)
    assert many_photos.is_dir()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"title": 5}', '{"title": "a", "source": "b"}'])
def test_unreadable_jobs_are_damaged(tmp_path: Path, tiny_checkpoint: Path, text: str) -> None:
    folder = old_job(tmp_path / ("x" * 22), tiny_checkpoint, tmp_path, text)
    (folder / "job.json").write_text(text)
    seen = jobs.find(tmp_path, folder.name, KIND)
    assert seen and (seen.request, seen.can_resume) == (None, False)
    assert [one.name for one in jobs.views(tmp_path, KIND)] == [folder.name]
    with pytest.raises(JobError):
        collection.start(folder)
    (folder / "job.json").unlink()
    (folder / "config.json").write_text(text)
    assert jobs.view(folder, KIND).state == DAMAGED
    jobs.delete(folder, KIND)
    assert not folder.exists()
