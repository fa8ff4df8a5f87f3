"""Records: dataclasses of plain values, written as JSON and read back, by one serializer.

Whoever reads a record that a page depends on uses `read_record`, which never fails: a file may be missing,
half-written, of another shape, or of a later version that knows more.
"""

from pathlib import Path, PurePath
from typing import Any, TypeVar

import msgspec

from fer.errors import FerError
from fer.files import write_atomically

T = TypeVar("T")


def to_json(value: Any, indent: int = 1) -> str:
    """Return a record as JSON: dataclasses, tuples, dicts and paths of any depth. NaN and infinity become null."""
    data = msgspec.json.encode(value, enc_hook=_encoded)
    return (msgspec.json.format(data, indent=indent) if indent else data).decode()


def from_json(text: str | bytes, kind: type[T]) -> T:
    """Return what `to_json` was called on. Fields that the type does not have are ignored.

    Raises:
        ValueError: the text is no JSON, a field is missing, or it is of another type.
    """
    try:
        return msgspec.json.decode(text, type=kind, dec_hook=_decoded)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def read_record(path: Path, kind: type[T]) -> T | None:
    """Read a record; None where it cannot be read as what it should be, whatever the reason."""
    try:
        return from_json(path.read_bytes(), kind)
    except (OSError, ValueError, FerError):  # the last: its fields contradict each other
        return None


def write_record(path: Path, value: Any, durable: bool = True) -> None:
    """Write a record, whole or not at all; see `replace_file`.

    Raises:
        OSError: it cannot be written.
    """
    write_atomically(path, to_json(value), durable)


def _encoded(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # numpy's arrays and numbers
        return value.tolist()
    raise NotImplementedError(f"{type(value).__name__} cannot be written to a record")


def _decoded(kind: type, value: Any) -> Any:
    if issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    raise NotImplementedError(f"{kind.__name__} cannot be read from a record")
