"""The fast convolution must be equivalent: outputs, gradients, names and bytes of the state."""

import copy

import pytest
import torch
from torch import nn

from fer.model.network import build_network
from fer.training.convolution import SMALL_MAP, SmallMapConv2d, speed_up_convolutions


def both(stride: int = 1, channels: int = 5, outputs: int = 7) -> tuple[nn.Conv2d, nn.Conv2d]:
    """Return a convolution and its fast twin with the same weights."""
    torch.manual_seed(0)
    plain = nn.Conv2d(channels, outputs, 3, stride=stride, padding=1, bias=False)
    fast = nn.Sequential(copy.deepcopy(plain))
    speed_up_convolutions(fast)
    assert isinstance(fast[0], SmallMapConv2d)
    return plain, fast[0]


def results(convolution: nn.Conv2d, size: tuple[int, int], n: int = 4) -> tuple[torch.Tensor, ...]:
    """Return output, gradient of the input and gradient of the weights for the same random input."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(n, convolution.in_channels, *size, generator=generator).to(memory_format=torch.channels_last)
    x.requires_grad_()
    output = convolution(x)
    output.backward(torch.randn(output.shape, generator=generator))
    assert x.grad is not None and convolution.weight.grad is not None
    return output.detach(), x.grad, convolution.weight.grad


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 5), (6, 6), (7, 6), (11, 12), (12, 12), (16, 9)])
def test_outputs_and_gradients_match_pytorch(size: tuple[int, int], stride: int) -> None:
    plain, fast = both(stride)
    for expected, found in zip(results(plain, size), results(fast, size), strict=True):
        assert found.shape == expected.shape
        assert torch.allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_gradients_agree_with_finite_differences() -> None:
    _, fast = both(channels=2, outputs=3)
    fast.double()
    x = torch.randn(2, 2, 4, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0), requires_grad=True)
    assert torch.autograd.gradcheck(fast, (x,))
    assert torch.autograd.gradcheck(lambda weight: fast._conv_forward(x.detach(), weight, None), (fast.weight,))


def test_reduced_precision_gives_reduced_outputs_and_full_gradients() -> None:
    plain, fast = both()
    with torch.autocast("cpu", torch.bfloat16):
        expected, found = (results(convolution, (6, 6)) for convolution in (plain, fast))
    assert [tensor.dtype for tensor in found] == [torch.bfloat16, torch.float32, torch.float32]
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one.float(), other.float(), rtol=0.05, atol=0.1)


def test_evaluation_uses_pytorchs_version() -> None:
    plain, fast = both()
    x = torch.randn(2, 5, 6, 6)
    with torch.inference_mode():
        assert torch.equal(fast.eval()(x), plain(x))


def test_it_switches_at_the_largest_small_map() -> None:
    """Only the fast version has our own function in the graph."""
    _, fast = both()
    small, large = (fast(torch.randn(1, 5, *size)) for size in ((6, SMALL_MAP // 6), (6, SMALL_MAP // 6 + 1)))
    assert "Convolution" in small.grad_fn.name() and "Backward0" not in small.grad_fn.name()
    assert large.grad_fn.name() == "ConvolutionBackward0"


def test_only_plain_3_by_3_convolutions_are_changed() -> None:
    others = [
        nn.Conv2d(4, 4, 1),
        nn.Conv2d(4, 4, 7, padding=3, bias=False),
        nn.Conv2d(4, 4, 3, padding=1),
        nn.Conv2d(4, 4, 3, padding=0, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, bias=False, groups=2),
        nn.Conv2d(4, 4, 3, padding=2, dilation=2, bias=False),
        nn.Conv2d(4, 4, 3, padding=1, bias=False, padding_mode="reflect"),
        nn.Conv2d(4, 4, 3, stride=(1, 2), padding=1, bias=False),
    ]
    network = nn.Sequential(*others)
    speed_up_convolutions(network)
    assert {type(module) for module in network} == {nn.Conv2d}


def test_a_resnet_keeps_its_parameters_and_their_names() -> None:
    network = build_network("resnet18", classes=3, channels=1, size_px=24)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    parameters = [id(parameter) for parameter in network.parameters()]
    speed_up_convolutions(network)
    assert [id(parameter) for parameter in network.parameters()] == parameters
    assert sum(type(module) is SmallMapConv2d for module in network.modules()) == 17
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], before[name]) for name in before)
