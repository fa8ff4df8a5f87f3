"""Files are written completely or not at all, and files that are not ours, or too large, are refused with a reason."""

import errno
import hashlib
import io
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fer import files
from fer.errors import CheckpointError, FerError, JobError, lacks_room
from fer.files import file_errors, file_sha256, read_arrays, read_bytes, write_atomically


def test_writing_leaves_the_whole_text_and_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, "old" * 1000)
    write_atomically(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("refusals", [3, 99])
def test_replacing_waits_for_readers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusals: int) -> None:
    path, tries, replace = tmp_path / "file.json", [0], Path.replace

    def as_on_windows(partial: Path, target: Path) -> Path:
        tries[0] += 1
        if tries[0] <= refusals:
            raise PermissionError(errno.EACCES, "being used by another process", str(partial), None, str(target))
        return replace(partial, target)

    write_atomically(path, "old")
    monkeypatch.setattr(Path, "replace", as_on_windows)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(files, "_PAUSES_SECONDS", (0, 0, 0, 0))
    if refusals == 3:
        write_atomically(path, "new")
    else:
        with pytest.raises(PermissionError):
            write_atomically(path, "new")
    assert path.read_text() == ("new" if refusals == 3 else "old")
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_text(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \udce4")
    assert path.read_text() == "old"


def test_a_file_is_identified_by_its_hash(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"weights")
    assert file_sha256(tmp_path / "model") == hashlib.sha256(b"weights").hexdigest()


# ---------------------------------------------------------------------------------------------- what the system says


def refused(kind: type[FerError], act: Callable[[], object]) -> str:
    with pytest.raises(FerError, match="here: ") as caught, file_errors("here", kind):
        act()
    assert type(caught.value) is kind
    return str(caught.value)


def test_system_errors_become_errors_that_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("x")
    acts: list[tuple[str, Callable[[], object]]] = [
        ("missing", lambda: (tmp_path / "missing").read_bytes()),
        (str(tmp_path), lambda: tmp_path.read_bytes()),
        ("file", lambda: (tmp_path / "file" / "below").write_bytes(b"")),
        ("x" * 300, lambda: (tmp_path / ("x" * 300)).write_bytes(b"")),
        ("circle", lambda: (tmp_path / "circle").read_bytes()),
        ("full", lambda: (tmp_path / "full").rmdir()),
        ("full", lambda: (tmp_path / "full").mkdir()),
    ]
    acts.append(("below.json", lambda: write_atomically(tmp_path / "missing" / "below.json", "x")))
    texts = [refused(kind, act) for kind, (_, act) in zip([JobError, CheckpointError] * 4, acts, strict=False)]
    assert all(name in text for text, (name, _) in zip(texts, acts, strict=True))
    assert not any(".partial" in text for text in texts)
    assert len({text.partition(" at ")[0] for text in texts}) == len(acts) - 2  # two kinds occur twice


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_recognized_in_the_cause(number: int) -> None:
    def act() -> None:
        raise OSError(number, os.strerror(number), "results.jsonl")

    with pytest.raises(JobError, match=r"results\.jsonl") as caught:
        try:
            refused(JobError, act)
            with file_errors("here", JobError):
                act()
        except FerError as error:
            raise JobError(str(error)) from error
    assert lacks_room(caught.value)
    assert (
        not lacks_room(OSError(errno.EROFS, "read-only")) and not lacks_room(JobError("full")) and not lacks_room(None)
    )


def test_errors_without_a_file_pass() -> None:
    with pytest.raises(BrokenPipeError), file_errors("here"):
        raise BrokenPipeError
    with pytest.raises(ZeroDivisionError), file_errors("here"):
        raise ZeroDivisionError


def test_the_longest_possible_name_is_written(tmp_path: Path) -> None:
    path = tmp_path / ("ä" * 125 + ".json")
    assert len(os.fsencode(path.name)) == 255
    write_atomically(path, "x")
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name] and path.read_text() == "x"


# ---------------------------------------------------------------------------------------------- limits


def test_reads_are_limited_and_never_block(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_bytes(tmp_path / "file", most=5) == b"12345"
    with pytest.raises(ValueError, match="file"):
        read_bytes(tmp_path / "file", most=4)
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(20 * 2**30)
    with pytest.raises(ValueError, match="holes"):
        read_bytes(tmp_path / "holes")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe"):
        read_bytes(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        read_bytes(tmp_path)


def npy(shape: str, kind: str = "'<f4'", data: bytes = b"\0" * 8) -> bytes:
    header = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}}}".encode()
    return b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + data


def zipped(**files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"{name}.npy", data)
    return content.getvalue()


def test_arrays_survive_a_round_trip(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "two.npz", a=np.arange(5), b=np.array("text"))
    found = read_arrays(tmp_path / "two.npz")
    assert found.keys() == {"a", "b"} and found["a"].tolist() == [0, 1, 2, 3, 4] and str(found["b"]) == "text"
    np.save(tmp_path / "one.npy", np.eye(2))
    assert read_arrays(tmp_path / "one.npy")[""].tolist() == [[1, 0], [0, 1]]
    np.save(tmp_path / "words.npy", np.array(["ß", ""], ">U2"))
    assert read_arrays(tmp_path / "words.npy")[""].tolist() == ["ß", ""]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"no array", zipped(a=b"no array"), npy("(2,)", data=b"\0"), npy("(4500000000,)"), npy("(-1,)"),
        zipped(a=npy("(2,)", data=b"\0")), zipped(a=npy("(4500000000,)")), zipped(a=npy("(2,)"))[:-30],
        npy(f"({'9' * 400},)"), npy("(" * 5000), npy("(10**9,)"), npy("(1000000000,)", "'V0'"), npy("(2,)", "5"),
        npy("(1,)", "'|O'", pickle.dumps(print)), zipped(a=npy("(1,)", "'|O'", pickle.dumps([print]))),
        npy("()", "'<U1'", b"\xff" * 4), npy("(2,)", "'>U1'", b"\xff" * 8),
    ],
    ids=lambda content: f"{len(content)}",
)  # fmt: skip
def test_invalid_arrays_and_huge_declared_sizes_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file.npz").write_bytes(content)
    with pytest.raises(ValueError):
        read_arrays(tmp_path / "file.npz")


def test_a_small_file_of_large_arrays_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file.npz").write_bytes(zipped(a=npy("(30000,)", data=b"\0" * 120_000)))
    assert read_arrays(tmp_path / "file.npz")["a"].shape == (30000,)
    monkeypatch.setattr("fer.files.MOST_UNPACKED_BYTES", 100_000)
    with pytest.raises(ValueError):
        read_arrays(tmp_path / "file.npz")
