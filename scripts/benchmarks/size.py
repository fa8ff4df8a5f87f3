"""Disk space of an installation: `python scripts/benchmark.py size`."""

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]
NOT_NEEDED = (".git", ".venv", "tests", "build", "dist", "runs", "data", "*.egg-info", "__pycache__")
"""Ignored when the wheel is built."""


def measure(extras: str = "core,app") -> dict[str, float]:
    """Megabytes of the wheel, and of everything that pip installs for it in a new environment.

    `core` is the package without extras, which is enough for `predict`. What is not in pip's cache is downloaded.
    """
    with tempfile.TemporaryDirectory() as text:
        place, source = Path(text), Path(text, "source")
        shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(*NOT_NEEDED))
        build = ("wheel", "-q", "--no-deps", "--no-build-isolation", "-w", place, source)
        subprocess.run([sys.executable, "-m", "pip", *build], check=True)
        (wheel,) = place.glob("*.whl")
        figures = {"wheel (MB)": wheel.stat().st_size / 1e6}
        for extra in filter(None, extras.split(",")):
            environment = place / extra
            venv.create(environment, symlinks=True)
            python = environment / "bin" / "python"
            what = str(wheel) + ("" if extra == "core" else f"[{extra}]")
            subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "-q", what], check=True)
            files = [path for path in environment.rglob("*") if path.is_file() and not path.is_symlink()]
            figures[f"installed, {extra} (MB)"] = sum(path.stat().st_size for path in files) / 1e6
    return figures
