"""Jobs as folders, with a test kind that counts, a line at a time."""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from fer.errors import JobError
from fer.jobs import job
from fer.jobs.job import JobView, Kind, Stop
from fer.jobs.status import DAMAGED, FAILED, FINISHED, INTERRUPTED, RUNNING, STARTING, STOPPED, Reporter, Status
from tests.scripts.processes import PATIENCE_SECONDS, wait_until

PROGRAM = """
import sys, time
from pathlib import Path
from fer.cli.command import Stop
from fer.jobs import job
from tests.jobs.test_job import KIND, count
folder = Path(sys.argv[1])
request = job.read_request(folder, KIND)
with Stop() as stop, job.working(folder) as reporter:
    count(folder, request, reporter, stop)
"""


@dataclass(frozen=True)
class Counting:
    to: int
    pause: float = 0.0


KIND = Kind("counting", Counting)


def count(folder: Path, request: Counting, reporter: Reporter, stop: Stop) -> None:
    path = folder / "counted"
    done = len(path.read_text()) if path.exists() else 0
    stop.gently = True
    for number in range(done, request.to):
        if number == 666:
            raise ValueError("not this one")
        with path.open("a") as file:
            file.write(".")
        reporter.say("counting", number + 1, request.to)
        time.sleep(request.pause)
        if stop.asked:
            reporter.set(STOPPED)
            return


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(job, "WORKER", ("-c", PROGRAM))
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    yield tmp_path / "jobs"
    for seen in job.views(tmp_path / "jobs", KIND):
        job.stop(seen.folder, KIND)


def made(place: Path, name: str = "one", to: int = 3, pause: float = 0.0) -> Path:
    job.create(place / name, KIND, Counting(to, pause))
    return place / name


def seen_when(folder: Path, condition: Callable[[JobView[Counting]], bool]) -> JobView[Counting]:
    wait_until(lambda: condition(job.view(folder, KIND)))
    return job.view(folder, KIND)


def is_over(seen: JobView[Counting]) -> bool:
    return not seen.active


def pid_of(folder: Path) -> int:
    status = job.read_status(folder)
    assert status
    return status.pid


def test_a_job_from_start_to_end(place: Path) -> None:
    folder = made(place)
    seen = job.view(folder, KIND)
    assert (seen.state, seen.request, seen.can_resume) == (INTERRUPTED, Counting(3), True)
    job.start(folder, KIND, threads=1)
    assert job.view(folder, KIND).active
    seen = seen_when(folder, is_over)
    assert (seen.state, seen.status.share, seen.can_resume) == (FINISHED, 1.0, False)
    with pytest.raises(JobError, match=r"one.* finished"):
        job.start(folder, KIND)
    with pytest.raises(JobError, match="one"):
        made(place)
    job.delete(folder, KIND)
    assert job.views(place, KIND) == [] and list(place.iterdir()) == []


@pytest.mark.slow
def test_a_running_job_cannot_be_changed(place: Path) -> None:
    folder, other = made(place, to=10**6, pause=0.01), made(place, "other")
    job.start(folder, KIND)
    among = job.views(place, KIND)
    with pytest.raises(JobError, match=r"counting.* 1 "):
        job.start(other, KIND, among=among)
    with pytest.raises(JobError, match=r"one.* running"):
        job.delete(folder, KIND)
    with pytest.raises(JobError, match="one"):
        job.start(folder, KIND)
    assert [(seen.name, seen.active) for seen in job.views(place, KIND)] == [("one", True), ("other", False)]
    seen_when(folder, lambda seen: seen.status.done > 3)
    job.stop(folder, KIND)
    seen = job.view(folder, KIND)
    assert seen.state == STOPPED and seen.can_resume and seen.status.done > 3
    job.stop(folder, KIND)  # stopping again does no harm
    job.start(other, KIND, among=among)  # the views are read again
    assert seen_when(other, is_over).state == FINISHED


@pytest.mark.slow
def test_a_killed_job_resumes_where_it_was(place: Path) -> None:
    folder = made(place, to=400, pause=0.005)
    job.start(folder, KIND)
    seen_when(folder, lambda seen: seen.status.done > 20)
    psutil.Process(pid_of(folder)).kill()
    seen = seen_when(folder, is_over)
    assert seen.state == INTERRUPTED and seen.can_resume
    counted = len((folder / "counted").read_text())
    assert 20 < counted < 400
    job.start(folder, KIND)
    assert seen_when(folder, is_over).state == FINISHED
    assert (folder / "counted").read_text() == "." * 400


def test_an_error_is_kept_and_the_job_can_be_tried_again(place: Path) -> None:
    folder = made(place, to=1000)
    job.start(folder, KIND)
    seen = seen_when(folder, is_over)
    assert (seen.state, seen.message) == (FAILED, "ValueError: not this one") and seen.can_resume


def test_a_process_that_fails_early_leaves_its_last_output(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(place)
    monkeypatch.setattr(job, "WORKER", ("-c", "import sys; sys.exit('error: no such thing')"))
    job.start(folder, KIND)
    assert seen_when(folder, is_over).message == "no such thing"


@pytest.mark.slow
def test_two_servers_on_one_job_see_it_running(place: Path) -> None:
    folder = made(place, to=10**6, pause=0.01)
    job.start(folder, KIND)
    seen_when(folder, lambda seen: seen.state == RUNNING)
    look = f"""
from pathlib import Path
from fer.errors import JobError
from fer.jobs import job
from tests.jobs.test_job import KIND
folder = Path({str(folder)!r})
print(job.view(folder, KIND).state)
for forbidden in (job.delete, job.start):
    try:
        forbidden(folder, KIND)
    except JobError:
        print("refused")
job.stop(folder, KIND)
"""
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", look], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [RUNNING, "refused", "refused"]
    assert job.view(folder, KIND).state == STOPPED  # and the view shows it


@pytest.mark.slow
def test_a_job_from_a_command_line_is_seen_and_stopped(place: Path) -> None:
    folder = made(place, to=10**6, pause=0.01)
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], cwd=Path(__file__).parents[2])
    seen_when(folder, lambda seen: seen.state == RUNNING)
    assert not (folder / job.PROCESS_NAME).exists()
    with pytest.raises(JobError, match="running"):
        job.delete(folder, KIND)
    # Nobody but this test waits for it, so it would remain as a zombie.
    job.stop(folder, KIND, patience_seconds=60)
    assert process.wait(60) == 0
    assert job.view(folder, KIND).state == STOPPED


@pytest.mark.slow
def test_one_process_at_a_time(place: Path) -> None:
    folder = made(place)
    assert not job.is_locked(folder)
    with job.working(folder) as reporter:
        assert job.is_locked(folder) and job.view(folder, KIND).state == RUNNING
        with pytest.raises(JobError, match="one"), job.working(folder):
            pass
        reporter.say("counting", 1, 3)
    assert not job.is_locked(folder)
    assert job.view(folder, KIND).state == FINISHED
    with pytest.raises(KeyboardInterrupt), job.working(folder):
        raise KeyboardInterrupt
    assert job.view(folder, KIND).state == STOPPED
    with pytest.raises(OSError), job.working(folder):
        raise OSError("no room")
    assert job.view(folder, KIND).message == "no room"


def test_a_reused_pid_is_no_job(place: Path) -> None:
    folder = made(place)
    with job.working(folder) as reporter:
        reporter.say("counting", 1, 3)
    (folder / "status.json").write_text(f'{{"state": "running", "pid": {os.getpid()}}}')
    assert job.view(folder, KIND).state == INTERRUPTED
    (folder / job.PROCESS_NAME).write_text(f'{{"pid": {os.getpid()}, "began": 5.0}}')
    assert job.view(folder, KIND).state == INTERRUPTED
    job.stop(folder, KIND)  # and this test continues
    # As written by an earlier version.
    (folder / job.PROCESS_NAME).write_text(f'{{"pid": {os.getpid()}, "began": "4f0-boot 1234"}}')
    assert job.view(folder, KIND).state == INTERRUPTED


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "nothing"),
        ("{", "nothing"),
        ("[1, 2]", "nothing"),
        ('{"to": 3}', "nothing"),
        ('{"kind": 5}', "nothing"),
        ('{"kind": "training", "to": 3}', "training"),
        ('{"kind": "os.system", "to": 3}', "os.system"),
        ('{"kind": "counting"}', "to"),
        ('{"kind": "counting", "to": "three"}', "int"),
        ('{"kind": "counting", "to": 3, "backwards": true}', "backwards"),
    ],
)
def test_an_unreadable_job_is_damaged_and_can_be_deleted(place: Path, text: str, found: str) -> None:
    folder = made(place)
    (folder / job.CONFIG_NAME).write_text(text)
    seen = job.view(folder, KIND)
    assert (seen.state, seen.request, seen.can_resume) == (DAMAGED, None, False) and found in seen.message
    with pytest.raises(JobError, match=rf"one.*{DAMAGED}"):
        job.start(folder, KIND)
    listed = job.views(place, KIND)
    assert [one.name for one in listed] == (["one"] if "training" not in text and "system" not in text else [])
    job.delete(folder, KIND)
    assert not folder.exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "dreaming"}', '{"done": 3}'])
def test_a_status_that_cannot_be_read_is_said(place: Path, text: str) -> None:
    folder = made(place)
    assert job.view(folder, KIND).message == ""
    (folder / "status.json").write_text(text)
    seen = job.view(folder, KIND)
    assert seen.state == INTERRUPTED and seen.can_resume and "status.json" in seen.message


def test_a_missing_folder_or_a_file_is_no_job(place: Path) -> None:
    assert job.views(place, KIND) == []
    assert job.view(place / "nothing", KIND).state == DAMAGED
    place.mkdir()
    (place / "file").write_text("x")
    (place / "empty").mkdir()
    assert job.view(place / "file", KIND).state == DAMAGED
    assert job.view(place / "empty", KIND).state == DAMAGED
    assert job.views(place, KIND) == []


def test_a_job_damaged_while_running_is_still_running(place: Path) -> None:
    folder = made(place)
    with job.working(folder):
        (folder / job.CONFIG_NAME).write_text("{")
        assert job.view(folder, KIND).state == RUNNING
        with pytest.raises(JobError, match="running"):
            job.delete(folder, KIND)


def test_a_process_without_a_status_yet_is_starting(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(place)
    monkeypatch.setattr(job, "WORKER", ("-c", "import time; time.sleep(60)"))
    job.start(folder, KIND)
    assert job.view(folder, KIND).state == STARTING
    job.stop(folder, KIND)
    seen = job.view(folder, KIND)
    assert (seen.state, seen.status) == (STOPPED, job.read_status(folder))


def test_jobs_of_an_earlier_version_are_read(place: Path) -> None:
    def earlier(folder: Path) -> tuple[Counting, Status] | None:
        there = (folder / "old.json").exists()
        return (Counting(7), Status(FAILED, "why", done=2, total=7)) if there else None

    kind = Kind("counting", Counting, earlier=earlier)
    folder = place / "old"
    folder.mkdir(parents=True)
    assert job.view(folder, kind).state == DAMAGED
    (folder / "old.json").touch()
    (seen,) = job.views(place, kind)
    assert (seen.state, seen.request, seen.message, seen.can_resume) == (FAILED, Counting(7), "why", True)
    with job.working(folder):
        assert job.view(folder, kind).state == RUNNING
    assert job.view(folder, kind).state == FINISHED


def test_a_link_is_not_followed_when_deleting(place: Path, tmp_path: Path) -> None:
    elsewhere = made(tmp_path, "elsewhere")
    place.mkdir()
    (place / "link").symlink_to(elsewhere)
    with pytest.raises(JobError, match="link"):
        job.delete(place / "link", KIND)
    assert (elsewhere / job.CONFIG_NAME).exists()


def test_the_log_has_an_end(tmp_path: Path) -> None:
    assert job.log_tail(tmp_path) == ""
    (tmp_path / "log.txt").write_text("".join(f"line {number}\n" for number in range(10_000)))
    assert job.log_tail(tmp_path, 2) == "line 9998\nline 9999"


# ---------------------------------------------------------------------------------------------- full disks, odd records


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_stops_a_job(place: Path, number: int) -> None:
    folder = made(place)
    for error in (OSError(number, os.strerror(number), "counted"), caused(OSError(number, "full", "counted"))):
        with pytest.raises(type(error)), job.working(folder):
            raise error
        seen = job.view(folder, KIND)
        assert (seen.state, seen.can_resume) == (STOPPED, True)
        assert "counted" in seen.message
    with pytest.raises(OSError), job.working(folder):
        raise OSError(errno.EIO, "broken", "counted")
    assert job.view(folder, KIND).state == FAILED


def caused(cause: OSError) -> JobError:
    error = JobError(f"counted: {cause}")
    error.__cause__ = cause
    return error


def test_the_last_status_is_written_on_a_full_disk(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(place)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(OSError), job.working(folder) as reporter:
        reporter.say("counting, and saying many words of it", 1, 3)
        monkeypatch.setattr(os, "fsync", full)
        raise OSError(errno.ENOSPC, "full", "counted")
    seen = job.view(folder, KIND)
    assert (seen.state, seen.status.done, "counted" in seen.message) == (STOPPED, 1, True)


@pytest.mark.parametrize(
    "content",
    [
        b"[]", b"{", b"null", b'{"state": []}', b'{"state": "running", "done": {}}', b"[" * 100_000, b"\xff\xfe\x00",
        b'{"state": "finished", "done": ' + b"9" * 400 + b"}", b'{"pid": [1], "began": "x"}', b'{"kind": ["counting"]}',
        b'{"kind": "counting", "to": "3"}', b'{"kind": "counting", "to": 1e999}', b'{"pid": 1e300, "began": 0}',
        b'{"kind": "counting", "to": 1, "more": ' + b'{"a":' * 2000 + b"1" + b"}" * 2001,
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("name", ["config.json", "status.json", "process.json"])
def test_records_of_another_type_spoil_no_listing(place: Path, name: str, content: bytes) -> None:
    odd = made(place, "odd")
    made(place, "other")
    (odd / name).write_bytes(content)
    seen = {view.name: view for view in job.views(place, KIND)}
    assert seen["other"].state == INTERRUPTED and seen["other"].request == Counting(3)
    assert 0 <= seen["odd"].status.share <= 1 if "odd" in seen else name == "config.json"
    job.view(odd, KIND)
    job.stop(odd, KIND)
    job.delete(odd, KIND)
    assert [view.name for view in job.views(place, KIND)] == ["other"]


def test_a_request_with_an_invalid_path_is_damaged(place: Path) -> None:
    @dataclass(frozen=True)
    class Looking:
        path: Path

    kind = Kind("looking", Looking)
    job.create(place / "one", kind, Looking(place))
    for value in ("[]", "{}", "5", '{"a": null}'):
        (place / "one" / "config.json").write_text(f'{{"kind": "looking", "path": {value}}}')
        assert job.view(place / "one", kind).state == DAMAGED


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file" / "job", tmp_path / ("x" * 300)):
        with pytest.raises(JobError, match=folder.name):
            job.create(folder, KIND, Counting(1))


ASKED_BY_A_FILE = "from fer.jobs import job; job._ASKED_BY_A_FILE = True\n"


@pytest.mark.slow
def test_on_windows_a_file_asks_a_process_to_stop(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_ASKED_BY_A_FILE", True)
    monkeypatch.setattr(psutil.Process, "terminate", lambda process: pytest.fail("Windows would end it unasked"))
    monkeypatch.setattr(job, "WORKER", ("-c", ASKED_BY_A_FILE + PROGRAM))
    folder = made(place, to=100_000, pause=0.01)
    job.start(folder, KIND)
    seen_when(folder, lambda seen: seen.status.done > 0)
    job.stop(folder, KIND, patience_seconds=PATIENCE_SECONDS)
    stopped = job.view(folder, KIND)
    assert stopped.state == STOPPED and stopped.status.done == len((folder / "counted").read_text())
    assert not (folder / job.STOP_NAME).exists()

    (folder / job.STOP_NAME).touch()  # meant for a process that is gone
    job.start(folder, KIND)
    seen_when(folder, lambda seen: seen.state == RUNNING and seen.status.done > stopped.status.done + 50)
    job.stop(folder, KIND, patience_seconds=PATIENCE_SECONDS)
    assert job.view(folder, KIND).state == STOPPED
