"""Run scripts as people do: in separate processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 300
"""A process that takes longer hangs; no test depends on how long one takes."""


def start(folder: Path, *command: str | Path, **options: Any) -> "subprocess.Popen[str]":
    """Start Python in a folder, capturing its output.

    Args:
        folder: working folder.
        command: arguments of Python: a script by its path from the root ("scripts/train.py"), or -m and a module.
        options: of `subprocess.Popen`; `env` is added to the current environment.
    """
    more = options.pop("env", {})
    own = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    parts = [str(ROOT / part) if str(part).startswith("scripts/") else str(part) for part in command]
    return subprocess.Popen(
        [sys.executable, *parts],
        cwd=folder,
        env={**os.environ, **own, **more},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **options,
    )


def wait_until(condition: Callable[[], object], what: str = "") -> None:
    """Wait until a condition holds; no test looks at how long that takes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain {what}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Ended:
    """The result of a process."""

    code: int
    out: str
    err: str


def end_of(process: "subprocess.Popen[str]") -> Ended:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in out + err, err
    return Ended(process.returncode, out, err)


def run_script(folder: Path, *command: str | Path) -> Ended:
    return end_of(start(folder, *command))


def wait_for(process: "subprocess.Popen[str]", *paths: Path) -> None:
    """Wait until all files exist, while the process lives."""
    wait_while_alive(process, lambda: all(path.exists() for path in paths))


def wait_while_alive(process: "subprocess.Popen[str]", condition: Callable[[], object]) -> None:
    """Wait until a process makes a condition true."""
    wait_until(lambda: condition() or process.poll() is not None)
    assert condition(), f"the process ended before: {process.communicate()}"
