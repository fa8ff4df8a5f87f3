"""Imports point one way, and what opens at once stays light."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VOCABULARY = {"errors", "labels", "faces", "files", "images", "records"}
MAY_IMPORT = {
    "vocabulary": set(),
    "model": {"vocabulary"},
    "jobs": {"vocabulary"},
    "datasets": {"vocabulary", "model"},
    "recognition": {"vocabulary", "model"},
    "video": {"vocabulary", "model", "recognition"},
    "evaluation": {"vocabulary", "model", "datasets", "recognition", "jobs"},
    "training": {"vocabulary", "model", "datasets", "evaluation", "jobs"},
    "draw": {"vocabulary", "video"},
    "results": {"vocabulary", "recognition", "video"},
    "collection": {"vocabulary", "model", "datasets", "recognition", "jobs", "results", "draw", "training"},
    "charts": {"vocabulary", "video", "evaluation", "training"},
    "reports": {"vocabulary", "model", "recognition", "evaluation", "draw", "charts"},
    "cli": {
        "vocabulary", "model", "jobs", "datasets", "recognition", "video", "evaluation", "training", "draw", "results",
        "collection", "charts", "reports",
    },
}  # fmt: skip
"""Room of the package → the rooms that it may import, besides itself."""
ONLY_IN = {
    "streamlit": {"streamlit_app.py", "pages/"},
    "facenet_pytorch": {"fer/recognition/detector.py"},
}
"""Heavy library → the files and folders that may import it."""


def _room(module: str) -> str:
    """Return the room of "fer.….…"."""
    name = module.split(".")[1]
    return "vocabulary" if name in VOCABULARY else name


def _imported(file: Path) -> Iterator[str]:
    """Yield all modules that a file imports, at its top or in a function, whole: "fer.model.network"."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _sources(*places: str) -> list[str]:
    return sorted(
        file.relative_to(ROOT).as_posix()
        for place in places
        for file in ([ROOT / place] if place.endswith(".py") else (ROOT / place).rglob("*.py"))
    )


PACKAGE = _sources("fer")


def test_there_is_something_to_look_at() -> None:
    assert "fer/model/network.py" in PACKAGE


@pytest.mark.parametrize("source", PACKAGE)
def test_imports_point_one_way(source: str) -> None:
    module = source.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    wanted = {_room(name) for name in _imported(ROOT / source) if name.startswith("fer.")}
    if module == "fer":
        assert not wanted
    else:
        room = _room(module)
        assert room in MAY_IMPORT, f"{room} is a new room: say in this test what it may import"
        assert wanted <= MAY_IMPORT[room] | {room}


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_heavy_library_is_imported_in_few_places(library: str) -> None:
    importers = {
        source
        for source in _sources("fer", "pages", "scripts", "streamlit_app.py")
        if any(name.split(".")[0] == library for name in _imported(ROOT / source))
    }
    assert {source for source in importers if not source.startswith(tuple(ONLY_IN[library]))} == set()
    assert importers


def test_what_opens_at_once_imports_neither_torch_nor_streamlit() -> None:
    program = (
        "import sys\n"
        "import fer, fer.labels, fer.faces, fer.errors, fer.images\n"
        "import fer.model.checkpoint, fer.results.pictures, fer.charts.expressions\n"
        "print(*sorted({'torch', 'torchvision', 'streamlit', 'facenet_pytorch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
