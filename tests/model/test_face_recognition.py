"""dlib's face recognition network: its shape, at any size."""

import pytest
import torch
from torch import nn

from fer.model.face_recognition import NAME
from fer.model.network import build_network, first_convolution, last_layer


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size_px", [48, 75, 96, 112, 150])
def test_faces_of_any_size_become_logits(size_px: int, channels: int) -> None:
    with torch.device("meta"):
        network = build_network(NAME, classes=15, channels=channels, size_px=size_px, dropout=0.3)
        assert network(torch.empty(2, channels, size_px, size_px)).shape == (2, 15)
    assert first_convolution(network).module.kernel_size == (7, 7), "small pictures get no other stem"
    assert last_layer(network).module.out_features == 15
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.3]


def test_it_has_29_convolutions() -> None:
    with torch.device("meta"):
        network = build_network(NAME, classes=15, channels=3, size_px=150)
    assert sum(isinstance(layer, nn.Conv2d) for layer in network.modules()) == 29
    assert 5.5e6 < sum(parameter.numel() for parameter in network.parameters()) < 5.7e6


def test_randomly_initialized_it_has_outputs_and_gradients() -> None:
    network = build_network(NAME, classes=3, channels=1, size_px=96)
    network(torch.randn(2, 1, 96, 96)).sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
