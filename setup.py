"""What pyproject.toml cannot say: what the package needs, and that the app's files travel in it, as fer/app."""

import re
from pathlib import Path

from setuptools import find_packages, setup

BRINGS = {"train": ("torch",), "app": ("torch", "train")}
"""Extra → the others that come with it."""

needed: dict[str, list[str]] = {}
for name in ("requirements.txt", "requirements-dev.txt"):
    for line in Path(name).read_text(encoding="utf-8").splitlines():
        requirement = line.split("#")[0].strip()
        if section := re.match(r"# \[(\w+)\]", line):
            lines = needed.setdefault(section[1], [])
        elif requirement and not requirement.startswith("-"):
            lines.append(requirement)
core = needed.pop("core")
extras = {extra: sum((needed[other] for other in BRINGS.get(extra, ())), own) for extra, own in needed.items()}
extras["all"] = sum((own for extra, own in needed.items() if extra != "dev"), [])

setup(
    install_requires=core,
    extras_require=extras,
    # The customer has these at the top level. In a wheel Streamlit finds them beside each other all the same.
    packages=[*find_packages(include=["fer", "fer.*"]), "fer.app"],
    package_dir={"fer.app": "."},
    script_name="setup.py",  # else this file would be taken for one of the app's
)
