"""Scripts as people start them: processes of their own."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 300
"""After that a process hangs; no test depends on how long one takes."""


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a script in a folder, with its output kept."""
    script, *others = arguments
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / script), *others],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@dataclass(frozen=True)
class Ended:
    """What a process left."""

    code: int
    out: str
    err: str


def end_of(process: "subprocess.Popen[str]") -> Ended:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in out + err, err
    return Ended(process.returncode, out, err)


def run_script(folder: Path, *arguments: str) -> Ended:
    return end_of(start(folder, *arguments))


def wait_for(process: "subprocess.Popen[str]", *paths: Path) -> None:
    """Wait until all files are there, while the process lives."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all(path.exists() for path in paths):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"no {', '.join(map(str, paths))} from the process: {process.communicate()[1]}")
        time.sleep(0.005)
