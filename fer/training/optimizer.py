"""The optimizer and its learning rates per layer."""

import re

import torch
from torch import nn

from fer.model.network import last_layer
from fer.training.config import TrainingConfig

_BLOCK = re.compile(r"^.*?\d+[a-z]?(?=\.|$)")
"""A parameter's name up to its first number: "layer1", "features.3", "encoder.layers.encoder_layer_11"."""


def make_optimizer(network: nn.Module, config: TrainingConfig) -> torch.optim.Optimizer:
    """Return the optimizer, with parameter groups for each block of layers, with and without weight decay.

    Biases and normalization do not decay. "scale" in a group is a factor on the learning rate. The last layer has its
    own groups: if it is trained before the others, it has momentum before they do, and PyTorch's fused step requires
    that for all parameters of a group or none.
    """
    scales, last = layer_scales(network, config.layer_decay), last_layer(network).name
    grouped: dict[tuple[float, bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        group = scales[name], name.startswith(f"{last}."), parameter.ndim >= 2
        grouped.setdefault(group, []).append(parameter)
    groups = [
        {"params": parameters, "scale": scale, "weight_decay": config.used_weight_decay if decays else 0.0}
        for (scale, _, decays), parameters in grouped.items()
    ]
    if config.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=config.peak_learning_rate, fused=True)
    return torch.optim.SGD(groups, lr=config.peak_learning_rate, momentum=0.9, nesterov=True, fused=True)


def layer_scales(network: nn.Module, decay: float) -> dict[str, float]:
    """Return the factor on each parameter's learning rate: 1 in the last layer, `decay` in the block before it, ….

    Blocks are torchvision's stages; a separate normalization layer belongs to the block before it.
    """
    last = last_layer(network).name
    depth, block = -1, ""
    depths: dict[str, int] = {}
    for name, parameter in network.named_parameters():
        match = _BLOCK.match(name)
        own = last if name.startswith(f"{last}.") else match[0] if match else name.split(".")[0]
        if own != block and (parameter.ndim >= 2 or depth < 0 or own == last):
            depth, block = depth + 1, own
        depths[name] = depth
    return {name: decay ** (depth - level) for name, level in depths.items()}


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the last layer's learning rate, and the other groups' rates in proportion."""
    for group in optimizer.param_groups:
        group["lr"] = rate * group["scale"]
