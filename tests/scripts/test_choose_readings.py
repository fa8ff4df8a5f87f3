"""From a student of somebody else to a model file that is read for each kind of faces."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from fer.evaluation.report import read_table
from fer.evaluation.settings import Settings
from fer.labels import FER2013, FERPLUS
from fer.model.checkpoint import read_info
from fer.model.classifier import Classifier
from fer.model.network import build_network
from fer.model.prior import READINGS
from scripts import choose_readings, convert_student

DATA = ("--dataset", "synthetic:120", "--label-dataset", "synthetic:80")


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    return build_network("resnet18", classes=15, channels=1, size_px=48).eval()


@pytest.mark.slow
def test_a_student_is_converted_and_its_readings_are_chosen(
    tmp_path: Path, network: torch.nn.Module, astronaut: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    student, model, second = (tmp_path / f"{name}.safetensors" for name in ("student", "model", "second"))
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    body = {f"body.{name}": value for name, value in state.items() if not name.startswith("fc.")}
    heads = {
        f"{head}.{part}": state[f"fc.1.{part}"][rows].clone()
        for part in ("weight", "bias")
        for head, rows in (("votes", slice(8)), ("label", slice(8, 15)))
    }
    save_file(body | heads, student)
    options = [str(student), str(model), *DATA, "--recipe", "by hand", "--label-output", str(second)]
    assert convert_student.main(options) == 0
    assert re.search(r"0\.\d+", capsys.readouterr().out)
    info = read_info(model)
    assert (info.labels, info.second and info.second.labels, info.training["recipe"]) == (FERPLUS, FER2013, "by hand")
    pixels = np.random.default_rng(0).integers(0, 256, (2, 1, 48, 48), np.uint8)
    with torch.inference_mode():
        expected = network(info.preprocessing.normalize(torch.from_numpy(pixels))).numpy()
    assert Classifier.load(model).logits(pixels) == pytest.approx(expected, abs=0.01)
    assert Classifier.load(second).logits(pixels) == pytest.approx(expected[:, 8:], abs=0.01)

    for label in ("happiness", "neutral"):
        (tmp_path / "photos" / label).mkdir(parents=True)
        Image.fromarray(astronaut[: 300 + len(label)]).save(tmp_path / "photos" / label / "one.png")
    output = tmp_path / "settings.json"
    options = ["--checkpoint", str(model), *DATA, "--photos", str(tmp_path / "photos"), "--output", str(output)]
    assert choose_readings.main(options) == 0
    settings, info = read_table(output, Settings), read_info(model)
    assert settings.photos.endswith("n = 2")
    assert set(info.kinds) == set(READINGS)
    assert info.kinds["everyday"].second_share == settings.kinds["everyday"][1]
    assert "everyday" in capsys.readouterr().out


def test_a_model_with_one_head_has_nothing_to_choose(
    tmp_path: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--checkpoint", str(tiny_checkpoint), *DATA, "--photos", "x", "--output", str(tmp_path / "x.json")]
    assert choose_readings.main(options) == 1
    assert str(tiny_checkpoint) in capsys.readouterr().err
