"""Records survive a round trip, and anything else is refused."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer.records import from_json, from_plain, read_record, to_json, to_plain, write_record


@dataclass(frozen=True)
class Part:
    size_px: int = 3

    def __post_init__(self) -> None:
        if self.size_px < 1:
            raise ValueError(f"size_px must be at least 1, got {self.size_px}")


@dataclass(frozen=True)
class Whole:
    name: str
    path: Path | None = None
    shares: tuple[float, ...] = ()
    parts: dict[str, Part] = field(default_factory=dict)


WHOLE = Whole("é", Path("a/b"), (0.25, 1.0), {"first": Part(7)})


@pytest.mark.parametrize("whole", [WHOLE, Whole("bare"), Whole("\udc80 is no UTF-8", Path("\udc80"))])
def test_a_record_survives_a_round_trip(whole: Whole, tmp_path: Path) -> None:
    assert from_json(to_json(whole), Whole) == whole
    assert from_plain(to_plain(whole), Whole, exact=True) == whole
    write_record(tmp_path / "whole.json", whole)
    assert read_record(tmp_path / "whole.json", Whole) == whole


def test_plain_values_are_what_json_is_made_of() -> None:
    assert to_plain({"array": np.arange(2), "path": Path("a")}) == {"array": [0, 1], "path": "a"}
    assert to_json([float("nan")], indent=0) == "[null]"


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "7", "{}", '{"name": 5}', '{"name": "x", "shares": [NaN]}', '{"name": "x", "shares": "none"}',
        '{"name": "x", "parts": {"a": {"size_px": 0}}}', '{"a":' * 100_000, '{"name": "x", "shares": [1e400]}',
        '{"name": "x", "parts": {"a": {"size_px": ' + "9" * 400 + "}}}", '{"name": "x", "shares": [-Infinity]}',
        '{"name": "x", "parts": {"a": {"size_px": 18446744073709551616}}}', '{"name": "x", "path": []}',
    ],
)  # fmt: skip
def test_invalid_records_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError):
        from_json(text, Whole)
    (tmp_path / "whole.json").write_text(text)
    assert read_record(tmp_path / "whole.json", Whole) is None


def test_fields_of_a_later_version_are_ignored_or_refused() -> None:
    later: dict[str, Any] = {"name": "x", "color": 1, "parts": {"a": {"size_px": 2, "depth": 3}}}
    assert from_plain(later, Whole) == Whole("x", parts={"a": Part(2)})
    with pytest.raises(ValueError, match=r"unknown: \$\.color, \$\.parts\.a\.depth"):
        from_plain(later, Whole, exact=True)


def test_deep_nesting_is_refused_in_exact_mode() -> None:
    nested: dict[str, Any] = {}
    for _ in range(2000):
        nested = {"a": nested}
    with pytest.raises(ValueError):
        from_plain({"name": "x", "anything": nested}, dict[str, Any], exact=True)


def test_a_file_that_cannot_be_read_is_noted_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "whole.json"
    assert read_record(path, Whole) is None and not caplog.records, "there is none"
    for text in ('{"name": 5}', "{"):
        path.write_text(text)
        assert read_record(path, Whole) is read_record(path, Whole) is None
    assert [str(path) in record.message for record in caplog.records] == [True, True]
    assert "$.name" in caplog.records[0].message


def test_a_file_that_is_no_record_is_none(tmp_path: Path) -> None:
    (tmp_path / "large.json").write_text(json.dumps({"name": "x" * 2**24}))
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "circle.json").symlink_to(tmp_path / "circle.json")
    (tmp_path / "latin.json").write_bytes(b'{"name": "\xe4"}')
    for name in ("large", "pipe", "folder", "circle", "latin", "missing", "x" * 300, "\0"):
        assert read_record(tmp_path / f"{name}.json", Whole) is None
