"""Initial weights: torchvision's from a local file, or one of our own models."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torchvision import models

from fer.errors import CheckpointError, TrainingError
from fer.labels import FER2013, FERPLUS
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo, load_checkpoint, save_checkpoint
from fer.model.network import build_network, first_convolution, last_layer
from fer.model.preprocessing import Preprocessing
from fer.model.prior import SecondHead
from fer.training.config import TrainingConfig
from fer.training.initialization import check_init, initialize

SHIPPED = TrainingConfig("x", init=str(DEFAULT_CHECKPOINT))


def network_of(config: TrainingConfig, labels: tuple[str, ...] = FERPLUS) -> Any:
    return build_network(config.architecture, classes=len(labels), channels=config.channels, size_px=config.size_px)


@pytest.mark.slow
def test_the_same_labels_keep_all_layers_in_their_own_order() -> None:
    labels = tuple(reversed(FERPLUS))
    network, learned = network_of(SHIPPED).eval(), load_checkpoint(DEFAULT_CHECKPOINT)[1]
    initialize(network, SHIPPED, labels)
    faces = torch.randn(2, 1, 48, 48)
    with torch.inference_mode():
        assert torch.allclose(network(faces), learned(faces)[:, : len(labels)].flip(dims=(1,)), atol=1e-4)


@pytest.mark.slow
def test_other_labels_keep_all_but_the_last_layer() -> None:
    network, learned = network_of(SHIPPED, ("a", "b")), load_checkpoint(DEFAULT_CHECKPOINT)[1]
    before = network.fc[1].weight.clone()
    initialize(network, SHIPPED, ("a", "b"))
    assert torch.equal(network.fc[1].weight, before)
    assert torch.equal(network.layer4[1].conv2.weight, learned.layer4[1].conv2.weight)
    assert torch.equal(network.bn1.running_var, learned.bn1.running_var)


def test_a_gray_model_sees_the_same_in_color() -> None:
    config = replace(SHIPPED, channels=3)
    network, learned = network_of(config).eval(), load_checkpoint(DEFAULT_CHECKPOINT)[1]
    initialize(network, config, FERPLUS)
    gray = torch.randn(2, 1, 48, 48)
    with torch.inference_mode():
        assert torch.allclose(network(gray.repeat(1, 3, 1, 1)), learned(gray)[:, : len(FERPLUS)], atol=1e-3)


@pytest.mark.parametrize(("channels", "size_px", "kernel"), [(1, 48, 3), (3, 112, 7)])
def test_imagenet_weights_are_read_from_an_existing_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, channels: int, size_px: int, kernel: int
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = models.ResNet18_Weights.DEFAULT
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    state = models.resnet18(weights=None).state_dict()
    state["conv1.weight"] = torch.ones(64, 3, 7, 7)
    torch.save(state, tmp_path / "hub" / "checkpoints" / Path(weights.url).name)
    config = TrainingConfig("x", init="imagenet", channels=channels, size_px=size_px)
    network = network_of(config)
    assert "ImageNet" in initialize(network, config, FERPLUS)
    assert torch.equal(network.layer3[0].conv1.weight, state["layer3.0.conv1.weight"])
    first = first_convolution(network).module.weight
    assert first.shape == (64, channels, kernel, kernel)
    assert first.sum(dim=(1, 2, 3)).tolist() == pytest.approx([147.0] * 64)  # the response to a uniform area stays
    assert last_layer(network).module.out_features == len(FERPLUS)


def test_a_failed_download_explains_how_to_get_the_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def unreachable(*arguments: object, **options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    config = TrainingConfig("x", init="imagenet", architecture="mobilenet_v3_small")
    with pytest.raises(TrainingError, match=r"no route to host.*mobilenet_v3_small.*--init none"):
        initialize(network_of(config), config, FERPLUS)


def test_a_model_of_another_architecture_is_refused() -> None:
    with pytest.raises(TrainingError, match=r"resnet34.*--architecture resnet18"):
        check_init(replace(SHIPPED, architecture="resnet34"))


def test_a_missing_file_or_one_that_is_no_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"--init .*somewhere"):
        check_init(TrainingConfig("x", init="somewhere"))
    (tmp_path / "x.safetensors").write_text("no model")
    with pytest.raises(CheckpointError, match=r"x\.safetensors"):
        check_init(TrainingConfig("x", init=str(tmp_path / "x.safetensors")))


def test_a_last_layer_keeps_the_outputs_of_known_labels() -> None:
    """A data set without fear, and with one more expression: the other outputs are kept."""
    labels = ("anger", "bored", "happiness")
    network, (info, learned) = network_of(SHIPPED, labels), load_checkpoint(DEFAULT_CHECKPOINT)
    before = network.fc[1].weight.clone()
    said = initialize(network, SHIPPED, labels)
    assert "anger, happiness" in said and said.endswith("bored")
    own = learned.get_submodule(last_layer(learned).name)
    for row, label in ((0, "anger"), (2, "happiness")):
        assert torch.equal(network.fc[1].weight[row], own.weight[info.labels.index(label)])
        assert torch.equal(network.fc[1].bias[row], own.bias[info.labels.index(label)])
    assert torch.equal(network.fc[1].weight[1], before[1])


@pytest.mark.slow
def test_each_of_two_heads_keeps_its_own_outputs(tmp_path: Path) -> None:
    info = ModelInfo("resnet18", FERPLUS, Preprocessing(), second=SecondHead(FER2013, (), "x"))
    learned = build_network("resnet18", classes=15, channels=1, size_px=48)
    save_checkpoint(tmp_path / "two.safetensors", info, learned.state_dict())
    config = TrainingConfig("x", init=str(tmp_path / "two.safetensors"))
    weight = load_checkpoint(tmp_path / "two.safetensors")[1].fc[1].weight  # type: ignore[index, union-attr]
    two = build_network("resnet18", classes=15, channels=1, size_px=48)
    initialize(two, config, FERPLUS[::-1], FER2013[::-1])
    assert torch.equal(two.fc[1].weight, torch.cat([weight[:8].flip(0), weight[8:].flip(0)]))  # type: ignore[index, union-attr]
    one = build_network("resnet18", classes=8, channels=1, size_px=48)
    initialize(one, config, FERPLUS)
    assert torch.equal(one.fc[1].weight, weight[:8])  # type: ignore[index, union-attr]
    own = build_network("resnet18", classes=2, channels=1, size_px=48)
    before = own.fc[1].weight.clone()  # type: ignore[index, union-attr]
    initialize(own, config, ("tired", "awake"))
    assert torch.equal(own.fc[1].weight, before)  # type: ignore[index, union-attr]
    assert torch.equal(own.layer1[0].conv1.weight, one.layer1[0].conv1.weight)  # type: ignore[index, union-attr]
