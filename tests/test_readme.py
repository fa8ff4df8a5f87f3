"""Links, commands and Python in the README and docs/ work as they are."""

import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from fer.cli.main import COMMANDS
from scripts import benchmark

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md"))
WORDS = 900
"""The README has at most this many."""


def text_of(document: Path) -> str:
    return document.read_text(encoding="utf-8")


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text_of(document), re.DOTALL | re.MULTILINE)


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub makes of its headings."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text_of(document), flags=re.S | re.M), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(document: Path) -> list[list[str]]:
    """Return the words of each `fer-studio …` in blocks of shell, and between backticks where it has arguments."""
    text = text_of(document)
    shell = "\n".join(blocks(document, "sh")).replace("\\\n", " ")
    inline = re.findall(r"`(fer-studio [^`]+)`", text.replace("\n", " "))
    lines = [
        line[line.index("fer-studio ") :] for line in shell.splitlines() if re.match(r"(\w+=\S+ )*fer-studio ", line)
    ]
    return [shlex.split(line, comments=True)[1:] for line in [*lines, *inline]]


def parse(command: str, arguments: list[str]) -> None:
    """Parse a command line with the parser of its command, which exits if it is wrong."""
    match command:
        case "app":
            from streamlit.web import cli

            cli.main_run.make_context("run", ["streamlit_app.py", *arguments])
        case "benchmark":
            benchmark.parse_arguments(arguments)
        case _:
            importlib.import_module(f"fer.cli.{command}").parse_arguments(arguments)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", text_of(document))
    for target in targets:
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.parent / path).resolve() if path else document
        assert file.is_relative_to(ROOT) and file.exists(), f"{target} is not there"
        assert not anchor or anchor in anchors(file), f"{file.name} has no {anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_commands_are_understood(document: Path) -> None:
    for command, *arguments in commands(document):
        if command == "--home" or {command, *arguments} & {"--help", "…", "COMMAND"}:
            continue
        assert command in COMMANDS
        if arguments:
            parse(command, arguments)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_scripts_and_targets_are_there(document: Path) -> None:
    for name in re.findall(r"(?<![\w/])scripts/[\w/]+\.(?:py|sh)\b", text_of(document)):
        assert (ROOT / name).is_file()
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    for line in "\n".join(blocks(document, "sh")).splitlines():
        if made := re.match(r"make (\w+)", line):
            assert made[1] in targets


def test_each_page_has_a_picture_and_is_in_the_index() -> None:
    index = text_of(ROOT / "docs" / "README.md")
    for page in (ROOT / "docs").glob("*.md"):
        assert "![" in text_of(page), f"{page.name} has no picture"
        assert page.name == "README.md" or f"({page.name})" in index


def test_the_readme_is_short() -> None:
    assert len(text_of(ROOT / "README.md").split()) <= WORDS


@pytest.mark.slow
@pytest.mark.parametrize(
    ("document", "program"),
    [(document, program) for document in DOCUMENTS for program in blocks(document, "python")],
    ids=lambda value: value.stem if isinstance(value, Path) else "",
)
def test_the_lines_of_python_run(
    document: Path, program: str, tmp_path: Path, astronaut: npt.NDArray[np.uint8]
) -> None:
    Image.fromarray(astronaut).save(tmp_path / "photo.jpg")
    if "annotated" in program:
        program += "\nprint(annotated.shape, annotated.dtype, (annotated != image).any())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("happiness") == 1 or "probabilities" in program
    if "annotated" in program:
        faces, drawn = done.stdout.splitlines()
        assert faces.startswith("[('happiness', 0.9") and faces.count("'") == 2
        assert drawn == "(512, 512, 3) uint8 True"
