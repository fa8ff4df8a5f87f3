"""A file is whole or as it was before."""

import hashlib
from pathlib import Path

import pytest

from fer.files import file_sha256, write_atomically


def test_writing_leaves_the_whole_text_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, "old" * 1000)
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_text(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \udce4")
    assert path.read_text() == "old"


def test_a_file_is_known_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"weights")
    assert file_sha256(tmp_path / "model") == hashlib.sha256(b"weights").hexdigest()
