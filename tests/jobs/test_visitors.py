"""What remote visitors leave behind."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from fer.errors import JobError
from fer.jobs import job
from fer.jobs.job import Kind, new_job
from fer.jobs.status import FAILED, FINISHED, STATUS_NAME, STOPPED, Reporter
from fer.jobs.visitors import WAIT_SECONDS, Claim, check_room, claim, claim_of, forget_left


@dataclass(frozen=True)
class Request:
    """A request without fields."""

    what: str = ""


KIND = Kind("visit", Request)
LEFT, HERE, OWNER = "left", "here", ""


def made(data: Path, session: str, state: str = "", upload_bytes: int = 10, **keeps: bool) -> Path:
    """Create a job with an upload, an annotated picture and a result."""
    folder = new_job(data / "visits", KIND, Request())
    (folder / "drawn.jpg").write_bytes(b"face")
    (folder / "upload").mkdir()
    (folder / "upload" / "face.jpg").write_bytes(bytes(upload_bytes))
    (folder / "result").write_text("seen")
    if session:
        claim(folder, Claim((session,), **keeps, owner=f"browser of {session}"))
    if state:
        Reporter(folder).set(state)
    return folder


def forget(data: Path, present: set[str]) -> list[Path]:
    return list(forget_left(data / "visits", KIND, "upload", "drawn*", lambda: present))


@pytest.mark.parametrize(
    ("session", "state", "stays", "keeps_upload"),
    [
        (LEFT, FINISHED, True, False),
        (LEFT, FAILED, True, False),
        (LEFT, STOPPED, True, True),  # it can be resumed
        (LEFT, "", False, False),  # never started
        (HERE, FINISHED, True, True),
        (HERE, "", True, True),
        (OWNER, FINISHED, True, True),
        (OWNER, "", True, True),
    ],
)
def test_uploads_of_visitors_who_left_are_deleted(
    tmp_path: Path, session: str, state: str, stays: bool, keeps_upload: bool
) -> None:
    folder = made(tmp_path, session, state)
    assert (folder in forget(tmp_path, {HERE})) is (stays and not keeps_upload)
    assert not forget(tmp_path, {HERE})
    assert folder.exists() is stays
    assert (folder / "upload").exists() is keeps_upload
    assert (folder / "drawn.jpg").exists() is keeps_upload
    assert (folder / "result").exists() is stays


@pytest.mark.parametrize(
    ("state", "keeps", "left"),
    [
        (FINISHED, {"is_elsewhere": False}, {"result"}),
        (FINISHED, {"is_elsewhere": False, "keeps_pictures": True}, {"result", "upload", "drawn.jpg"}),
        (FINISHED, {"keeps_pictures": True}, {"result", "drawn.jpg"}),
        (FAILED, {"is_elsewhere": False}, {"result", "upload", "drawn.jpg"}),
        (STOPPED, {"is_elsewhere": False}, {"result", "upload", "drawn.jpg"}),
        (STOPPED, {"is_elsewhere": False, "keeps_found": False}, set()),
        ("", {"is_elsewhere": False, "keeps_pictures": True}, set()),
        ("", {"asked": True}, {"result", "upload", "drawn.jpg"}),  # another one was running
    ],
)
def test_the_visitors_choice_decides_what_is_kept(
    tmp_path: Path, state: str, keeps: dict[str, bool], left: set[str]
) -> None:
    folder = made(tmp_path, LEFT, state, **keeps)
    forget(tmp_path, set())
    assert {path.name for path in folder.glob("*")} & {"result", "upload", "drawn.jpg"} == left


def test_running_jobs_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path, LEFT)
    monkeypatch.setattr(job.JobView, "active", True)
    forget(tmp_path, set())
    assert (folder / "upload").exists()


def test_returning_visitors_keep_their_jobs(tmp_path: Path) -> None:
    folder = made(tmp_path, LEFT, FINISHED)
    first = claim_of(folder)
    assert first and first.sessions == (LEFT,) and first.seen_by(LEFT, True) == first
    assert claim_of(made(tmp_path, OWNER)) is None
    claim(folder, first.seen_by(HERE, True))
    for present in ({HERE}, {LEFT}):  # either page is enough
        forget(tmp_path, present)
        assert (folder / "upload").exists()
    forget(tmp_path, set())
    assert not (folder / "upload").exists()


def test_pictures_of_finished_work_wait_a_day_for_the_visitor(tmp_path: Path) -> None:
    folder = made(tmp_path, LEFT, FINISHED, waits=True)
    claimed = claim_of(folder)
    assert claimed and claimed.seen_by(HERE, False).waits and not claimed.seen_by(HERE, True).waits
    assert not forget(tmp_path, set()) and (folder / "drawn.jpg").exists()
    day_ago = time.time() - WAIT_SECONDS
    os.utime(folder / STATUS_NAME, (day_ago, day_ago))
    assert forget(tmp_path, set()) == [folder] and not (folder / "drawn.jpg").exists()


def test_visitors_who_return_during_a_check_are_present(tmp_path: Path) -> None:
    folders = [made(tmp_path, HERE, FINISHED) for _ in range(2)]
    looks = iter([set[str](), {HERE}])
    (changed,) = forget_left(tmp_path / "visits", KIND, "upload", "drawn*", lambda: next(looks))
    assert {folder for folder in folders if (folder / "upload").exists()} == set(folders) - {changed}


def test_leftovers_of_an_earlier_version_are_deleted(tmp_path: Path) -> None:
    folder = made(tmp_path, OWNER, FINISHED)
    (folder / "visitor.txt").write_text("a session")
    assert claim_of(folder) == Claim(()) and forget(tmp_path, {HERE}) == [folder]


@pytest.mark.parametrize(
    ("sizes", "fits"),
    [
        ({HERE: 400}, True),
        ({HERE: 600}, False),  # one visitor may use half of the total
        ({HERE: 400, LEFT: 400}, True),
        ({HERE: 400, LEFT: 700}, False),
        ({HERE: 400, OWNER: 5000}, True),  # the owner's jobs do not count
    ],
)
def test_space_is_limited_per_visitor_and_in_total(tmp_path: Path, sizes: dict[str, int], fits: bool) -> None:
    for session, kilobytes in sizes.items():
        made(tmp_path, session, upload_bytes=1000 * kilobytes)
    if fits:
        check_room(tmp_path, f"browser of {HERE}", 1e6)
    else:
        with pytest.raises(JobError):
            check_room(tmp_path, f"browser of {HERE}", 1e6)


def test_two_pages_of_a_visitor_share_their_room(tmp_path: Path) -> None:
    for session in ("tab", "another tab"):
        claim(made(tmp_path, session, upload_bytes=400_000), Claim((session,), owner="the same"))
    check_room(tmp_path, "another", 1e6)
    with pytest.raises(JobError):
        check_room(tmp_path, "the same", 1e6)
