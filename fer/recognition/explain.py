"""Why a face got its expression: where the network found it, and what it says when a part of the face is covered.

Both say what the network used in the picture, not why somebody looks like that.

    heat map     Grad-CAM (Selvaraju et al. 2017, arXiv:1610.02391), on the last features that still have a place
    covering     occlusion sensitivity (Zeiler and Fergus 2014, arXiv:1311.2901), with parts of a face for squares
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
"""For faces without any: eye, eye, nose, mouth corner, mouth corner of an upright crop, as shares of its side."""


@dataclass(frozen=True, eq=False)
class Covered:
    """What the network says when a part of the face is covered."""

    part: str
    """In plain words: "the mouth"."""
    pixels: np.ndarray
    """What the network saw then, uint8 (C, S, S)."""
    face: Face
    """The face with the probabilities that it has then."""


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a face got its label."""

    face: Face
    heat: np.ndarray | None
    """How much each place of the crop speaks for the label, float32 (h, w), 0..1; as coarse as the network's last
    features. None where those have no place, as in vision transformers; all 0 where no place speaks for the label."""
    covered: tuple[Covered, ...]
    """The part that the label loses most by comes first."""
    info: ModelInfo
    """Of the model."""


def explain(recognizer: Recognizer, face: Face, pixels: np.ndarray) -> Explanation:
    """Explain why a face got its label. Takes as long as a dozen predictions; the shared model stays as it is.

    Args:
        recognizer: the one that found the face.
        face: in any picture's pixels.
        pixels: what the network saw of it, uint8 (C, S, S), see `Recognizer.network_input`.
    """
    label = face.labels.index(face.label)
    with recognizer.lock:
        heat = heat_map(recognizer.classifier, pixels, label)
        covered = cover_parts(recognizer.classifier, face, pixels)
    covered.sort(key=lambda one: one.face.probabilities[label])
    return Explanation(face, heat, tuple(covered), recognizer.info)


def heat_map(classifier: Classifier, pixels: np.ndarray, label: int) -> np.ndarray | None:
    """Return how much each place of pixels, uint8 (C, S, S), speaks for a label: Grad-CAM, see `Explanation.heat`.

    Computed in torch, whatever the classifier computes in. Not safe while another thread uses the same classifier: its
    network is listened to meanwhile.
    """
    network = classifier.network.in_torch().module
    if isinstance(network, VisionTransformer):  # its last features are words of a sentence, mixed by attention
        return None
    found: list[torch.Tensor] = []

    def keep_last(module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, torch.Tensor) and _has_places(module, output):
            found[:] = [output]

    hooks = [module.register_forward_hook(keep_last) for module in network.modules()]
    try:
        with torch.enable_grad():
            batch = classifier.info.preprocessing.normalize(torch.from_numpy(pixels[None]))
            # With a gradient of its own it does not matter whether the weights are frozen.
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
    """Return how much each output of the network counts for a label: that of the first head, and of the second."""
    weights = [0.0] * info.outputs
    second = info.second.labels if info.second else ()
    known = info.labels[label] in second
    weights[label] = 1 - info.second_share * known
    if known:
        weights[len(info.labels) + second.index(info.labels[label])] = info.second_share
    return weights


def _has_places(module: nn.Module, output: torch.Tensor) -> bool:
    """Whether an output is a map, (n, channels, size, size).

    Maps with the channels last, in the middle of Swin and ConvNeXt, are not square in their last two dimensions. VGG
    and AlexNet blow their last map up to a fixed size by pooling, whatever is left of it.
    """
    pooled = isinstance(module, nn.AdaptiveAvgPool2d)
    return output.ndim == 4 and output.shape[2] == output.shape[3] > 1 and not pooled


def cover_parts(classifier: Classifier, face: Face, pixels: np.ndarray) -> list[Covered]:
    """Cover one part of a face after the other with the mean colour of the crop, and ask the network again.

    What the network saw of the face is uint8 (C, S, S); the face's landmarks say where the parts are.
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
    """Return the parts of a face that its crop shows: ellipses around the five points that the detector gives.

    Sizes are in units of the distance between the eyes, or from the eyes to the mouth where that is longer: a face that
    is turned to the side keeps the latter, one that looks up or down the former.

    Args:
        landmarks: float (5, 2) as `Preprocessing.landmarks_in_crop` gives them, of an upright face. With fewer than
            five the typical ones are taken.
        size_px: side of the masks.

    Returns:
        Name in plain words → bool (size, size). Left and right are the picture's. The last one, "the surroundings", is
        what lies around the face.
    """
    left, right, nose, left_corner, right_corner = landmarks if len(landmarks) == 5 else TYPICAL_LANDMARKS
    eyes, mouth = (left + right) / 2, (left_corner + right_corner) / 2
    # The landmarks of what is no face may coincide.
    unit = max(float(np.hypot(*(right - left))), float(np.hypot(*(mouth - eyes))), 0.1)
    y, x = (np.mgrid[:size_px, :size_px] + 0.5) / size_px  # of the centres of pixels

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
