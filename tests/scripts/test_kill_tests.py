"""Each analysis is killed three times, and nothing recorded is lost."""

from pathlib import Path

import pytest

from tests.scripts.processes import run_script


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["video", "folder", "webcam"])
def test_nothing_is_missing_after_kills(tmp_path: Path, kind: str) -> None:
    ended = run_script(tmp_path, "scripts/kill_tests.py", "--kills", "3", "--kinds", kind)
    assert ended.code == 0, ended.err
    assert len(ended.out.splitlines()) >= 2  # a fast machine is done before the second kill
