"""The map of the folders in docs/inside.md matches the folders, and the tests mirror the package."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ABOUT_THE_WHOLE = {"browser", "deploy", "pages", "scripts", "wheel"}
"""Folders of tests that look at it from outside."""


def folders_with_code(*places: str) -> set[str]:
    """Return the folders with modules, from the root: "fer/model"."""
    return {
        file.parent.relative_to(ROOT).as_posix()
        for place in places
        for file in [*(ROOT / place).glob("*.py"), *(ROOT / place).glob("*/*.py")]
    }


def rooms() -> set[str]:
    return {folder.removeprefix("fer/") for folder in folders_with_code("fer") - {"fer"}}


def test_the_map_matches_the_folders() -> None:
    inside = (ROOT / "docs" / "inside.md").read_text(encoding="utf-8").split("\n## The map\n")[1]
    lines = re.findall(r"^    (\S.*?)  ", inside, re.MULTILINE)
    named = [name for line in lines for name in line.split()]
    for name in named:
        assert (ROOT / name).exists(), f"{name} is on the map, not on the disk"
    folders = {name.removesuffix("/") for name in named if name.endswith("/")}
    assert folders == folders_with_code("fer", "pages", "scripts") - {"fer"} | {"tests"}
    modules = {file.relative_to(ROOT).as_posix() for file in (ROOT / "fer").glob("*.py")} - {
        "fer/__init__.py",
        "fer/__main__.py",
    }
    assert modules == {name for name in named if name.startswith("fer/") and name.endswith(".py")}


def test_the_tests_mirror_the_package() -> None:
    mirrored = {folder.split("/")[1] for folder in folders_with_code("tests") - {"tests"}} - ABOUT_THE_WHOLE
    assert mirrored == rooms()
    for file in (ROOT / "tests").glob("test_*.py"):
        about = file.stem.removeprefix("test_")
        assert about in {"glossary", "imports", "map", "readme"} or (ROOT / "fer" / f"{about}.py").is_file(), (
            f"{file.name} mirrors nothing"
        )
