"""Initial weights of a network: random, torchvision's ImageNet weights, dlib's face recognition, or a model file.

A first convolution of another shape is adapted. From color to gray its weights are summed over the colors, so a gray
picture gives the same as in three equal channels; from gray to color they are divided evenly. A kernel of another size
is resized, and scaled so that its response to a uniform area stays the same.
"""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models
from torchvision.models.vision_transformer import interpolate_embeddings

from fer.errors import TrainingError
from fer.model.checkpoint import load_checkpoint, read_info
from fer.model.face_recognition import NAME, FaceRecognitionResNet
from fer.model.network import check_architecture, first_convolution, last_layer
from fer.training import face_recognition
from fer.training.config import TrainingConfig

State = dict[str, torch.Tensor]


def check_init(config: TrainingConfig) -> None:
    """Check the initialization before any data are read.

    Raises:
        CheckpointError: the file cannot be read.
        TrainingError: the file has another architecture, or there are no weights for this one.
    """
    if config.init == "none":
        return
    if config.init.split(":")[0] == face_recognition.PREFIX:
        face_recognition.check(config.init, config.architecture)
        return
    if config.init == "imagenet":
        check_architecture(config.architecture)
        if config.architecture == NAME:
            raise TrainingError(
                f"torchvision has no weights for {config.architecture}. Use --init {face_recognition.PREFIX} instead.",
                "init",
            )
        return
    if not Path(config.init).exists():
        raise TrainingError(
            f"expected --init none, imagenet, shipped, {face_recognition.PREFIX}:FILE or a model file, found nothing "
            f"at {config.init}. Check the path.",
            "init",
        )
    found = read_info(config.init).architecture
    if found != config.architecture:
        raise TrainingError(
            f"expected a {config.architecture} model to start from, found a {found} in {config.init}. "
            f"Train with --architecture {found}, or choose another file.",
            "init",
        )


def initialize(
    network: nn.Module, config: TrainingConfig, labels: tuple[str, ...], second: tuple[str, ...] = ()
) -> str:
    """Initialize a network in place, and return a description of its initial weights.

    From a model file, the last layer keeps the outputs of labels that both have, for each head; its other outputs are
    initialized randomly.

    Raises:
        CheckpointError: the file cannot be read.
        TrainingError: the file does not fit, or the weights cannot be downloaded.
    """
    check_init(config)
    if config.init == "none":
        return "initial weights: random"
    if config.init == "imagenet":
        _adopt(network, _imagenet_state(config), {})
        return f"initial weights: torchvision's {config.architecture} for ImageNet, with a new last layer"
    file = face_recognition.file_of(config.init)
    if isinstance(network, FaceRecognitionResNet) and file:
        face_recognition.adopt(network, file, config.preprocessing)
        return f"initial weights: dlib's face recognition, {file}, with a new last layer"
    info, learned = load_checkpoint(config.init)
    name = last_layer(learned).name
    state: State = dict(learned.state_dict())
    head = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
    body = {key: value for key, value in state.items() if not key.startswith(f"{name}.")}
    own = info.second.labels if info.second else ()
    known = {row: info.labels.index(label) for row, label in enumerate(labels) if label in info.labels}
    for row, label in enumerate(second, start=len(labels)):
        if label in own:
            known[row] = len(info.labels) + own.index(label)
    _adopt(network, body, {key: {row: value[old] for row, old in known.items()} for key, value in head.items()})
    both = (*labels, *second)
    kept = f"; last layer kept for {', '.join(both[row] for row in known)}" if known else ""
    new = ", ".join(label for row, label in enumerate(both) if row not in known)
    random = f"; last layer initialized randomly for {new}" if new else ""
    return f"initial weights: {config.init}{kept}{random}"


def _imagenet_state(config: TrainingConfig) -> State:
    """Return torchvision's best weights without the last layer, named as in our networks."""
    weights: Any = models.get_model_weights(config.architecture).DEFAULT
    try:
        state: State = dict(weights.get_state_dict(progress=True, check_hash=True))
    except (OSError, RuntimeError) as error:  # no connection, a full disk, or a damaged download
        file = Path(torch.hub.get_dir()) / "checkpoints" / Path(weights.url).name
        raise TrainingError(
            f"expected to download the weights of {config.architecture} from {weights.url}: {error}. "
            f"Download that file elsewhere and copy it to {file}, or train with --init none."
        ) from error
    original = models.get_model(config.architecture, weights=None)
    name = last_layer(original).name
    auxiliary = ("aux1.", "aux2.", "AuxLogits.")
    state = {key: value for key, value in state.items() if not key.startswith((f"{name}.", *auxiliary))}
    if config.architecture.startswith("vit_"):
        state = dict(interpolate_embeddings(config.size_px, original.patch_size, state))
    return state


@torch.no_grad()
def _adopt(network: nn.Module, body: State, head: dict[str, dict[int, torch.Tensor]]) -> None:
    """Load all layers but the last, and the given rows of that one's parameters."""
    first, last = first_convolution(network), last_layer(network)
    key = f"{first.name}.weight"
    body = body | {key: _fitted(body[key], first.module.weight)}  # type: ignore[arg-type]
    own_head = {name: value for name, value in network.state_dict().items() if name.startswith(f"{last.name}.")}
    try:
        for name, rows in head.items():
            for row, value in rows.items():
                own_head[f"{last.name}.{name}"][row] = value
        network.load_state_dict(body | own_head)
    except RuntimeError as error:
        raise TrainingError(
            f"the initial weights do not fit this network: {str(error)[:400]}. Train at the size that they were "
            "made for, or choose another --init."
        ) from error


def _fitted(weight: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """Adapt the weights of a first convolution (out, in, k, k) to the shape of another."""
    if weight.shape[1] == 3 and wanted.shape[1] == 1:
        weight = weight.sum(dim=1, keepdim=True)
    elif weight.shape[1] == 1 and wanted.shape[1] == 3:
        weight = (weight / 3).repeat(1, 3, 1, 1)
    old, new = weight.shape[-1], wanted.shape[-1]
    if old == new:
        return weight
    resized = F.interpolate(weight, size=(new, new), mode="bilinear", antialias=True, align_corners=False)
    return resized * (old / new) ** 2
