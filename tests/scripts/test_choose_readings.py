"""From an external student network to a model file that is read for each kind of faces."""

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
from fer.model.face_recognition import FaceRecognitionResNet
from fer.model.network import build_network
from fer.model.prior import READINGS
from fer.training.face_recognition import DIVISOR, MEAN
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
    _save(network, "fc.1", student)
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


def _save(network: torch.nn.Module, last: str, file: Path) -> None:
    """Write a network in the converter's input format."""
    state = {name: value.contiguous() for name, value in network.state_dict().items()}
    body = {f"body.{name}": value for name, value in state.items() if not name.startswith(f"{last}.")}
    heads = {
        f"{head}.{part}": state[f"{last}.{part}"][rows].clone()
        for part in ("weight", "bias")
        for head, rows in (("votes", slice(8)), ("label", slice(8, 15)))
    }
    save_file(body | heads, file)


@pytest.mark.slow
def test_a_teacher_with_dlibs_normalization_answers_the_same_to_our_pictures(tmp_path: Path) -> None:
    teacher = FaceRecognitionResNet(15).eval()
    _save(teacher, "fc", tmp_path / "teacher.safetensors")
    options = [str(tmp_path / name) for name in ("teacher.safetensors", "model.safetensors")]
    options += ["--architecture", "face_recognition_resnet", "--size", "56"]
    assert convert_student.main([*options, *DATA]) == 0
    pixels = np.random.default_rng(0).integers(0, 256, (2, 1, 56, 56), np.uint8)
    with torch.inference_mode():
        expected = teacher((torch.from_numpy(pixels) - torch.tensor(MEAN).view(1, 3, 1, 1)) / DIVISOR).numpy()
    model = Classifier.load(tmp_path / "model.safetensors")
    assert model.info.preprocessing.size_px == 56
    assert model.logits(pixels) == pytest.approx(expected, abs=0.01 * float(np.abs(expected).max()))


def test_a_model_with_one_head_has_nothing_to_choose(
    tmp_path: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--checkpoint", str(tiny_checkpoint), *DATA, "--photos", "x", "--output", str(tmp_path / "x.json")]
    assert choose_readings.main(options) == 1
    assert str(tiny_checkpoint) in capsys.readouterr().err
