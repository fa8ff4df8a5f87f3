"""Faster training of 3×3 convolutions on CPUs.

On the small maps at the end of a ResNet, oneDNN needs 3 to 15 times as long for the weight gradient as one matrix
product over the same numbers, which is half of a whole training step. On large maps oneDNN is faster.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.grad import conv2d_input

SMALL_MAP = 36
"""Up to this many output positions (6×6) the matrix product is faster; measured in bfloat16 with AVX512 and AMX."""


class SmallMapConv2d(nn.Conv2d):
    """A convolution that computes its weight gradient faster on small maps. Same weights, same results."""

    def _conv_forward(self, input: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        stride = self.stride[0]
        positions = -(-input.shape[2] // stride) * -(-input.shape[3] // stride)
        if not self.training or input.device.type != "cpu" or positions > SMALL_MAP:
            return super()._conv_forward(input, weight, bias)
        if torch.is_autocast_enabled("cpu"):  # autocast does not apply inside a custom function
            precision = torch.get_autocast_dtype("cpu")
            input, weight = input.to(precision), weight.to(precision)
        output: torch.Tensor = _Convolution.apply(input, weight, stride)
        return output


def speed_up_convolutions(network: nn.Module) -> None:
    """Speed up the training of a network's 3×3 convolutions, in place."""
    for module in network.modules():
        if type(module) is not nn.Conv2d or module.stride[0] != module.stride[1]:
            continue
        shape = (module.kernel_size, module.padding, module.dilation, module.groups, module.bias, module.padding_mode)
        if shape == ((3, 3), (1, 1), (1, 1), 1, None, "zeros"):
            module.__class__ = SmallMapConv2d  # keeps parameters, hooks and the names in the state dict


class _Convolution(torch.autograd.Function):
    """3×3, padding 1, no bias."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, stride: int) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride = stride
        return F.conv2d(x, weight, stride=stride, padding=1)

    @staticmethod
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None]:
        x, weight = ctx.saved_tensors
        grad_x = conv2d_input(x.shape, weight, grad, stride=ctx.stride, padding=1)
        return grad_x, _weight_gradient(x, grad, ctx.stride), None


def _weight_gradient(x: torch.Tensor, grad: torch.Tensor, stride: int) -> torch.Tensor:
    """Return (out, in, 3, 3) as (gradient at each position)ᵀ times (the 3×3 input patch there).

    The input is (n, in, H, W), the gradient of the output (n, out, h, w).
    """
    outputs, height, width = grad.shape[1:]
    padded = F.pad(x.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1))  # (n, H + 2, W + 2, in)
    n, down, across, channel = padded.stride()
    patches = padded.as_strided(
        (len(x), height, width, 3, 3, x.shape[1]), (n, stride * down, stride * across, down, across, channel)
    ).reshape(-1, 9 * x.shape[1])
    rows = grad.permute(0, 2, 3, 1).reshape(-1, outputs)
    return (rows.t() @ patches).view(outputs, 3, 3, -1).permute(0, 3, 1, 2)
