"""The model file: a safetensors file with the weights, and in its header everything needed to use them."""

import json
import math
import os
import stat
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from fer.errors import CheckpointError
from fer.faces import UNSURE_BELOW
from fer.files import file_errors, file_sha256, replace_file
from fer.model.preprocessing import Preprocessing
from fer.model.prior import (
    BETWEEN,
    BETWEEN_MORE,
    EVERYDAY,
    LABEL,
    MOST_TAKEN_OFF,
    POSED,
    Reading,
    SecondHead,
)
from fer.records import from_plain, plain_of, to_plain

if TYPE_CHECKING:
    import torch
    from torch import nn

HEADER_BYTES = 2**22
"""Limit of a header, which takes some kilobytes; Python would need a hundred times as much memory for crafted JSON."""
FORMAT = "fer-studio-1"
_SECOND_OF = "second_of"
"""In the header of a file without weights: the file beside it whose second head it stands for."""

_OF_THE_FIRST_HEAD = "dataset", "validation_"
"""Beginnings of keys of `ModelInfo.training`."""
_NOT_LEARNED = ("running_mean", "running_var", "num_batches_tracked")
"""Statistics of batch normalization."""


@dataclass(frozen=True)
class ModelInfo:
    """A model without its weights; reading it does not import torch.

    The fields shared with `Reading` say how its outputs are read now: as for everyday faces, until `read_for` is
    called.
    """

    architecture: str
    labels: tuple[str, ...]
    """In the order of the network's outputs."""
    preprocessing: Preprocessing
    temperature: float = 1.0
    training: dict[str, Any] = field(default_factory=dict)
    """How it was trained: data, rule, seed, versions, validation metrics. For people; no code depends on it."""
    multilabel: bool = False
    """Whether each label has an independent probability (sigmoid), so they need not sum to 1."""
    prior: tuple[float, ...] = ()
    """Share of each label in the training pictures, 0..1; empty if unknown."""
    prior_correction: float = 0.0
    unsure_below: float = UNSURE_BELOW
    stem: str = "small"
    """The kind of its first convolution, see `build_network`."""
    second: SecondHead | None = None
    second_share: float = 0.0
    neutral: tuple[float, ...] = ()
    kinds: dict[str, Reading] = field(default_factory=dict)
    """Other readings, by the words of `READINGS`, fitted on validation pictures."""

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) < len(self.labels):
            raise ValueError(f"expected labels, each of them once, got {self.labels}")
        second = self.second or SecondHead((), (), "")
        if len(set(second.labels)) < len(second.labels):
            raise ValueError(f"expected labels of the second head, each of them once, got {second.labels}")
        for labels, prior in ((self.labels, self.prior), (second.labels, second.prior)):
            if prior and (len(prior) != len(labels) or not min(prior) > 0 or not all(map(math.isfinite, prior))):
                raise ValueError(f"expected a prior with a positive share for each label, got {prior}")
        if self.second and (not set(second.labels) <= set(self.labels) or not second.labels or self.multilabel):
            raise ValueError("expected a second head with labels of the first one, and no multilabel model")
        if self.prior_correction and not self.can_be_corrected:
            raise ValueError("expected a prior, and no multilabel model, for a prior correction")
        for read in (self.reading(EVERYDAY), *self.kinds.values()):
            if read.second_share and not self.second:
                raise ValueError("expected a second head for second_share")
            if len(read.neutral) not in (0, len(self.labels)):
                raise ValueError(f"expected neutral to have a number for each label, got {read.neutral}")

    @property
    def can_be_corrected(self) -> bool:
        """Whether the prior can be corrected."""
        return bool(self.prior) and not self.multilabel

    @property
    def outputs(self) -> int:
        """How many outputs the network has per face: the first head's labels, then the second one's."""
        return len(self.labels) + (len(self.second.labels) if self.second else 0)

    def reading(self, kind: str) -> Reading:
        """Return how the outputs are read, by a word of `READINGS`.

        Raises:
            CheckpointError: the model lacks the head or the prior for it.
        """
        everyday = Reading(**{one.name: getattr(self, one.name) for one in fields(Reading)})
        kept = {EVERYDAY: everyday} | self.kinds
        if kind == LABEL and not self.second:
            raise CheckpointError(
                "expected a model with two heads for the reading of the second one, found one head. Leave out --faces."
            )
        if kind in kept:
            return kept[kind]
        if kind in (BETWEEN, POSED) and not self.can_be_corrected:
            raise CheckpointError(
                f"expected a model that stores how frequent each expression was in training, for {kind} faces; found "
                "one that does not. Leave out --faces, or train it again."
            )
        usual = kept[EVERYDAY]
        between = min(usual.prior_correction + BETWEEN_MORE, MOST_TAKEN_OFF)
        taken_off = {BETWEEN: between, POSED: MOST_TAKEN_OFF}.get(kind, -1.0)
        if taken_off < 0:
            return replace(usual, prior_correction=0.0, second_share=float(kind == LABEL), neutral=())
        return replace(usual, prior_correction=max(taken_off, usual.prior_correction), neutral=())

    def read_for(self, kind: str) -> "ModelInfo":
        """Return the same model, read for a kind of faces or by one head alone; see `reading`."""
        return replace(self, **vars(self.reading(kind)), kinds={EVERYDAY: self.reading(EVERYDAY)} | self.kinds)

    def second_alone(self) -> "ModelInfo":
        """Return the model that consists of the second head alone.

        Its training record lacks the first head's data set and figures.

        Raises:
            CheckpointError: there is no second head.
        """
        alone, second = self.reading(LABEL), cast(SecondHead, self.second)
        shared = {key: value for key, value in self.training.items() if not key.startswith(_OF_THE_FIRST_HEAD)}
        return ModelInfo(
            self.architecture, second.labels, self.preprocessing, alone.temperature,
            shared | {"dataset": second.source}, prior=second.prior, stem=self.stem,
            unsure_below=alone.unsure_below,
        )  # fmt: skip


def read_info(path: str | os.PathLike[str]) -> ModelInfo:
    """Read the header of a model file.

    Raises:
        CheckpointError: the file is missing, is not a safetensors file, or was not made by this package.
    """
    path = Path(path)
    metadata = _metadata(path)
    if (whole := weights_file(path)) != path:
        return read_info(whole).second_alone()
    try:
        header = plain_of(metadata["model"])
        info = from_plain(header, ModelInfo)  # older files lack some fields
        if missing := {"temperature", "training"} - header.keys():
            raise ValueError(f"{' and '.join(sorted(missing))} missing")
        from_plain(header["preprocessing"], Preprocessing, exact=True)  # an unknown step must not be ignored
    except (KeyError, ValueError) as error:
        raise CheckpointError(f"the header of {path} is damaged or of another version: {error!r}.") from error
    return info


def weights_file(path: Path) -> Path:
    """Return the file with a model's weights: itself, or the file whose second head it stands for.

    Raises:
        CheckpointError: as `read_info`.
    """
    whole = Path(_metadata(path).get(_SECOND_OF, "")).name
    if not whole or whole == path.name:
        return path
    if "\0" in whole or _SECOND_OF in _metadata(path.with_name(whole)):
        raise CheckpointError(f"expected a model with weights in {whole!r} beside {path.name}, found none there.")
    return path.with_name(whole)


def model_sha256(path: Path) -> str:
    """Return the SHA-256 of a model file, followed by that of the file with its weights if that is another one.

    Raises:
        CheckpointError: as `read_info`.
    """
    return " ".join(map(file_sha256, dict.fromkeys((path, weights_file(path)))))


def weight_shapes(weights: Path) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the arrays in a weights file, by name, without loading them."""
    from safetensors import safe_open

    with safe_open(weights, framework="numpy") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def count_parameters(weights: Path) -> int:
    """Return the number of learned parameters in a weights file."""
    return sum(math.prod(shape) for name, shape in weight_shapes(weights).items() if not name.endswith(_NOT_LEARNED))


def _metadata(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    with file_errors("expected a model file", CheckpointError):
        mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise CheckpointError(f"expected a model file, found the folder {path}. Try {path / 'best.safetensors'}.")
    if not stat.S_ISREG(mode):
        raise CheckpointError(f"expected a model file, found a device or a pipe at {path}. Check the path.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
        if sum(map(len, metadata.values())) > HEADER_BYTES:
            raise ValueError(f"its header has more than {HEADER_BYTES / 2**20:.0f} MB")
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            f"expected a .safetensors model file, but {path} cannot be read as one ({error}). "
            "In a run folder, the model is best.safetensors; a copied or downloaded file may be damaged."
        ) from error
    if metadata.get("format") != FORMAT:
        raise CheckpointError(
            f"expected a model made by `fer-studio train` (format {FORMAT}), but {path} has the format "
            f"{metadata.get('format', 'unknown')!r}."
        )
    return dict(metadata)


def save_checkpoint(path: str | os.PathLike[str], info: ModelInfo, state: "dict[str, torch.Tensor]") -> None:
    """Write a model file atomically; see `replace_file`.

    Convolutions and matrices are stored in half precision, which halves the size at no loss of accuracy; biases and
    batch normalization statistics keep their precision.
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
        CheckpointError: as `read_info`; or the weights do not fit the architecture in the header, which is checked
            before they are loaded, or are not all finite.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from fer.model.network import WithoutMemory, build_network, last_layer

    info, file = read_info(path), weights_file(Path(path))
    try:
        with WithoutMemory():
            network = build_network(
                info.architecture,
                classes=info.outputs,
                channels=info.preprocessing.channels,
                size_px=info.preprocessing.size_px,
                stem=info.stem,
            )
        # A model that stands for a second head uses a part of the last layer.
        part = f"{last_layer(network).name}." if file != Path(path) else None
        wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
        found = weight_shapes(file)
        if part:
            found |= {name: (info.outputs, *shape[1:]) for name, shape in found.items() if name.startswith(part)}
        if wrong := sorted(name for name in wanted.keys() | found if wanted.get(name) != found.get(name)):
            raise ValueError(f"{wrong[0]} is {found.get(wrong[0])}, expected {wanted.get(wrong[0])}")
        state = load_file(file)
        if part:
            state |= {name: value[-info.outputs :] for name, value in state.items() if name.startswith(part)}
        if strange := [name for name, value in state.items() if not value.isfinite().all()]:
            raise ValueError(f"{strange[0]} has values that are not finite")
        network.to_empty(device="cpu").load_state_dict(state)
    except (ValueError, RuntimeError, SafetensorError) as error:
        raise CheckpointError(f"the weights in {path} do not fit a {info.architecture}: {str(error)[:400]}") from error
    return info, network.eval()


def save_second_alone(path: Path, whole: Path) -> None:
    """Write a small file that stands for the second head of the model file `whole` beside it."""
    from safetensors.numpy import save

    data = save({}, metadata={"format": FORMAT, _SECOND_OF: whole.name})
    replace_file(path, lambda file: file.write(data))
