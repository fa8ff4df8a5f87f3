"""Uploads of visitors stay in their folder."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from fer.datasets import open_dataset
from fer.datasets.archive import delete_upload, keep_upload, kept_uploads, unpack
from fer.errors import DatasetError
from fer.images import encode_png


def a_zip(*names: str) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, encode_png(np.full((48, 48, 3), 10 * number, np.uint8)))
    file.seek(0)
    return file


FACES = ("happy/1.png", "happy/2.png", "sad/1.png", "sad/2.png")


def test_a_zip_is_unpacked_once_and_can_be_opened(tmp_path: Path) -> None:
    content = a_zip(*FACES)
    path = keep_upload("my faces.zip", content, tmp_path / "uploads")
    assert path.parent == tmp_path / "uploads" and path.name.startswith("my-faces-")
    assert open_dataset(path).labels == ("happiness", "sadness")
    content.seek(0)
    assert keep_upload("my faces.zip", content, tmp_path / "uploads") == path
    assert kept_uploads(tmp_path / "uploads") == [path]
    assert [entry.name for entry in (tmp_path / "uploads").iterdir()] == [path.name]  # no copy of the archive


@pytest.mark.parametrize("name", ["../../etc/passwd.csv", "/etc/passwd.csv", "..\\..\\passwd.csv", "....csv", "\0.csv"])
def test_a_name_cannot_leave_the_folder(tmp_path: Path, name: str) -> None:
    path = keep_upload(name, io.BytesIO(b"emotion,pixels,Usage\n"), tmp_path / "uploads")
    assert path.resolve().is_relative_to(tmp_path / "uploads")
    assert path.read_bytes() == b"emotion,pixels,Usage\n"
    assert kept_uploads(tmp_path / "uploads") == [path]
    assert [entry.name for entry in tmp_path.iterdir()] == ["uploads"]


def test_an_archive_cannot_leave_the_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"evil\.png"):
        keep_upload("bad.zip", a_zip("../evil.png", *FACES), tmp_path / "uploads")
    assert list((tmp_path / "uploads").iterdir()) == []
    assert not (tmp_path / "evil.png").exists()


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"run\.sh"):
        keep_upload("run.sh", io.BytesIO(b""), tmp_path)
    with pytest.raises(DatasetError, match=r"ZIP.*faces\.zip") as refused:
        keep_upload("faces.zip", io.BytesIO(b"no zip"), tmp_path)
    assert str(tmp_path) not in str(refused.value)


def test_only_uploads_are_deleted(tmp_path: Path) -> None:
    folder, other = tmp_path / "uploads", tmp_path / "other"
    other.mkdir()
    path = keep_upload("faces.zip", a_zip(*FACES), folder)
    table = keep_upload("faces.csv", io.BytesIO(b"x"), folder)
    for wrong in (other, folder, folder / ".." / "other", path / "happy"):
        with pytest.raises(DatasetError, match=wrong.name):
            delete_upload(wrong, folder)
    delete_upload(table, folder)
    assert kept_uploads(folder) == [path]
    delete_upload(path, folder)
    assert list(folder.iterdir()) == []
    assert kept_uploads(tmp_path / "nowhere") == []


def test_leftovers_of_killed_processes_are_deleted_but_not_work_in_progress(tmp_path: Path) -> None:
    for name in ("killed", "busy"):
        (tmp_path / f".partial-{name}" / "all").mkdir(parents=True)
        (tmp_path / f".partial-{name}" / ".lock").touch()
    with FileLock(tmp_path / ".partial-busy" / ".lock"):
        path = keep_upload("faces.zip", a_zip(*FACES), tmp_path)
    assert {entry.name for entry in tmp_path.iterdir()} == {".partial-busy", path.name}


def test_no_more_is_unpacked_than_allowed(tmp_path: Path) -> None:
    (tmp_path / "faces.zip").write_bytes(a_zip(*FACES).getvalue())
    with pytest.raises(DatasetError, match="MB"):
        unpack(tmp_path / "faces.zip", tmp_path / "there", most_bytes=200)
    assert list((tmp_path / "there").iterdir()) == []
    assert unpack(tmp_path / "faces.zip", tmp_path / "there", most_bytes=10**6).is_dir()
