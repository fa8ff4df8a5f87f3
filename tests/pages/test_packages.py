"""The pages where only `fer-studio[app]` is installed: without what trains and measures models."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
PROGRAM = """
import json, sys
sys.modules.update(dict.fromkeys(("torch", "torchvision", "facenet_pytorch", "scipy", "sklearn", "onnx", "skimage")))
from streamlit.testing.v1 import AppTest
said = {}
for page in json.loads(sys.argv[1]):
    app = AppTest.from_file(sys.argv[2], default_timeout=120).run().switch_page(f"pages/{page}.py").run()
    assert not app.exception, app.exception
    if page == "photo":
        app.segmented_control(key="photo_source").set_value("Sample").run()
        assert [button.label for button in app.get("download_button")]
    said[page] = [error.value for error in app.error]
print(json.dumps(said))
"""


def test_all_pages_but_training_do_without_what_trains() -> None:
    pages = ["home", "photo", "folder", "webcam", "video", "results", "evaluation", "model_card", "training"]
    command = [sys.executable, "-c", PROGRAM, json.dumps(pages), str(ROOT / "streamlit_app.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {page for page, errors in said.items() if errors} == {"training"}
    assert "fer-studio[train]" in said["training"][0]
