"""The detector's networks are what the script makes from facenet-pytorch's weights."""

from pathlib import Path

import pytest

from fer.recognition.mtcnn import WEIGHTS
from scripts.export_detector import main

onnx = pytest.importorskip("onnx", reason="writing ONNX files needs onnx")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    assert main(["--out", str(folder)]) == 0
    return folder


@pytest.mark.parametrize("name", ["pnet", "rnet", "onet"])
def test_the_shipped_file_is_what_the_script_writes(written: Path, name: str) -> None:
    again, shipped = (onnx.load(folder / f"{name}.onnx") for folder in (written, WEIGHTS))
    assert again == shipped


def test_the_files_describe_their_inputs_and_outputs(written: Path) -> None:
    model = onnx.load(written / "onet.onnx")
    assert {prop.key for prop in model.metadata_props} == {"source", "input", "output", "normalization"}
    assert [opset.version for opset in model.opset_import] == [17]
    assert [value.name for value in (*model.graph.input, *model.graph.output)] == ["image", "faces"]


def test_they_are_small() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) < 2.5e6
