"""Measure the speed of this machine: `fer-studio benchmark`, for a checkout, not an installed package."""

import subprocess
import sys
from collections.abc import Sequence

from fer.home import app_folder


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks; return their exit code, or 1 if this is not a checkout."""
    script = app_folder() / "scripts" / "benchmark.py"
    if not script.is_file():
        print(f"error: expected a checkout with benchmarks, found no {script}. Clone the project.", file=sys.stderr)
        return 1
    return subprocess.run([sys.executable, str(script), *arguments]).returncode
