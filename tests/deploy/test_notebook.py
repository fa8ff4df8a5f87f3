"""The notebook runs from its first cell to its last, as Jupyter runs it."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "quickstart.ipynb"


def cells(path: Path) -> list[dict[str, Any]]:
    return list(json.loads(path.read_text(encoding="utf-8"))["cells"])


def test_it_is_kept_without_what_a_run_leaves() -> None:
    assert len(cells(NOTEBOOK)) == 10
    for cell in cells(NOTEBOOK):
        assert not cell.get("outputs") and cell.get("execution_count") is None and not cell["metadata"]


@pytest.mark.slow
def test_every_cell_works(tmp_path: Path) -> None:
    copy = tmp_path / NOTEBOOK.name
    copy.write_bytes(NOTEBOOK.read_bytes())
    folders = {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "IPYTHONDIR": str(tmp_path / "ipython")}
    program = Path(sys.executable).with_name("jupyter-execute")
    done = subprocess.run(
        [program, "--inplace", "--startup_timeout=120", copy.name],
        cwd=tmp_path,
        env=os.environ | folders | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    shown = [output for cell in cells(copy) for output in cell.get("outputs", [])]
    text = "".join("".join(output["text"]) for output in shown if output["output_type"] == "stream")
    data = [output["data"] for output in shown if output["output_type"] == "execute_result"]
    assert re.match(r"happiness (\d+)\.\d%", text)
    before, after = map(int, re.findall(r"(\d+)% (?:before|after)", text))
    assert after > before + 20
    first, own_model = (
        ast.literal_eval("".join(one["text/plain"])) for one in data if "fear" in str(one["text/plain"])
    )
    assert first != own_model == {name: [name] for name in first}
    assert "image/png" in data[0]
    assert sum("plotly" in kind for output in shown for kind in output.get("data", {})) == 2
