"""Build the classifier: any torchvision network, or dlib's face recognition, adapted to small pictures of faces.

The last layer gets an output per label, with dropout before it, and the first convolution the right number of channels.
For small pictures the first convolution also keeps more resolution, since 48 pixels would vanish before the last stage:

    7×7 stride 2  → 3×3 stride 1    ResNet (He et al. 2016, arXiv:1512.03385), ResNeXt, DenseNet, GoogLeNet, SqueezeNet
    other strides → half of them    MobileNet, EfficientNet, RegNet, …; AlexNet's 4 becomes 2
    patches of 4  → patches of 2    ConvNeXt, Swin

VGG has stride 1 already. Vision transformers (ViT, MaxViT) are built for one size and keep their first layer, as do
dlib's network (`fer.model.face_recognition`, designed for 150 pixels, at its best from about 96) and every network with
the stem "original".
"""

import difflib
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torchvision import models

from fer.model import face_recognition

SMALL_INPUT_PX = 112
"""Below this size the first convolution is replaced by one that keeps more resolution."""


def architectures() -> list[str]:
    """Return the names of all networks that can be built, in alphabetical order."""
    names: list[str] = models.list_models(module=models)
    return sorted([*names, face_recognition.NAME])


def check_architecture(name: str) -> None:
    """Check the name of an architecture.

    Raises:
        ValueError: the name is unknown; the message suggests similar ones.
    """
    known = architectures()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=5, cutoff=0.4) or ["resnet18", "mobilenet_v3_small", "vgg11_bn"]
        raise ValueError(
            f"expected an architecture of torchvision's classifiers, or {face_recognition.NAME}: {len(known)} in all, "
            f"such as {', '.join(near)}, got {name!r}"
        )


def build_network(
    architecture: str, *, classes: int, channels: int, size_px: int, dropout: float = 0.0, stem: str = "small"
) -> nn.Module:
    """Build an untrained network that maps float32 (n, channels, size, size) to logits (n, classes).

    Args:
        architecture: one of `architectures()`.
        classes: number of labels.
        channels: color channels of the input.
        size_px: the input size that it is built for; others work too, except for vision transformers.
        dropout: share of the last features dropped in training, 0..1; also for VGG's layer before the last.
        stem: "small": a first convolution for small pictures, if they are small; "original": torchvision's own.

    Raises:
        ValueError: the architecture is unknown, or does not support this size.
    """
    check_architecture(architecture)
    try:
        network: nn.Module = (
            face_recognition.FaceRecognitionResNet(classes)
            if architecture == face_recognition.NAME
            else models.get_model(architecture, weights=None, num_classes=classes, **_options(architecture, size_px))
        )
    except (AssertionError, ValueError) as error:
        raise ValueError(
            f"expected a size that {architecture} can divide into patches, got {size_px}: {error}. "
            "224 works for all networks."
        ) from error
    small = stem == "small" and size_px < SMALL_INPUT_PX and not _keeps_its_first_layer(architecture)
    _fit_first(network, channels, small)
    _set_dropout(network, dropout)
    return network.to(memory_format=torch.channels_last)


class WithoutMemory(TorchFunctionMode):
    """A context in which networks are built with the shapes of their weights, but without allocating them.

    `torch.device("meta")` would do the same, but RegNet computes its widths with tensors.
    """

    def __torch_function__(
        self, function: Any, types: Any, arguments: tuple[Any, ...] = (), named: dict[str, Any] | None = None
    ) -> Any:
        named = dict(named or {})
        if function in (torch.empty, torch.zeros, torch.ones) and named.get("device") is None:
            named["device"] = "meta"
        return function(*arguments, **named)


def _keeps_its_first_layer(architecture: str) -> bool:
    return architecture.startswith(("vit_", "maxvit", face_recognition.NAME))


def _options(architecture: str, size_px: int) -> dict[str, Any]:
    """Return the constructor arguments of a family, besides the number of classes."""
    if architecture in ("googlenet", "inception_v3"):
        return {"aux_logits": False, "init_weights": True}
    if architecture.startswith("vit_"):
        return {"image_size": size_px}
    if architecture.startswith("maxvit"):
        return {"input_size": (size_px, size_px)}
    return {}


@dataclass(frozen=True)
class Layer:
    """A layer and its path in a network."""

    name: str
    module: nn.Module

    def replace(self, network: nn.Module, module: nn.Module) -> None:
        """Replace the layer in the network by a module."""
        parent, _, child = self.name.rpartition(".")
        setattr(network.get_submodule(parent), child, module)


def first_convolution(network: nn.Module) -> Layer:
    """Return the convolution that receives the picture."""
    return next(Layer(name, module) for name, module in network.named_modules() if isinstance(module, nn.Conv2d))


def last_layer(network: nn.Module) -> Layer:
    """Return the layer whose outputs are the logits: linear, or a convolution in SqueezeNet."""
    layers = [
        Layer(name, module) for name, module in network.named_modules() if isinstance(module, (nn.Linear, nn.Conv2d))
    ]
    return layers[-1]


def _fit_first(network: nn.Module, channels: int, small: bool) -> None:
    layer = first_convolution(network)
    old = cast(nn.Conv2d, layer.module)
    kernel, stride, padding = old.kernel_size[0], old.stride[0], cast(tuple[int, int], old.padding)[0]
    if small and kernel == 7 and stride == 2:
        kernel, stride, padding = 3, 1, 1
    elif small and kernel == stride:
        kernel, stride = kernel // 2, stride // 2
    elif small:
        stride = max(stride // 2, 1)
    shape = (channels, kernel, stride, padding)
    if shape == (old.in_channels, old.kernel_size[0], old.stride[0], cast(tuple[int, int], old.padding)[0]):
        return
    new = nn.Conv2d(channels, old.out_channels, kernel, stride, padding, bias=old.bias is not None)
    nn.init.kaiming_normal_(new.weight, mode="fan_out", nonlinearity="relu")
    if new.bias is not None:
        nn.init.zeros_(new.bias)
    layer.replace(network, new)


def _set_dropout(network: nn.Module, dropout: float) -> None:
    """Set the dropout of a classifier; if it has none, add one before the last layer."""
    own = [module for module in network.modules() if isinstance(module, nn.Dropout) and module.p > 0]
    for module in own:
        module.p = dropout
    if not own:
        layer = last_layer(network)
        layer.replace(network, nn.Sequential(nn.Dropout(dropout), layer.module))
