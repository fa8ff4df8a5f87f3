"""The pages with only `fer-studio[app]` installed: without the packages for training and evaluation."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_imports import NO_CAMERA

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PROGRAM = f"""
{NO_CAMERA}
import json, sys
sys.modules.update(dict.fromkeys(("torch", "torchvision", "facenet_pytorch", "scipy", "sklearn", "onnx", "skimage")))
from streamlit.testing.v1 import AppTest
from pages.parts.samples import SAMPLES
said = {{}}
for page in json.loads(sys.argv[1]):
    app = AppTest.from_file(sys.argv[2], default_timeout=120).run().switch_page(f"pages/{{page}}.py").run()
    assert not app.exception, app.exception
    if page == "photo":
        app.segmented_control(key="photo_source").set_value("Sample").run()
        assert [button.label for button in app.get("download_button")]
        app.session_state[f"why {{SAMPLES[0]}} 1"] = True
        app.run()
        assert not app.exception, app.exception
    said[page] = [error.value for error in app.error]
print(json.dumps(said))
"""


def test_all_pages_but_training_work_without_its_packages() -> None:
    pages = ["home", "photo", "folder", "webcam", "video", "results", "evaluation", "model_card", "training"]
    command = [sys.executable, "-c", PROGRAM, json.dumps(pages), str(ROOT / "streamlit_app.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {page for page, errors in said.items() if errors} == {"photo", "training"}
    assert ["fer-studio[torch]" in error for error in said["photo"]] == [True]  # Why?
    assert "fer-studio[train]" in said["training"][0]
