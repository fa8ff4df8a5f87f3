"""The README's examples work as they are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_lines_of_python_find_and_name_a_face(tmp_path: Path, astronaut: npt.NDArray[np.uint8]) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    Image.fromarray(astronaut).save(tmp_path / "photo.jpg")
    program += "print(annotated.shape, annotated.dtype, (annotated != image).any())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    faces, drawn = done.stdout.splitlines()
    assert faces.startswith("[('happiness', 0.9") and faces.count("'") == 2
    assert drawn == "(512, 512, 3) uint8 True"
