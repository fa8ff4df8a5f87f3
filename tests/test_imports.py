"""Imports go one way, and pages that must open fast stay light."""

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import fer
from fer.images import encode_png

ROOT = Path(__file__).resolve().parents[1]
VOCABULARY = {"errors", "home", "labels", "faces", "files", "decoding", "decoders", "images", "names", "records"}
MAY_IMPORT = {
    "vocabulary": set(),
    "model": {"vocabulary"},
    "jobs": {"vocabulary"},
    "datasets": {"vocabulary", "model"},
    "recognition": {"vocabulary", "model"},
    "video": {"vocabulary", "model", "recognition", "jobs"},
    "evaluation": {"vocabulary", "model", "datasets", "recognition", "jobs"},
    "training": {"vocabulary", "model", "datasets", "evaluation", "jobs"},
    "draw": {"vocabulary", "video"},
    "results": {"vocabulary", "recognition", "video"},
    "collection": {"vocabulary", "model", "datasets", "recognition", "jobs", "results", "draw", "training"},
    "charts": {"vocabulary", "video", "evaluation", "training"},
    "reports": {"vocabulary", "model", "datasets", "recognition", "evaluation", "draw", "charts"},
    "cli": {
        "vocabulary", "model", "jobs", "datasets", "recognition", "video", "evaluation", "training", "draw", "results",
        "collection", "charts", "reports",
    },
}  # fmt: skip
"""Folder of the package → the folders that it may import, besides itself."""
ONLY_IN = {
    "streamlit": {
        "streamlit_app.py",
        "pages/",
        "fer/cli/app.py",
        "scripts/benchmarks/viewers.py",
        "scripts/benchmarks/visitors.py",
    },
    "facenet_pytorch": {"fer/recognition/facenet.py"},
}
"""Heavy library → the files and folders that may import it."""


def _room(module: str) -> str:
    """Return the folder of "fer.….…"."""
    name = module.split(".")[1]
    return "vocabulary" if name in VOCABULARY else name


@cache
def _imported(file: Path) -> set[str]:
    """Return all modules that a file imports, at the top or in functions, in full: "fer.model.network"."""
    modules = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{file}: imports are written in full"
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


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
        return  # it re-exports from other folders, with imports on demand; see the last tests
    room = "cli" if module == "fer.__main__" else _room(module)
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


def _loaded_by(program: str) -> set[str]:
    """Return all modules that a program has imported when it exits."""
    command = [sys.executable, "-c", f"{program}\nimport sys\nprint(*sys.modules)"]
    return set(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def test_light_modules_import_neither_torch_nor_streamlit() -> None:
    loaded = _loaded_by(
        "import fer.labels, fer.faces, fer.errors, fer.images\n"
        "import fer.model.checkpoint, fer.results.pictures, fer.charts.expressions"
    )
    assert not loaded & {"torch", "torchvision", "streamlit", "facenet_pytorch"}


HEAVY = {"torch", "torchvision", "facenet_pytorch", "pandas", "pyarrow", "scipy", "sklearn", "ray"}
"""Plotly is not among them: Streamlit imports it at start-up, if it is installed."""
NO_CAMERA = """
import streamlit_webrtc.relay
from types import SimpleNamespace
streamlit_webrtc.relay.get_global_relay = SimpleNamespace
state = SimpleNamespace(playing=False, signalling=False)
streamlit_webrtc.webrtc_streamer = lambda **given: SimpleNamespace(state=state)
"""
"""Replaces the connection to a browser, which AppTest does not have."""
NEEDED = {"evaluation": {"pandas", "pyarrow"}}
"""Page → the library that it shows tables with."""


@pytest.mark.slow
@pytest.mark.parametrize("page", ["home", "photo", "folder", "webcam", "video", "results", "evaluation", "model_card"])
def test_a_page_imports_nothing_heavy_that_it_does_not_show(page: str) -> None:
    loaded = _loaded_by(
        f"{NO_CAMERA * (page == 'webcam')}from streamlit.testing.v1 import AppTest\n"
        f"app = AppTest.from_file({str(ROOT / 'streamlit_app.py')!r}, default_timeout=120)\n"
        f"app = app.switch_page('pages/{page}.py').run()\n"
        "assert app.main.children and not app.exception and not app.error, (app.exception, app.error)"
    )
    assert loaded & HEAVY == NEEDED.get(page, set())
    assert ("onnxruntime" in loaded) == (page in ("home", "photo", "webcam"))  # home's example
    assert ("av" in loaded) == (page in ("webcam", "video"))


@pytest.mark.slow
def test_a_photo_is_recognized_without_packages_for_videos_and_training(tmp_path: Path, astronaut: np.ndarray) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(encode_png(astronaut))
    loaded = _loaded_by(f"from fer.cli.predict import main\nassert main(['--image', {str(photo)!r}]) == 0")
    assert not loaded & (HEAVY | {"av", "plotly", "streamlit", "jinja2"})


def test_pages_make_fragments_in_one_place_that_gives_them_a_container() -> None:
    makers = [path.name for path in (ROOT / "pages").rglob("*.py") if "st.fragment" in path.read_text("utf-8")]
    assert makers == ["widgets.py"]


def test_the_package_imports_nothing_until_a_name_of_it_is_used() -> None:
    mine = {name for name in _loaded_by("import fer") if name.split(".")[0] == "fer"}
    assert mine == {"fer"}
    assert not _loaded_by("import fer") & {"numpy", "torch", "cv2", "PIL", "scipy"}
    assert "torch" not in _loaded_by("from fer import Face, read_image, draw_faces")
    for name in fer.__all__:
        assert getattr(fer, name) is not None
    with pytest.raises(AttributeError, match="recogniser"):
        fer.recogniser  # noqa: B018
