"""Where figures come from: what was measured, with which program, by which command."""

import platform
import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("fer-studio", "onnxruntime", "torch", "torchvision", "scikit-learn", "numpy")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that figures depend on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}}


def command_line(arguments: Sequence[str] | None = None) -> str:
    """Return a program and its arguments as they are typed; not given, those of the script that this process runs."""
    return shlex.join(arguments or ["python", *sys.argv])


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
