"""Results survive whatever happens during writing: a kill, another process, a full disk, a broken file."""

import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from fer.errors import ResultsError
from fer.results.content import Content
from fer.results.result import DAMAGED, PHOTO, Settings
from fer.results.store import ResultStore
from tests.scripts.processes import end_of, start, wait_for, wait_until

resource = pytest.importorskip("resource", reason="limits of a process are Unix's")
ADDS = """
import sys
from pathlib import Path
import numpy as np
from fer.results.content import Content
from fer.results.store import ResultStore
folder, owner, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store = ResultStore(folder)
picture = np.random.default_rng(0).integers(0, 255, (96, 96, 3), np.uint8)
with (folder / f"{owner}.txt").open("a") as log:
    for number in range(count):
        content = Content({"number": number}, picture, [picture] * 3)
        added = store.add(owner, "photo", str(number), content=content)
        log.write(f"{added.id}\\n")
        log.flush()
"""


def added_by(folder: Path, owner: str) -> list[str]:
    """Return the IDs that a process was told are stored."""
    return (folder / f"{owner}.txt").read_text().splitlines()


def check_whole(folder: Path, store: ResultStore, owner: str) -> None:
    """Check that every confirmed result exists with all its files, and that every file belongs to a result."""
    known = store.list(owner, limit=100_000).results
    assert set(added_by(folder, owner)) <= {result.id for result in known}
    for result in known:
        assert store.record(result, dict[str, int]) == {"number": int(result.name)}
        assert store.thumbnail(result) and len(store.faces(result)) == 3
        files = [path for path in store.folder(result).rglob("*") if path.is_file()]
        assert result.file_bytes == sum(path.stat().st_size for path in files)


@pytest.mark.slow
def test_kills_in_the_middle_lose_nothing(tmp_path: Path) -> None:
    moments = random.Random(7)
    for _ in range(3):
        process = start(tmp_path, "-c", ADDS, tmp_path, "me", "100000")
        log = tmp_path / "me.txt"
        before = len(added_by(tmp_path, "me")) if log.exists() else 0
        wait_for(process, log)
        wait_until(lambda before=before: len(added_by(tmp_path, "me")) > before + 5)
        time.sleep(moments.uniform(0, 0.05))
        process.kill()
        process.communicate()
        store = ResultStore(tmp_path)
        check_whole(tmp_path, store, "me")
        folders = {path.name for path in (tmp_path / "files").iterdir()}
        assert folders == {result.id for result in store.list("me", limit=100_000).results}


@pytest.mark.slow
def test_two_processes_write_at_once(tmp_path: Path) -> None:
    processes = [start(tmp_path, "-c", ADDS, tmp_path, owner, "30") for owner in ("me", "them")]
    assert [end_of(process).code for process in processes] == [0, 0]
    store = ResultStore(tmp_path)
    for owner in ("me", "them"):
        assert store.list(owner).total == 30
        check_whole(tmp_path, store, owner)


def kept(folder: Path) -> ResultStore:
    store = ResultStore(folder)
    store.add("", PHOTO, "a.jpg", content=Content({"number": 1}))
    return store


def test_files_of_a_later_version_are_left_unchanged(tmp_path: Path) -> None:
    kept(tmp_path)
    path = tmp_path / "results.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    before = path.read_bytes()
    with pytest.raises(ResultsError, match="99"):
        ResultStore(tmp_path)
    assert path.read_bytes() == before and len(list((tmp_path / "files").iterdir())) == 1


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["no database", "holes", "gone"])
def test_a_damaged_database_is_set_aside_with_its_files(tmp_path: Path, damage: str) -> None:
    store = kept(tmp_path)
    for number in range(50):
        store.add("", PHOTO, f"{number}.jpg")
    path = tmp_path / "results.sqlite"
    whole = path.read_bytes()
    broken = {"no database": b"\0" * 5000, "holes": whole[:4096] + b"\xff" * (len(whole) - 4096), "gone": b""}[damage]
    path.write_bytes(broken) if broken else path.unlink()
    with pytest.raises(ResultsError, match="damaged-"):
        ResultStore(tmp_path)
    (aside,) = tmp_path.glob("damaged-*")
    assert len(list((aside / "files").glob("*/result.json"))) == 1
    assert not broken or (aside / "results.sqlite").read_bytes() == broken
    store = ResultStore(tmp_path)  # from now on there is an empty one
    assert store.list("").total == 0 and [notice.why for notice in store.notices("")] == [DAMAGED]
    store.add("", PHOTO, "b.jpg")
    assert store.list("").total == 1


@pytest.mark.slow
def test_a_full_disk_is_reported_and_loses_nothing(tmp_path: Path) -> None:
    store = kept(tmp_path)
    size = (tmp_path / "results.sqlite").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store.settings = Settings(keep="pictures")
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100_000, limits[1]))
        with pytest.raises(ResultsError):
            store.add("", PHOTO, "large.jpg", content=Content({"number": 2}, picture=(".jpg", bytes(10**6))))
        with pytest.raises(ResultsError):
            for _ in range(1000):
                store.add("", PHOTO, "x" * 200, people=["y" * 2000])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    names = {result.name for result in store.list("", limit=2000).results}
    assert names == {"a.jpg", "x" * 200}
    assert len(list((tmp_path / "files").iterdir())) == 1
    store.add("", PHOTO, "b.jpg")
    assert ResultStore(tmp_path).list("", "b.jpg").total == 1


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError):
        ResultStore(tmp_path / "file" / "results")
