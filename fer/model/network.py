"""The classifier: a ResNet of torchvision (He et al. 2016, arXiv:1512.03385), fitted to small pictures of faces."""

import torch
from torch import nn
from torchvision import models

ARCHITECTURES = ("resnet18", "resnet34", "resnet50")

SMALL_INPUT_PX = 112
"""Below this size the usual 7×7 stride-2 stem throws away too much: a 3×3 stride-1 stem takes its place."""


def build_network(architecture: str, *, classes: int, channels: int, size_px: int, dropout: float = 0.0) -> nn.Module:
    """Build an untrained network that maps float32 (n, channels, size, size) to logits (n, classes).

    Args:
        architecture: one of `ARCHITECTURES`.
        classes: number of labels.
        channels: colour channels of the input.
        size_px: the size that it is made for; others work too.
        dropout: share of the last features that is dropped in training, 0..1.

    Raises:
        ValueError: the architecture is not known.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"expected an architecture of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    network: models.ResNet = getattr(models, architecture)(weights=None, num_classes=classes)
    if size_px < SMALL_INPUT_PX:
        network.conv1 = nn.Conv2d(channels, 64, kernel_size=3, stride=1, padding=1, bias=False)
    elif channels != 3:
        network.conv1 = nn.Conv2d(channels, 64, kernel_size=7, stride=2, padding=3, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.fc = nn.Sequential(nn.Dropout(dropout), network.fc)
    return network.to(memory_format=torch.channels_last)
