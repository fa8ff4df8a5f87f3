"""The network of dlib's face recognition: 29 convolutions, 5.6 million parameters (King 2017).

Its weights, `dlib_face_recognition_resnet_model_v1`, were trained on three million faces; their author placed them in
the public domain (davisking/dlib-models). The first layer takes our normalized pictures, gray or RGB, like any other
network's: dlib's own normalization is folded into the weights, see `for_our_pictures` in
`fer.training.face_recognition`.
"""

import torch
import torch.nn.functional as F
from torch import nn

NAME = "face_recognition_resnet"
STAGES = {32: "1 2 3", 64: "down 1 2 3", 128: "down 1 2", 256: "down 1 2 down_out"}
"""Channels → blocks, named as in the weights. Those with "down" halve the resolution."""
BLOCKS = tuple((f"conv{channels}_{block}", channels) for channels, blocks in STAGES.items() for block in blocks.split())
"""Name and channels of each block, in order."""
_FEWEST = 3
"""Pixels that a halving block needs; smaller maps are padded with zeros, so any picture size works."""


class Block(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, inputs: int, outputs: int, halves: bool) -> None:
        super().__init__()
        self.halves = halves
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 2 if halves else 1, 0 if halves else 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return float (n, outputs, h, w) for float (n, inputs, H, W); h = H // 2 if the block halves."""
        if self.halves:
            x = _filled_up(x, x.shape[1], _FEWEST, _FEWEST)
        seen = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.halves:  # dlib adds maps of different sizes by padding the smaller ones with zeros
            x = F.avg_pool2d(x, 2)
            height, width = max(x.shape[2], seen.shape[2]), max(x.shape[3], seen.shape[3])
            x, seen = (_filled_up(part, seen.shape[1], height, width) for part in (x, seen))
        return F.relu(x + seen)


def _filled_up(x: torch.Tensor, channels: int, height: int, width: int) -> torch.Tensor:
    """Pad maps with zeros at the end of each dimension that is too short."""
    missing = [max(wanted - found, 0) for wanted, found in zip((width, height, channels), x.shape[:0:-1], strict=True)]
    return F.pad(x, [part for one in missing for part in (0, one)]) if any(missing) else x


class FaceRecognitionResNet(nn.Module):
    """The whole network, with a new last layer."""

    def __init__(self, classes: int) -> None:
        """Initialize randomly, as torchvision's ResNet does."""
        super().__init__()
        self.conv = nn.Conv2d(3, 32, 7, 2, bias=False)
        self.bn = nn.BatchNorm2d(32)
        inputs = [32, *(channels for _, channels in BLOCKS)]
        self.blocks = nn.Sequential(
            *(Block(before, channels, "down" in name) for before, (name, channels) in zip(inputs, BLOCKS, strict=False))
        )
        self.fc = nn.Linear(inputs[-1], classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits (n, classes) for normalized pictures float (n, C, S, S)."""
        x = F.max_pool2d(F.relu(self.bn(self.conv(x))), 3, 2)
        logits: torch.Tensor = self.fc(self.blocks(x).mean(dim=(2, 3)))
        return logits
