"""The state of a training run, its moving average of the weights, and how it is saved and restored."""

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
    """Everything that is saved after each epoch."""

    network: nn.Module
    average: nn.Module
    """The moving average of the network, which is validated and saved."""
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    """Keeps float16 gradients in range; does nothing for other dtypes."""
    epoch: int = 0
    """The next epoch, from 0."""
    step: int = 0
    best_accuracy: float = -1.0
    best_epoch: int = 0
    """From 1; 0 before the first epoch ends."""
    dataset_sha256: str = ""
    """Of the training data set, see `FaceDataset.fingerprint`."""
    pictures: list[int] = field(default_factory=list)
    """Number of readable training and validation pictures; empty before they are read."""
    files: dict[str, str] = field(default_factory=dict)
    """SHA-256 of the files of the initial weights and teachers, see `TrainingConfig.files`; for a model file that
    stands for the second head of another one, of both, see `model_sha256`."""

    def update_average(self, decay: float) -> None:
        """Move the averaged weights and normalization statistics towards the current ones."""
        decay = min(decay, (1 + self.step) / (10 + self.step))  # otherwise the initial weights would count too much
        averages, presents = self.average.state_dict(), self.network.state_dict()
        floats = [name for name, value in averages.items() if value.is_floating_point()]
        torch._foreach_lerp_([averages[name] for name in floats], [presents[name] for name in floats], 1 - decay)
        for name in averages.keys() - set(floats):
            averages[name].copy_(presents[name])

    def save(self, run: Run) -> None:
        """Write last.pt atomically."""
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
        buffer = io.BytesIO()  # torch.save's own error does not say that the disk is full
        torch.save(saved, buffer)
        write_atomically(run.last_path, buffer.getbuffer())

    def restore(self, saved: dict[str, Any], run: Run, taught_by: tuple[str, ...] = ()) -> list[str]:
        """Restore the result of `read_state`.

        Args:
            saved: the result.
            run: the run.
            taught_by: the files that it goes on to learn from, see `TrainingConfig.taught_by`.

        Returns:
            A note for each of `files` that is, or may be, another one than when the run started.

        Raises:
            TrainingError: the data set has changed since, or the file is damaged or of another version.
        """
        try:
            self._take(saved, run)
            return self._compare(saved.get("files", {}), taught_by)  # missing in runs of earlier versions
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise _damaged(run, error) from error

    def _take(self, saved: dict[str, Any], run: Run) -> None:
        if saved["dataset_sha256"] != self.dataset_sha256:
            raise TrainingError(
                f"the data set has changed since the run {run.folder.name} started: its labels, pictures or splits. "
                "Start a new run with another --name, or restore the data set."
            )
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.scaler.load_state_dict(saved["scaler"])
        self.epoch, self.step, self.best_accuracy, self.best_epoch = saved["counters"]
        self.pictures = saved["pictures"]

    def _compare(self, before: dict[str, str], taught_by: tuple[str, ...]) -> list[str]:
        """Note which files have changed; keep the digests of the initial weights then and of the teachers now."""
        notes = []
        for file, digest in self.files.items():
            if file not in before:
                notes.append(f"{file} may be another one than when this run started, which did not store its digest")
            elif before[file] != digest and file in taught_by:
                notes.append(f"{file} has changed since this run started; the run continues with the new file")
            elif before[file] != digest:
                notes.append(f"{file} has changed since this run started from it; that makes no difference any more")
        self.files = {file: self.files[file] for file in taught_by} | {
            file: digest for file, digest in before.items() if file not in taught_by
        }
        return notes

    def check_pictures(self, read: list[int], broken: tuple[str, ...]) -> None:
        """Store how many pictures could be read, and check that it is the same number as before.

        Raises:
            TrainingError: the number has changed since the run started.
        """
        if self.pictures and self.pictures != read:
            raise TrainingError(
                f"expected the {' + '.join(map(str, self.pictures))} pictures that this run started with, but could "
                f"read {' + '.join(map(str, read))}. {broken[0] if broken else ''} Restore them, or start a new run "
                "with another --name."
            )
        self.pictures = read


def start(
    config: TrainingConfig, labels: tuple[str, ...], dataset_sha256: str, device: str, second: tuple[str, ...] = ()
) -> tuple[State, str]:
    """Return the initial state, and a description of the initial weights."""
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
    with file_errors("a file of the initial weights or teachers cannot be read", TrainingError):
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
        raise TrainingError(f"{run.last_path} is of an older version. Start a new run with another --name.")
    return saved


def _damaged(run: Run, error: Exception) -> TrainingError:
    return TrainingError(f"{run.last_path} is damaged ({str(error)[:400]}). Start a new run with another --name.")


@contextmanager
def saving(run: Run, state: State) -> Iterator[None]:
    """Turn the error of a full disk into one that says how much space is free and how much is needed.

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
            f"expected about {needed:.0f} MB of free space to save epoch {state.epoch} in {run.folder}, found "
            f"{free:.0f} MB ({error.strerror}). The last state is kept: free some space, and repeat the command."
        ) from error
