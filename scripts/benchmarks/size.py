"""How much disk an installation takes: `python scripts/benchmark.py size`."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parents[2]


def measure(extras: str = "core,app") -> dict[str, float]:
    """Megabytes of the wheel, and of all that pip installs for it in an environment of its own.

    `core` is the package without an extra, which is enough for `predict`. What is not in pip's cache is downloaded.
    """
    with tempfile.TemporaryDirectory() as text:
        place = Path(text)
        subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", place, ROOT], check=True)
        (wheel,) = place.glob("*.whl")
        figures = {"wheel (MB)": wheel.stat().st_size / 1e6}
        for extra in extras.split(","):
            environment = place / extra
            venv.create(environment, symlinks=True)
            python = environment / "bin" / "python"
            what = str(wheel) + ("" if extra == "core" else f"[{extra}]")
            subprocess.run([sys.executable, "-m", "pip", "--python", python, "install", "-q", what], check=True)
            files = [path for path in environment.rglob("*") if path.is_file() and not path.is_symlink()]
            figures[f"installed, {extra} (MB)"] = sum(path.stat().st_size for path in files) / 1e6
    return figures
