"""An installed wheel works elsewhere: every command, the app, and the processes that the app starts."""

import json
import os
import shutil
import site
import socket
import subprocess
import sys
import time
import urllib.request
import venv
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from fer.images import encode_png

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 120
"""Anything that takes longer hangs; no test depends on how long it takes."""
NOT_BUILT_FROM = shutil.ignore_patterns(".*", "tests", "build", "dist", "runs", "data", "*.egg-info", "__pycache__")

PAGE = """
import sys
from streamlit.testing.v1 import AppTest
from fer.home import APP_FILE, app_folder
sys.path.insert(0, str(app_folder()))  # as Streamlit does
app = AppTest.from_file(str(app_folder() / APP_FILE), default_timeout=120).run()
for page in ("photo", "training", "video"):
    assert not app.exception, app.exception
    app = app.switch_page(f"pages/{page}.py").run()
    print(page, bool(app.exception), [title.value for title in app.title], [error.value for error in app.error])
"""
TRAINING = """
import sys
from fer.home import app_folder
sys.path.insert(0, str(app_folder()))
from fer.training.config import TrainingConfig
from pages.parts.training_setup import begin
begin(TrainingConfig("synthetic:80", epochs=1, architecture="shufflenet_v2_x0_5", size_px=32), "from the page")
"""


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, and a folder unrelated to it."""

    programs: Path
    elsewhere: Path

    @property
    def home(self) -> Path:
        return self.elsewhere / "home"

    def environment(self) -> dict[str, str]:
        """Return this process's environment variables, without those that lead to the checkout."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and name[:4] != "FER_"}
        return {**kept, "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8", "FER_HOME": str(self.home)}

    def run(self, program: str, *arguments: str) -> str:
        """Run a program of the environment elsewhere; return its output."""
        done = subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.elsewhere,
            env=self.environment(),
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=lambda place, names: NOT_BUILT_FROM(place, names) - {".streamlit"})
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(folder), str(folder / "source")], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel in a new environment, which takes all other packages from this one's."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "environment", symlinks=os.name != "nt")
    programs = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", str(wheel)], check=True)
    (folder / "elsewhere").mkdir()
    own = Installed(programs, folder / "elsewhere")
    packages = Path(own.run("python", "-c", "import fer; print(fer.__file__)").strip()).parents[1]
    assert folder in packages.parents
    (packages / "others.pth").write_text("\n".join(site.getsitepackages()), encoding="utf-8")
    return own


def test_the_wheel_has_everything_in_the_checkout_and_nothing_else(wheel: Path) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("no git to ask")
    wanted = {name for name in tracked.stdout.splitlines() if name.startswith("fer/")}
    of_the_app = ("pages/", "streamlit_app.py", ".streamlit/")
    wanted |= {f"fer/app/{name}" for name in tracked.stdout.splitlines() if name.startswith(of_the_app)}
    with zipfile.ZipFile(wheel) as archive:
        assert {name for name in archive.namelist() if ".dist-info/" not in name} == wanted


def test_the_wheel_is_what_is_imported(installed: Installed) -> None:
    program = "import fer, fer.home; print(fer.__file__); print(fer.home.app_folder())"
    for line in installed.run("python", "-c", program).splitlines():
        assert Path(line).is_relative_to(installed.programs.parent)
        assert not Path(line).is_relative_to(ROOT)


def test_predict(installed: Installed, astronaut: npt.NDArray[np.uint8]) -> None:
    (installed.elsewhere / "astronaut.png").write_bytes(encode_png(astronaut))
    (picture,) = json.loads(installed.run("fer-studio", "predict", "--image", "astronaut.png", "--json"))
    assert [face["label"] for face in picture["faces"]] == ["happiness"]


def test_predict_without_torch(installed: Installed, astronaut: npt.NDArray[np.uint8]) -> None:
    (installed.elsewhere / "alone.png").write_bytes(encode_png(astronaut))
    missing = "torch", "torchvision", "facenet_pytorch", "scipy", "sklearn", "pandas", "av", "streamlit"
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({missing}))\n"
        "from fer.cli.main import main; sys.exit(main(['predict', '--image', 'alone.png', '--json']))"
    )
    (picture,) = json.loads(installed.run("python", "-c", program))
    assert [face["label"] for face in picture["faces"]] == ["happiness"]


def test_train_and_evaluate(installed: Installed) -> None:
    tiny = ("--architecture", "shufflenet_v2_x0_5", "--size", "32", "--batch-size", "16", "--device", "cpu")
    installed.run("fer-studio", "train", "--dataset", "synthetic:80", "--epochs", "2", "--name", "two", *tiny)
    best = installed.home / "runs" / "two" / "best.safetensors"
    installed.run("fer-studio", "evaluate", "--dataset", "synthetic:80", "--checkpoint", str(best))
    report = json.loads((installed.elsewhere / "report.json").read_text(encoding="utf-8"))
    assert report["made"]["command"] == f"fer-studio evaluate --dataset synthetic:80 --checkpoint {best}"
    assert report["model"]["training"]["epochs"] == 2


def test_the_app_answers_this_machine(installed: Installed) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["app", "--server.port", str(port), "--server.headless", "true"]
    log = installed.elsewhere / "app.txt"
    with log.open("wb") as file:
        app = subprocess.Popen(
            [installed.programs / "fer-studio", *options],
            cwd=installed.elsewhere,
            env=installed.environment(),
            stdout=file,
            stderr=file,
        )
    try:
        assert wait_for(lambda: answer(port), app) == b"ok", log.read_text(encoding="utf-8")
    finally:
        app.terminate()
        app.wait(PATIENCE_SECONDS)
    assert f"http://127.0.0.1:{port}" in log.read_text(encoding="utf-8"), "the settings of the checkout hold"


def answer(port: int) -> bytes:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as response:
            return bytes(response.read())
    except OSError:
        return b""


def wait_for(result: Callable[[], bytes], process: "subprocess.Popen[bytes] | None" = None) -> bytes:
    """Return the first non-empty result, or an empty one if the process ends before, or nothing comes."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and (process is None or process.poll() is None):
        if found := result():
            return found
        time.sleep(0.1)
    return b""


def test_pages_show_without_an_exception(installed: Installed) -> None:
    shown = installed.run("python", "-c", PAGE).splitlines()
    assert [line.split(" [")[0] for line in shown] == ["photo False", "training False", "video False"]
    assert all(line.endswith(" []") for line in shown), shown


def test_a_page_starts_a_training_that_survives_it(installed: Installed) -> None:
    installed.run("python", "-c", TRAINING)
    run = installed.home / "runs" / "from the page"

    def finished() -> bytes:
        status = run / "status.json"
        text = status.read_bytes() if status.is_file() else b""
        return text if b"finished" in text or b"failed" in text else b""

    assert b"finished" in wait_for(finished), (run / "log.txt").read_text(encoding="utf-8")
    assert (run / "best.safetensors").is_file()
