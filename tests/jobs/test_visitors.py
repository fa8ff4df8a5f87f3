"""What visitors from elsewhere leave behind."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from fer.errors import JobError
from fer.jobs import job
from fer.jobs.job import Kind, new_job
from fer.jobs.status import FAILED, FINISHED, STOPPED, Reporter
from fer.jobs.visitors import VISITOR_NAME, check_room, claim, forget_left, is_claimed


@dataclass(frozen=True)
class Request:
    """Nothing is asked for."""

    what: str = ""


KIND = Kind("visit", Request)
LEFT, HERE, OWNER = "left", "here", ""


def made(data: Path, session: str, state: str = "", upload_bytes: int = 10) -> Path:
    """Make a job with an upload and a result."""
    folder = new_job(data / "visits", KIND, Request(), lambda folder, request: True)
    (folder / "upload").mkdir()
    (folder / "upload" / "face.jpg").write_bytes(bytes(upload_bytes))
    (folder / "result").write_text("seen")
    if session:
        claim(folder, session)
    if state:
        Reporter(folder).set(state)
    return folder


@pytest.mark.parametrize(
    ("session", "state", "stays", "keeps_upload"),
    [
        (LEFT, FINISHED, True, False),
        (LEFT, FAILED, True, False),
        (LEFT, STOPPED, True, True),  # it can be continued
        (LEFT, "", False, False),  # never begun
        (HERE, FINISHED, True, True),
        (HERE, "", True, True),
        (OWNER, FINISHED, True, True),
        (OWNER, "", True, True),
    ],
)
def test_uploads_of_those_who_left_go(
    tmp_path: Path, session: str, state: str, stays: bool, keeps_upload: bool
) -> None:
    folder = made(tmp_path, session, state)
    forget_left(tmp_path / "visits", KIND, "upload", {HERE})
    forget_left(tmp_path / "visits", KIND, "upload", {HERE})
    assert folder.exists() is stays
    assert (folder / "upload").exists() is keeps_upload
    assert (folder / "result").exists() is stays


def test_what_goes_on_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path, LEFT)
    monkeypatch.setattr(job.JobView, "active", True)
    forget_left(tmp_path / "visits", KIND, "upload", set())
    assert (folder / "upload").exists()


def test_who_comes_back_has_it_again(tmp_path: Path) -> None:
    folder = made(tmp_path, LEFT, FINISHED)
    assert is_claimed(folder) and not is_claimed(made(tmp_path, OWNER))
    claim(folder, HERE)
    forget_left(tmp_path / "visits", KIND, "upload", {HERE})
    assert (folder / "upload").exists()
    assert (folder / VISITOR_NAME).read_text() == HERE


@pytest.mark.parametrize(
    ("sizes", "fits"),
    [
        ({HERE: 400}, True),
        ({HERE: 600}, False),  # half of all is one visitor's
        ({HERE: 400, LEFT: 400}, True),
        ({HERE: 400, LEFT: 700}, False),
        ({HERE: 400, OWNER: 5000}, True),  # the owner's own do not count
    ],
)
def test_each_visitor_and_all_together_have_so_much_room(tmp_path: Path, sizes: dict[str, int], fits: bool) -> None:
    for session, kilobytes in sizes.items():
        made(tmp_path, session, upload_bytes=1000 * kilobytes)
    if fits:
        check_room(tmp_path, HERE, 1e6)
    else:
        with pytest.raises(JobError):
            check_room(tmp_path, HERE, 1e6)
