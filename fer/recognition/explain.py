"""Explain a face's expression: where the network found it, and what changes when parts of the face are covered.

Both show what the network used in the picture, not why somebody looks like that.

    heat map     Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391), on the last spatial features
    covering     occlusion sensitivity (Zeiler and Fergus 2014, arXiv:1311.2901), with facial parts instead of squares
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn
from torchvision.models import VisionTransformer

from fer.faces import Face
from fer.model.checkpoint import ModelInfo
from fer.model.classifier import Classifier
from fer.recognition.recognizer import Recognizer

TYPICAL_LANDMARKS = np.array([(0.315, 0.39), (0.685, 0.39), (0.5, 0.59), (0.35, 0.77), (0.65, 0.77)])
"""For faces without landmarks: eye, eye, nose, mouth corner, mouth corner of an upright crop, as shares of its side."""


@dataclass(frozen=True, eq=False)
class Covered:
    """The reading of a face with one part covered."""

    part: str
    """In words: "the mouth"."""
    pixels: np.ndarray
    """The network's input with the part covered, uint8 (C, S, S)."""
    face: Face
    """The face with the resulting probabilities."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """The explanation of a face's label."""

    face: Face
    heat: np.ndarray | None
    """How much each part of the crop supports the label, float32 (h, w), 0..1, at the resolution of the network's last
    features. None if those are not spatial, as in vision transformers; all 0 if nothing supports the label."""
    covered: tuple[Covered, ...]
    """The parts, the one that costs the label most first."""
    info: ModelInfo
    """The model."""


def explain(recognizer: Recognizer, face: Face, pixels: np.ndarray) -> Explanation:
    """Explain a face's label. Takes as long as a dozen predictions, and leaves the shared model unchanged.

    Args:
        recognizer: the one that found the face.
        face: in pixels of any picture.
        pixels: the network's input for it, uint8 (C, S, S), see `Recognizer.network_input`.
    """
    label = face.labels.index(face.label)
    with recognizer.lock:
        heat = heat_map(recognizer.classifier, pixels, label)
        covered = cover_parts(recognizer.classifier, face, pixels)
    covered.sort(key=lambda one: one.face.probabilities[label])
    return Explanation(face, heat, tuple(covered), recognizer.info)


def heat_map(classifier: Classifier, pixels: np.ndarray, label: int) -> np.ndarray | None:
    """Return how much each part of pixels, uint8 (C, S, S), supports a label: Grad-CAM, see `Explanation.heat`.

    Always computed in torch. Not thread-safe: it attaches hooks to the classifier's network.
    """
    network = classifier.network.in_torch().module
    if isinstance(network, VisionTransformer):  # its last features are tokens mixed by attention
        return None
    found: list[torch.Tensor] = []

    def keep_last(module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, torch.Tensor) and _has_places(module, output):
            found[:] = [output]

    hooks = [module.register_forward_hook(keep_last) for module in network.modules()]
    try:
        with torch.enable_grad():
            batch = classifier.info.preprocessing.normalize(torch.from_numpy(pixels[None]))
            # With a gradient for the input, frozen weights do not matter.
            logits = network(batch.to(next(network.parameters())).requires_grad_())[0]
            logit = logits @ logits.new_tensor(_weights(classifier.info, label))
    finally:
        for hook in hooks:
            hook.remove()
    if not found:
        return None
    (features,) = found  # (1, channels, h, w)
    (gradient,) = torch.autograd.grad(logit, features)  # leaves no gradients in the weights
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    heat = (weights * features.detach()).sum(dim=1)[0].float().relu()
    if heat.any():
        heat /= heat.max()
    return heat.cpu().numpy()


def _weights(info: ModelInfo, label: int) -> list[float]:
    """Return the weight of each network output for a label: that of the first head, and that of the second."""
    weights = [0.0] * info.outputs
    second = info.second.labels if info.second else ()
    known = info.labels[label] in second
    weights[label] = 1 - info.second_share * known
    if known:
        weights[len(info.labels) + second.index(info.labels[label])] = info.second_share
    return weights


def _has_places(module: nn.Module, output: torch.Tensor) -> bool:
    """Whether an output is a feature map, (n, channels, size, size).

    Channels-last maps, inside Swin and ConvNeXt, are not square in their last two dimensions. VGG and AlexNet pool
    their last map to a fixed size, whatever its resolution.
    """
    pooled = isinstance(module, nn.AdaptiveAvgPool2d)
    return output.ndim == 4 and output.shape[2] == output.shape[3] > 1 and not pooled


def cover_parts(classifier: Classifier, face: Face, pixels: np.ndarray) -> list[Covered]:
    """Cover the parts of a face one by one with the mean color of the crop, and run the network on each.

    `pixels` is the network's input for the face, uint8 (C, S, S); the face's landmarks locate the parts.
    """
    landmarks = classifier.info.preprocessing.landmarks_in_crop(face)
    parts = facial_parts(landmarks, pixels.shape[1])
    plain = pixels.mean(axis=(1, 2), keepdims=True).round().astype(np.uint8)
    pictures = np.stack([np.where(mask, plain, pixels) for mask in parts.values()])
    rows = classifier.probabilities(pictures)
    return [
        Covered(part, picture, replace(face, probabilities=tuple(row.tolist()), opinions=None))
        for part, picture, row in zip(parts, pictures, rows, strict=True)
    ]


def facial_parts(landmarks: np.ndarray, size_px: int) -> dict[str, np.ndarray]:
    """Return masks of the parts of a face in its crop: ellipses around the detector's five landmarks.

    Sizes are in units of the distance between the eyes, or from eyes to mouth if that is longer: a face turned to the
    side keeps the latter, one that looks up or down the former.

    Args:
        landmarks: float (5, 2) from `Preprocessing.landmarks_in_crop`, of an upright face. With fewer than five,
            typical ones are used.
        size_px: side of the masks.

    Returns:
        Name in words → bool (size, size). Left and right are those of the picture. The last one, "the surroundings",
        is everything around the face.
    """
    left, right, nose, left_corner, right_corner = landmarks if len(landmarks) == 5 else TYPICAL_LANDMARKS
    eyes, mouth = (left + right) / 2, (left_corner + right_corner) / 2
    # The landmarks of a false detection may coincide.
    unit = max(float(np.hypot(*(right - left))), float(np.hypot(*(mouth - eyes))), 0.1)
    y, x = (np.mgrid[:size_px, :size_px] + 0.5) / size_px  # pixel centers

    def around(point: np.ndarray, down: float, half_width: float, half_height: float) -> np.ndarray:
        across, along = (x - point[0]) / unit, (y - point[1]) / unit - down
        return (across / half_width) ** 2 + (along / half_height) ** 2 <= 1

    aside = np.array([0.1 * unit, 0.0])
    half_mouth = float(np.hypot(*(right_corner - left_corner))) / 2 / unit
    parts = {
        "the forehead": around(eyes, -0.85, 0.8, 0.28),
        "the brows": around(left, -0.38, 0.44, 0.2) | around(right, -0.38, 0.44, 0.2),
        "the eyes": around(left, 0.0, 0.36, 0.2) | around(right, 0.0, 0.36, 0.2),
        "the nose": around(nose, -0.1, 0.28, 0.34),
        "the left cheek": around((left + left_corner) / 2 - aside, 0.05, 0.36, 0.3),
        "the right cheek": around((right + right_corner) / 2 + aside, 0.05, 0.36, 0.3),
        "the mouth": around(mouth, 0.08, half_mouth + 0.2, 0.36),
        "the chin": around(mouth, 0.55, 0.5, 0.24),
        "the surroundings": ~around((eyes + mouth) / 2, 0.0, 1.12, 1.4),
    }
    return {name: mask for name, mask in parts.items() if mask.any()}
