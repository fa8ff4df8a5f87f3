"""The learning rate of each layer at each moment."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from fer.model.network import build_network
from fer.training.config import TrainingConfig
from fer.training.optimizer import layer_scales, make_optimizer, set_learning_rate

CONFIG = TrainingConfig("x", epochs=10, warmup_epochs=0, learning_rate=0.1)


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    return build_network("resnet18", classes=3, channels=1, size_px=48)


def test_earlier_stages_learn_slower(resnet: nn.Module) -> None:
    scales = layer_scales(resnet, 0.5)
    assert scales["fc.1.weight"] == scales["fc.1.bias"] == 1
    assert scales["layer4.1.conv2.weight"] == scales["layer4.0.bn1.bias"] == 0.5
    assert scales["layer1.0.conv1.weight"] == 0.5**4
    assert scales["conv1.weight"] == scales["bn1.weight"] == 0.5**5
    assert set(layer_scales(resnet, 1.0).values()) == {1.0}


def test_blocks_are_known_in_other_families() -> None:
    with torch.device("meta"):
        vgg = build_network("vgg11_bn", classes=3, channels=1, size_px=48)
        vit = build_network("vit_b_16", classes=3, channels=1, size_px=48)
    scales = layer_scales(vgg, 0.5)
    assert scales["features.0.weight"] == scales["features.1.weight"] < scales["features.4.weight"] < 1
    scales = layer_scales(vit, 0.5)
    layers = [scales[f"encoder.layers.encoder_layer_{n}.mlp.0.weight"] for n in range(12)]
    assert layers == sorted(layers) and len(set(layers)) == 12


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_every_parameter_is_in_one_group_and_vectors_do_not_decay(resnet: nn.Module, name: str) -> None:
    optimizer = make_optimizer(resnet, replace(CONFIG, optimizer=name, layer_decay=0.8))
    grouped = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    assert {id(parameter) for parameter in grouped} == {id(parameter) for parameter in resnet.parameters()}
    assert len(grouped) == len(list(resnet.parameters()))
    for group in optimizer.param_groups:
        decays = {parameter.ndim >= 2 for parameter in group["params"]}
        assert decays == {group["weight_decay"] > 0}


def test_small_batches_lower_the_rate(resnet: nn.Module) -> None:
    optimizer = make_optimizer(resnet, replace(CONFIG, layer_decay=0.5))
    assert CONFIG.rate_at(0, 32) == pytest.approx(0.025)
    set_learning_rate(optimizer, CONFIG.rate_at(0, 32))
    assert {round(group["lr"], 9) for group in optimizer.param_groups} == {round(0.025 * 0.5**n, 9) for n in range(6)}
    assert replace(CONFIG, optimizer="adamw").rate_at(0, 32) == pytest.approx(0.05)
