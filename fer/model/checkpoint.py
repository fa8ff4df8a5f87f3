"""One safetensors file that holds a model: its weights, and in its header all that is needed to use it."""

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer.errors import CheckpointError
from fer.faces import UNSURE_BELOW
from fer.files import replace_file
from fer.model.preprocessing import Preprocessing
from fer.records import from_plain, to_plain

if TYPE_CHECKING:
    import torch
    from torch import nn

FORMAT = "fer-studio-1"


@dataclass(frozen=True)
class ModelInfo:
    """What a model is, without its weights; reading it does not import torch."""

    architecture: str
    labels: tuple[str, ...]
    """In the order of the network's outputs."""
    preprocessing: Preprocessing
    temperature: float = 1.0
    """The logits are divided by it before the softmax, or the sigmoid (Guo et al. 2017, arXiv:1706.04599)."""
    training: dict[str, Any] = field(default_factory=dict)
    """How it was made: data, rule, seed, versions, validation metrics. For people; nothing depends on it."""
    multilabel: bool = False
    """Whether each label has a probability of its own (sigmoid), so that they need not sum to 1."""
    prior: tuple[float, ...] = ()
    """Share of each label in the pictures that it was trained on, 0..1; empty where that is not known."""
    prior_correction: float = 0.0
    """τ: so many times the logarithm of the prior is taken off the logits, before they are divided by the temperature,
    since a network learns how frequent an expression is together with what it looks like (Menon et al. 2021,
    arXiv:2007.07314). 0: never; 1: as if all expressions were equally frequent."""
    unsure_below: float = UNSURE_BELOW
    """An answer with less confidence is called unsure, 0..1."""
    stem: str = "small"
    """The kind of its first convolution, see `build_network`."""

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) < len(self.labels):
            raise ValueError(f"a model needs labels, each of them once, got {self.labels}")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError(f"temperature must be positive, got {self.temperature}")
        if self.prior and (len(self.prior) != len(self.labels) or not min(self.prior) > 0):
            raise ValueError(f"a prior needs a positive share for each label, got {self.prior}")
        if not (0 <= self.prior_correction <= 1 and 0 <= self.unsure_below <= 1):
            raise ValueError(
                f"prior_correction and unsure_below must be from 0 to 1, got {self.prior_correction} and "
                f"{self.unsure_below}"
            )
        if self.prior_correction and not self.can_be_corrected:
            raise ValueError("only a model with a prior, and not a multilabel one, can be corrected for it")

    @property
    def can_be_corrected(self) -> bool:
        """Whether the prior can be taken off."""
        return bool(self.prior) and not self.multilabel


def read_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Read what a model file says of itself.

    Raises:
        CheckpointError: the file is missing, is no safetensors file, or was not made by this package.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if path.is_dir():
        raise CheckpointError(f"expected a model file, found the folder {path}. Try {path / 'best.safetensors'}.")
    if not path.is_file():
        raise CheckpointError(
            f"expected a model file, found nothing at {path}. Check the path, or train a model first."
        )
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise CheckpointError(
            f"expected a .safetensors model file, but {path} cannot be read as one ({error}). "
            "Of a run folder, best.safetensors is the model; a file that was copied or downloaded may be damaged."
        ) from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"expected a model made by `fer-studio train` (format {FORMAT}), but {path} is of format "
            f"{metadata.get('format', 'unknown')!r}."
        )
    try:
        header = json.loads(metadata["model"])
        info = from_plain(header, ModelInfo)  # older files do not say all of it
        if missing := {"temperature", "training"} - header.keys():
            raise ValueError(f"it does not say {' and '.join(sorted(missing))}")
        from_plain(header["preprocessing"], Preprocessing, exact=True)  # a step that is not known would be left out
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"the header of {path} is damaged or of another version: {error!r}.") from error
    return info


def save_checkpoint(path: str | os.PathLike[str], info: ModelInfo, state: "dict[str, torch.Tensor]") -> None:
    """Write a model file, whole or not at all; see `replace_file`.

    Convolutions and matrices are stored in half precision, which costs no accuracy and half the size; biases and the
    statistics of batch normalization stay as they are.
    """
    import torch
    from safetensors.torch import save

    tensors = {
        name: (tensor.half() if tensor.ndim >= 2 and tensor.dtype == torch.float32 else tensor).contiguous().cpu()
        for name, tensor in state.items()
    }
    data = save(tensors, metadata={"format": FORMAT, "model": json.dumps(to_plain(info))})
    replace_file(Path(path), lambda file: file.write(data))


def load_checkpoint(path: str | os.PathLike[str]) -> "tuple[ModelInfo, nn.Module]":
    """Read a model file and build its network, float32, in evaluation mode.

    Raises:
        CheckpointError: as `read_info`, or the weights do not fit the architecture that the header names.
    """
    from safetensors.torch import load_file

    from fer.model.network import build_network

    info = read_info(path)
    try:
        network = build_network(
            info.architecture,
            classes=len(info.labels),
            channels=info.preprocessing.channels,
            size_px=info.preprocessing.size_px,
            stem=info.stem,
        )
        network.load_state_dict(load_file(path))
    except (ValueError, RuntimeError) as error:
        raise CheckpointError(f"the weights in {path} do not fit a {info.architecture}: {str(error)[:400]}") from error
    return info, network.eval()
