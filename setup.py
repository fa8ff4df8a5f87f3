"""What pyproject.toml cannot express: the requirements, and the app's files, which are packaged as fer/app."""

import re
from pathlib import Path

from setuptools import find_packages, setup

EXTRAS = {
    "video": ("video",),
    "torch": ("torch",),
    "train": ("torch", "reports", "train"),
    "app": ("video", "reports", "app"),
    "ray": ("ray",),
    "all": ("video", "torch", "reports", "train", "app", "ray"),
    "dev": ("dev",),
}
"""Extra → the sections of the requirements files that it includes."""

needed: dict[str, list[str]] = {}
for name in ("requirements.txt", "requirements-dev.txt"):
    for line in Path(name).read_text(encoding="utf-8").splitlines():
        requirement = line.split("#")[0].strip()
        if section := re.match(r"# \[(\w+)\]", line):
            lines = needed.setdefault(section[1], [])
        elif requirement and not requirement.startswith("-"):
            lines.append(requirement)
setup(
    install_requires=needed["core"],
    extras_require={extra: [line for name in names for line in needed[name]] for extra, names in EXTRAS.items()},
    # The repository has these at the top level. In a wheel, Streamlit finds them in fer/app.
    packages=[*find_packages(include=["fer", "fer.*"]), "fer.app"],
    package_dir={"fer.app": "."},
    script_name="setup.py",  # otherwise this file would be taken for one of the app's
)
