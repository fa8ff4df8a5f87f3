"""Slightly changed files are read or refused, and nothing else happens."""

from pathlib import Path

import pytest

from scripts.fuzz import KINDS, READ, REFUSED, Answer, inputs
from scripts.fuzzing.readers import READERS
from scripts.fuzzing.seeds import SEEDS
from tests.scripts.processes import run_script


@pytest.mark.slow
def test_forty_files_give_no_fault(tmp_path: Path) -> None:
    ended = run_script(tmp_path, "scripts/fuzz.py", "--count", "40", "--keep", tmp_path / "faults")
    assert ended.code == 0, ended.out
    table = {line.split()[0]: line.split()[1:5] for line in ended.out.splitlines()[1:]}
    assert set(table) == set(KINDS) == set(READERS) == set(SEEDS)
    for files, read, refused, faults in table.values():
        assert (files, faults) == ("8", "0") and int(read) + int(refused) == 8
    assert not (tmp_path / "faults").exists()


def test_the_same_seed_makes_the_same_files() -> None:
    one, same, other = (dict(inputs("archives", seed, 6)) for seed in (1, 1, 2))
    assert one == same and not one.keys() & other.keys()
    assert len({str(files) for files in one.values()}) == 6


def test_a_fault_is_identified_by_its_place_in_the_product() -> None:
    lines = ['  File "a/scripts/fuzz.py", line 1, in x', '  File "a/fer/files.py", line 2, in y', "KeyError: 1"]
    fault = Answer("\n".join(["Traceback", *lines]), 0.0, 0)
    assert fault.is_fault and "files.py" in fault.place and "KeyError" in fault.place
    assert not any(Answer(outcome, 0.0, 0).is_fault for outcome in (READ, REFUSED))
