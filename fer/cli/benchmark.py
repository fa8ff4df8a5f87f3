"""Measure how fast this machine is: `fer-studio benchmark`, which a checkout has and an installed package has not."""

import subprocess
import sys
from collections.abc import Sequence

from fer.home import app_folder


def main(arguments: Sequence[str]) -> int:
    """Run the benchmarks; return their exit code, or 1 where there are none."""
    script = app_folder() / "scripts" / "benchmark.py"
    if not script.is_file():
        print(f"error: expected the benchmarks of a checkout, found no {script}. Clone the project.", file=sys.stderr)
        return 1
    return subprocess.run([sys.executable, str(script), *arguments]).returncode
