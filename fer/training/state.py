"""All that changes while training, its moving average, and how it gets to the disk and back."""

import copy
import io
import pickle
import shutil
import struct
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fer.errors import TrainingError, lacks_room
from fer.files import file_errors, file_sha256, write_atomically
from fer.model.checkpoint import model_sha256
from fer.model.device import mixed_precision
from fer.model.network import build_network
from fer.training.config import TrainingConfig
from fer.training.convolution import speed_up_convolutions
from fer.training.initialization import initialize
from fer.training.optimizer import make_optimizer
from fer.training.runs import Run


@dataclass
class State:
    """All that is saved after each epoch."""

    network: nn.Module
    average: nn.Module
    """The moving average of the network, which is what is validated and kept."""
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    """Keeps the gradients of float16 within its range; does nothing for other types."""
    epoch: int = 0
    """The next one to run, from 0."""
    step: int = 0
    best_accuracy: float = -1.0
    best_epoch: int = 0
    """From 1; 0 before the first."""
    dataset_sha256: str = ""
    """Of the data set that it is trained on, see `FaceDataset.fingerprint`."""
    pictures: list[int] = field(default_factory=list)
    """How many could be read to train on and to validate with; empty before they are read."""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the files that it began with and is taught by, see `TrainingConfig.files`; of a model file that
    stands for the second head of another one of both, see `model_sha256`."""

    def update_average(self, decay: float) -> None:
        """Move the averaged weights, and the statistics of normalization, a little towards the present ones."""
        decay = min(decay, (1 + self.step) / (10 + self.step))  # early on, the first weights would weigh too much
        averages, presents = self.average.state_dict(), self.network.state_dict()
        floats = [name for name, value in averages.items() if value.is_floating_point()]
        torch._foreach_lerp_([averages[name] for name in floats], [presents[name] for name in floats], 1 - decay)
        for name in averages.keys() - set(floats):
            averages[name].copy_(presents[name])

    def save(self, run: Run) -> None:
        """Write last.pt, whole or not at all."""
        saved = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "counters": [self.epoch, self.step, self.best_accuracy, self.best_epoch],
            "dataset_sha256": self.dataset_sha256,
            "pictures": self.pictures,
            "files": self.files,
        }
        buffer = io.BytesIO()  # what torch.save raises on a full disk does not say that it was full
        torch.save(saved, buffer)
        write_atomically(run.last_path, buffer.getbuffer())

    def restore(self, saved: dict[str, Any], run: Run) -> list[str]:
        """Take over what `read_state` returned; return the files that are others now than when the run began.

        Raises:
            TrainingError: the data set has changed since, or the file is damaged or of another version.
        """
        try:
            return self._take(saved, run)
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise _damaged(run, error) from error

    def _take(self, saved: dict[str, Any], run: Run) -> list[str]:
        if saved["dataset_sha256"] != self.dataset_sha256:
            raise TrainingError(
                f"the data set has changed since the run {run.folder.name} began: other labels, pictures or splits. "
                "Start anew with another --name, or bring the data set back."
            )
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scaler.load_state_dict(saved["scaler"])
        self.epoch, self.step, self.best_accuracy, self.best_epoch = saved["counters"]
        self.pictures = saved["pictures"]
        now, self.files = self.files, saved.get("files", self.files)  # runs of earlier versions do not know
        return [file for file, digest in self.files.items() if now.get(file) != digest]

    def check_pictures(self, read: list[int], broken: tuple[str, ...]) -> None:
        """Remember how many pictures could be read, and refuse to go on with others than before.

        Raises:
            TrainingError: another number than when the run began.
        """
        if self.pictures and self.pictures != read:
            raise TrainingError(
                f"expected the {' + '.join(map(str, self.pictures))} pictures that this run began with, could read "
                f"{' + '.join(map(str, read))}. {broken[0] if broken else ''} Bring them back, or start anew with "
                "another --name."
            )
        self.pictures = read


def start(
    config: TrainingConfig, labels: tuple[str, ...], dataset_sha256: str, device: str, second: tuple[str, ...] = ()
) -> tuple[State, str]:
    """Return the state before the first step, and in words what the weights begin with."""
    torch.manual_seed(config.seed)
    network = build_network(
        config.architecture,
        classes=len(labels) + len(second),
        channels=config.channels,
        size_px=config.size_px,
        dropout=config.dropout,
        stem=config.stem,
    )
    beginning = initialize(network, config, labels, second)
    network = network.to(device)
    average = copy.deepcopy(network).eval().requires_grad_(False)
    speed_up_convolutions(network)
    scaler = torch.amp.GradScaler(torch.device(device).type, enabled=mixed_precision(device) == torch.float16)
    state = State(network, average, make_optimizer(network, config), scaler, dataset_sha256=dataset_sha256)
    with file_errors("a file that the training begins with cannot be read", TrainingError):
        models = {config.init, *config.teacher}
        state.files = {file: (model_sha256 if file in models else file_sha256)(Path(file)) for file in config.files}
    return state, beginning


def read_state(run: Run, device: str) -> dict[str, Any]:
    """Read last.pt.

    Raises:
        TrainingError: it is damaged or of another version.
    """
    try:
        saved: dict[str, Any] = torch.load(run.last_path, map_location=device, weights_only=True)
        missing = {"scaler", "pictures"} - saved.keys()
    except (
        pickle.PickleError, RuntimeError, EOFError, LookupError, TypeError, ValueError, AttributeError, OverflowError,
        MemoryError, zipfile.BadZipFile, struct.error,
    ) as error:  # fmt: skip
        raise _damaged(run, error) from error
    if missing:
        raise TrainingError(f"{run.last_path} is of an older version. Start anew with another --name.")
    return saved


def _damaged(run: Run, error: Exception) -> TrainingError:
    return TrainingError(f"{run.last_path} is damaged ({str(error)[:400]}). Start anew with another --name.")


@contextmanager
def saving(run: Run, state: State) -> Iterator[None]:
    """Turn the error of a full disk into one that says how much room there is and how much is needed.

    Raises:
        TrainingError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if not lacks_room(error):
            raise
        parameters = sum(tensor.numel() * tensor.element_size() for tensor in state.network.state_dict().values())
        needed = 5 * parameters / 1e6  # network, average, one or two moments of the optimizer, and the model file
        free = shutil.disk_usage(run.folder).free / 1e6
        raise TrainingError(
            f"expected about {needed:.0f} MB of room to save epoch {state.epoch} in {run.folder}, found {free:.0f} MB "
            f"({error.strerror}). The last good state is kept: make room, and the same command goes on from there."
        ) from error
