"""Records: dataclasses of plain values, written as JSON and read back.

A plain record consists of what JSON has: dicts, lists, strings, numbers.

Pages read the records that they depend on with `read_record`, which never fails: a file may be missing, half-written,
of another type, or of a later version with more fields. Reading is bounded: a file has a size limit, a number has 64
bits, and nesting deeper than Python's recursion limit is refused.
"""

import json
import logging
import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any, NoReturn, TypeVar

import msgspec

from fer.errors import FerError
from fer.files import changed_ns, read_bytes, write_atomically
from fer.names import printable

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Convert a record to plain values: dataclasses, tuples, dicts, arrays and paths, nested at any depth."""
    return msgspec.to_builtins(value, enc_hook=_encoded, str_keys=True)


def from_plain(value: Any, kind: type[T], exact: bool = False) -> T:
    """Return the record that `to_plain` was called on; unknown fields are ignored, or refused if `exact`.

    Raises:
        ValueError: a field is missing, unknown, or of another type.
    """
    try:
        record = msgspec.convert(value, kind, dec_hook=_decoded, str_keys=True)
        unknown = ", ".join(_unknown(value, to_plain(record), "$")) if exact else ""
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from error
    if unknown:
        raise ValueError(f"unknown: {unknown}")
    return record


def to_json(value: Any, indent: int = 1) -> str:
    """Return a record as JSON. NaN and infinity become null."""
    try:
        data = msgspec.json.encode(value, enc_hook=_encoded)
    except UnicodeEncodeError:  # a file name that is not UTF-8
        return json.dumps(to_plain(value), indent=indent or None)
    return (msgspec.json.format(data, indent=indent) if indent else data).decode()


def from_json(text: str | bytes, kind: type[T]) -> T:
    """Return the record that `to_json` was called on. Unknown fields are ignored.

    Raises:
        ValueError: the text is not JSON, a field is missing, or has another type.
    """
    return from_plain(plain_of(text), kind)


def plain_of(text: str | bytes) -> Any:
    """Return the content of a JSON text, which may include file names that are not UTF-8.

    Raises:
        ValueError: the text is not JSON, is nested too deep, or has a number beyond 64 bits: NaN, 1e400.
    """
    try:
        return json.loads(text, parse_constant=_refuse, parse_float=_float, parse_int=_int)
    except RecursionError as error:
        raise ValueError(str(error)) from error


def read_record(path: Path, kind: type[T]) -> T | None:
    """Read a record; None if it cannot be read as this type. The reason is logged, unless there is no file."""
    try:
        return from_json(read_bytes(path), kind)
    except (OSError, ValueError, FerError) as error:  # FerError: its fields contradict each other
        note_unread(path, error)
        return None


def note_unread(path: Path, error: Exception) -> None:
    """Log why a file that exists cannot be read, once until it changes."""
    if changed := changed_ns(path):
        _note_once(path, changed, str(error))


@lru_cache(maxsize=1000)
def _note_once(path: Path, changed: int, reason: str) -> None:
    logging.getLogger(__name__).warning("%s", printable(f"{path} cannot be read: {reason}"))


def write_record(path: Path, value: Any, durable: bool = True) -> None:
    """Write a record atomically; for errors see `replace_file`."""
    write_atomically(path, to_json(value), durable)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"expected a 64-bit number, found {constant[:40]}")


def _float(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _int(text: str) -> int:
    number = int(text) if len(text) <= 20 else 2**64
    return number if -(2**63) <= number < 2**64 else _refuse(text)


def _unknown(given: Any, known: Any, place: str) -> Iterator[str]:
    """Yield the paths of fields that were read but are not in the record made from them."""
    if isinstance(given, dict):
        for name, value in given.items():
            inner = f"{place}.{name}"
            yield from _unknown(value, known[name], inner) if name in known else [inner]
    elif isinstance(given, list):
        for one, other in zip(given, known, strict=True):
            yield from _unknown(one, other, f"{place}[]")


def _encoded(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    if hasattr(value, "tolist"):  # numpy arrays and numbers
        return value.tolist()
    raise NotImplementedError(f"{type(value).__name__} cannot be written to a record")


def _decoded(kind: type, value: Any) -> Any:
    if issubclass(kind, PurePath):
        if not isinstance(value, str):
            raise ValueError(f"expected a path, got {type(value).__name__}")
        return kind(value)
    raise NotImplementedError(f"{kind.__name__} cannot be read from a record")
