"""Initialization with dlib's weights: the two formats of their file, and batch norms that change nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer.datasets import open_dataset
from fer.errors import TrainingError
from fer.model.checkpoint import load_checkpoint
from fer.model.face_recognition import BLOCKS, NAME
from fer.model.network import build_network
from fer.model.preprocessing import Preprocessing
from fer.training.config import TrainingConfig
from fer.training.face_recognition import adopt, check, settle
from fer.training.loop import train
from fer.training.metrics import Hooks
from fer.training.runs import Run

LAYERS = [("conv32_down", 3, 32, 7)]
for _name, _channels in BLOCKS:
    LAYERS += [(f"{_name}/conv1", LAYERS[-1][2], _channels, 3), (f"{_name}/conv2", _channels, _channels, 3)]


def arrays() -> dict[str, tuple[np.ndarray, float, float]]:
    """Return name → (eight bits, scale, offset) of weights that keep numbers in range."""
    random = np.random.default_rng(0)
    found = {}
    for name, inputs, outputs, kernel in LAYERS:
        reach = (inputs * kernel * kernel) ** -0.5
        for part, shape, low, high in (
            ("conv/filters", (kernel, kernel, inputs, outputs), -reach, 1.1 * reach),
            ("conv/bias", (outputs,), -0.1, 0.1),
            ("scale/weights", (outputs,), 0.5, 1.5),
            ("scale/biases", (outputs,), -0.2, 0.3),
        ):
            found[f"{name}/{part}"] = random.integers(0, 256, shape, np.uint8), (high - low) / 255, low
    return found


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "start.npz"
    stored: dict[str, Any] = {}
    for name, (array, scale, offset) in arrays().items():
        stored |= {name: array, f"{name}#": np.array([scale, offset])}
    np.savez(path, **stored)
    return path


def begun(file: Path, channels: int = 1) -> Any:
    preprocessing = Preprocessing(size_px=96, channels=channels)
    torch.manual_seed(0)
    network = build_network(NAME, classes=4, channels=channels, size_px=96).eval()
    adopt(network, str(file), preprocessing)  # type: ignore[arg-type]
    return network


def faces(channels: int = 1) -> torch.Tensor:
    pictures = open_dataset("synthetic:80").pictures[:70]
    small = [Preprocessing(size_px=96, channels=channels).shrink(np.repeat(one[..., None], 3, axis=2)
             if one.ndim == 2 else one) for one in pictures]  # fmt: skip
    return Preprocessing(size_px=96, channels=channels).normalize(torch.from_numpy(np.stack(small)))


def test_the_first_layer_matches_dlibs(file: Path) -> None:
    """RGB minus dlib's mean, divided by 256, through the affine layer that follows."""
    network = begun(file, channels=3)
    weights = {
        name: torch.from_numpy(array * scale + offset).float() for name, (array, scale, offset) in arrays().items()
    }
    picture = torch.randint(0, 256, (2, 3, 96, 96), generator=torch.Generator().manual_seed(0)).float()
    own = (picture - torch.tensor([122.782, 117.001, 104.298]).view(3, 1, 1)) / 256
    kernel = weights["conv32_down/conv/filters"].permute(3, 2, 0, 1)
    expected = torch.conv2d(own, kernel, weights["conv32_down/conv/bias"], 2)
    scale, bias = (weights[f"conv32_down/scale/{part}"].view(-1, 1, 1) for part in ("weights", "biases"))
    with torch.inference_mode():
        found = network.bn(network.conv(Preprocessing(channels=3).normalize(picture)))
    assert torch.allclose(found, expected * scale + bias, atol=1e-4)


def test_gray_pictures_are_seen_as_gray_ones_in_color_are(file: Path) -> None:
    gray = faces()[:3]
    with torch.inference_mode():
        assert torch.allclose(begun(file)(gray), begun(file, 3)(gray.repeat(1, 3, 1, 1)), atol=1e-3)


@pytest.mark.slow
def test_settling_the_statistics_changes_no_output(file: Path) -> None:
    network = begun(file)
    with torch.inference_mode():
        before = network(faces())
        settle(network, faces())
        after = network(faces())
        assert torch.allclose(before, after, atol=1e-3)
        network.train()
        network.fc[0].p = 0.0
        assert torch.allclose(network(faces()), after, atol=0.05), "a batch of the same faces has the same statistics"


def test_the_npm_packages_format_has_the_same_weights(file: Path, tmp_path: Path) -> None:
    entries, data = [], b""
    for name, (array, scale, offset) in arrays().items():
        quantization = {"dtype": "uint8", "scale": scale, "min": offset}
        entries.append({"name": name, "shape": array.shape, "dtype": "float32", "quantization": quantization})
        data += array.tobytes()
    (tmp_path / "weights.bin").write_bytes(data)
    manifest = tmp_path / "face_recognition_model-weights_manifest.json"
    manifest.write_text(json.dumps([{"weights": entries, "paths": ["weights.bin"]}]))
    own, other = begun(manifest).state_dict(), begun(file).state_dict()
    assert all(torch.equal(own[name], other[name]) for name in other)


@pytest.mark.parametrize(
    ("init", "architecture", "message"),
    [
        ("face-recognition", NAME, r"FILE.*@vladmandic/face-api"),
        ("face-recognition:gone.npz", NAME, r"gone\.npz"),
        ("face-recognition:{file}", "resnet18", f"--architecture {NAME}"),
    ],
)
def test_missing_files_are_reported(file: Path, init: str, architecture: str, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        check(init.format(file=file), architecture)


@pytest.mark.parametrize("content", [b"no weights", None])
def test_other_files_are_refused(tmp_path: Path, content: bytes | None) -> None:
    other = tmp_path / "other.npz"
    np.savez(other, a=np.zeros(3)) if content is None else other.write_bytes(content)
    with pytest.raises(TrainingError, match=r"other\.npz"):
        begun(other)


@pytest.mark.parametrize(
    "manifest",
    [
        "[" * 10**5, "{}", "[7]", '[{"paths": 5, "weights": []}]', '[{"paths": ["gone.bin"], "weights": []}]',
        '[{"paths": [], "weights": [{"name": "conv32_down", "shape": [4500000000], "dtype": "float32"}]}]',
        '[{"paths": [], "weights": [{"name": "a", "shape": [1e999], "dtype": "float32"}]}]',
        '[{"paths": ["/etc/../' + "x" * 300 + '"], "weights": []}]',
    ],
    ids=lambda text: text[:50],
)  # fmt: skip
def test_other_manifests_are_refused(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "other.json").write_text(manifest)
    with pytest.raises(TrainingError, match=r"other\.json"):
        begun(tmp_path / "other.json")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", **{name: np.full(array.shape, np.nan) for name, (array, *_) in arrays().items()})
    with pytest.raises(TrainingError, match=r"other\.npz"):
        begun(tmp_path / "other.npz")


@pytest.mark.slow
def test_a_run_starts_from_them_and_resumes_exactly(file: Path, tmp_path: Path) -> None:
    dataset = open_dataset("synthetic:80")
    config = TrainingConfig(
        ("synthetic:80",), epochs=2, architecture=NAME, size_px=48, batch_size=16, progressive=False,
        init=f"face-recognition:{file}", optimizer="adamw",
    )  # fmt: skip
    whole, parts = Run(tmp_path / "whole"), Run(tmp_path / "parts")
    for run in (whole, parts):
        run.folder.mkdir()
    notes: list[str] = []
    assert train(config, dataset, whole, Hooks(on_note=notes.append)) is not None
    assert "dlib" in notes[0]
    ended: list[int] = []
    hooks = Hooks(on_epoch=lambda line: ended.append(1), should_stop=lambda: bool(ended))
    assert train(config, dataset, parts, hooks) is None
    assert train(config, dataset, parts, Hooks()) is not None
    (info, one), (_, other) = load_checkpoint(whole.best_path), load_checkpoint(parts.best_path)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in one.state_dict().items())
    assert info.training["init"] == "start.npz" and list(info.training["files"]) == ["start.npz"]
    file.write_bytes(file.read_bytes() + b" ")
    notes.clear()
    train(replace(config), dataset, parts, Hooks(on_note=notes.append))
    assert any("start.npz" in note for note in notes)
