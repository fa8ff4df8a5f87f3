"""The project's infrastructure: workflows, lock file, issue forms, hooks and citation."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML

import fer

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PYTHONS = ("3.11", "3.12", "3.13")
SYSTEMS = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"
FIELDS = {"markdown", "textarea", "input", "dropdown", "checkboxes"}
"""Field types of GitHub's forms."""


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def requirements(*names: str) -> Iterator[Requirement]:
    for name in names:
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            text = line.split("#")[0].strip()
            if text and not text.startswith("-"):
                yield Requirement(text)


def commands(workflow: Path) -> str:
    return "\n".join(step.get("run", "") for job in read(workflow)["jobs"].values() for step in job["steps"])


def test_workflows_follow_githubs_schema() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    done = subprocess.run([*command, *map(str, WORKFLOWS)], capture_output=True, text=True)
    assert len(WORKFLOWS) == 2 and done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_refer_to_existing_things(workflow: Path) -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    asked = re.findall(r"\bmake (\w+)", commands(workflow))
    scripts = re.findall(r"^(scripts/\S+)", commands(workflow), re.MULTILINE)
    assert asked and set(asked) <= set(targets)
    assert all((ROOT / script).stat().st_mode & 0o100 or sys.platform == "win32" for script in scripts)
    assert read(workflow)["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] for job in read(workflow)["jobs"].values())


def test_each_system_is_checked_with_the_oldest_and_the_newest_python() -> None:
    matrix = read(ROOT / ".github/workflows/checks.yml")["jobs"]["fast"]["strategy"]["matrix"]
    assert [name.split("-")[0] for name in matrix["system"]] == ["ubuntu", "macos", "windows"]
    assert matrix["python"] == [PYTHONS[0], PYTHONS[-1]]
    above = f"<3.{int(PYTHONS[-1].split('.')[1]) + 1}"
    assert f'requires-python = ">={PYTHONS[0]},{above}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_continuous_integration_takes_the_lock_and_the_weekly_run_does_not() -> None:
    assert "PIP_CONSTRAINT" in read(ROOT / ".github/workflows/checks.yml")["env"]
    newest = ROOT / ".github/workflows/newest.yml"
    assert read(newest)["on"]["schedule"] and "constraints" not in newest.read_text(encoding="utf-8")


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_the_lock_has_one_version_of_each_requirement(python: str, system: str) -> None:
    here = {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": system,
        "platform_system": SYSTEMS[system],
        "platform_machine": "arm64" if system == "darwin" else "x86_64",
        "extra": "",
    }
    pinned: dict[str, str] = {}
    for pin in requirements("constraints.txt"):
        if pin.marker is None or pin.marker.evaluate(here):
            (exact,) = pin.specifier
            assert exact.operator == "==" and pin.name not in pinned
            pinned[pin.name] = exact.version
    for wanted in requirements("requirements.txt", "requirements-dev.txt"):
        if wanted.marker and not wanted.marker.evaluate(here):
            continue
        assert wanted.specifier.contains(pinned[wanted.name.lower()]), wanted


def test_the_lock_names_no_place_to_get_it_from() -> None:
    assert not re.search(r"https?:|^-|file:", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)


def test_hooks_run_what_make_check_runs() -> None:
    (local,) = read(ROOT / ".pre-commit-config.yaml")["repos"]
    made = re.search(r"^check:.*\n\t.*-j 2 (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert made and [hook["entry"] for hook in local["hooks"]] == [f"make {target}" for target in made[1].split()]


@pytest.mark.parametrize("form", sorted({*FORMS.glob("*.yml")} - {FORMS / "config.yml"}), ids=lambda path: path.stem)
def test_issue_forms_use_known_fields(form: Path) -> None:
    asked = read(form)
    assert {"name", "description", "body"} <= asked.keys()
    ids = [field["id"] for field in asked["body"] if field["type"] != "markdown"]
    assert len(ids) == len(set(ids)) and ids
    for field in asked["body"]:
        assert field["type"] in FIELDS
        assert ("value" if field["type"] == "markdown" else "label") in field["attributes"]
        assert bool(field["attributes"].get("options")) == (field["type"] in {"dropdown", "checkboxes"})


def test_the_citation_file_is_valid() -> None:
    cited = read(ROOT / "CITATION.cff")
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors"} <= cited.keys()
    assert cited["version"] == fer.__version__
    assert cited["license"] in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert cited["authors"][0]["name"] in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_the_changelog_has_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## \[([\d.]+)\] - (Unreleased|\d{4}-\d\d-\d\d)$", text, re.MULTILINE)
    assert versions[0][0] == fer.__version__
    sections = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert sections and sections <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
