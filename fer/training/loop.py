"""The training loop, to be read from top to bottom.

A convolutional network learns the distribution of the raters' votes (Barsoum et al. 2016, arXiv:1608.01041) by
stochastic gradient descent. After each epoch the moving average of its weights is measured on the validation split, and
everything needed to go on is written to the run folder. Chance is drawn anew in each epoch from (seed, epoch), so a run
that was killed and resumed sees the same pictures as one that was not.
"""

import copy
import math
import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from fer.datasets.dataset import FaceDataset, PreparedFaces, prepare_faces
from fer.errors import TrainingError
from fer.evaluation.calibration import fit_temperature
from fer.evaluation.metrics import measure
from fer.model.checkpoint import ModelInfo, load_checkpoint, read_info, save_checkpoint
from fer.model.classifier import Classifier, softmax
from fer.model.network import ARCHITECTURES, build_network
from fer.training.augmentation import augment, mixup
from fer.training.config import TrainingConfig
from fer.training.convolution import speed_up_convolutions
from fer.training.runs import FINISHED, RUNNING, STOPPED, Run


@dataclass
class Hooks:
    """What the loop tells whoever started it, and asks."""

    on_read: Callable[[int, int], None] = lambda done, total: None
    """(pictures read, pictures in all)"""
    on_batch: Callable[[int, int, int], None] = lambda epoch, done, total: None
    """(epoch from 0, batches done, batches in all)"""
    on_epoch: Callable[[dict[str, Any]], None] = lambda metrics: None
    """The line that goes to metrics.jsonl."""
    on_note: Callable[[str], None] = lambda text: None
    """Something a person should know."""
    should_stop: Callable[[], bool] = lambda: False
    """Asked after each batch; True ends the run, which resumes from the last whole epoch."""


@dataclass
class State:
    """All that changes while training, and all that is saved after each epoch."""

    network: nn.Module
    average: nn.Module
    optimizer: torch.optim.SGD
    epoch: int = 0
    """The next one to run, from 0."""
    step: int = 0
    best_accuracy: float = -1.0
    best_epoch: int = -1
    dataset_sha256: str = ""
    """Of the data set that it is trained on, see `FaceDataset.fingerprint`."""

    def save(self, run: Run) -> None:
        """Write last.pt, whole or not at all."""
        partial = run.last_path.with_suffix(".partial")
        torch.save(
            {
                "network": self.network.state_dict(),
                "average": self.average.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "counters": [self.epoch, self.step, self.best_accuracy, self.best_epoch],
                "dataset_sha256": self.dataset_sha256,
            },
            partial,
        )
        partial.replace(run.last_path)

    def load(self, run: Run, device: str) -> None:
        """Read last.pt.

        Raises:
            TrainingError: it is damaged, or the data set has changed since.
        """
        try:
            saved = torch.load(run.last_path, map_location=device, weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
            raise TrainingError(f"{run.last_path} is damaged ({error}). Start anew with another --name.") from error
        if saved["dataset_sha256"] != self.dataset_sha256:
            raise TrainingError(
                f"the data set has changed since the run {run.folder.name} began: other labels, pictures or splits. "
                "Start anew with another --name, or bring the data set back."
            )
        self.network.load_state_dict(saved["network"])
        self.average.load_state_dict(saved["average"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.epoch, self.step, self.best_accuracy, self.best_epoch = saved["counters"]


def train(
    config: TrainingConfig, dataset: FaceDataset, run: Run, hooks: Hooks, device: str = "cpu"
) -> ModelInfo | None:
    """Train a model, or go on where the run folder says; a finished run is left as it is.

    Returns:
        What the model of the best epoch is, which lies in `run.best_path`; None if the run was asked to stop.

    Raises:
        TrainingError: the data set has nothing to train on or to choose by, or the loss is no longer a number.
    """
    if run.status().get("state") == FINISHED:
        return read_info(run.best_path)
    check_trainable(config, dataset)
    training_rows = dataset.rows("train", "argmax")
    validation_rows = dataset.rows("validation", config.rule)
    state = _start(config, dataset, device)
    if run.last_path.exists():
        state.load(run, device)
        hooks.on_note(f"going on after epoch {state.epoch} of {config.epochs}")
    run.set_status(RUNNING, epoch=state.epoch, epochs=config.epochs)  # reading may take minutes
    total = len(training_rows) + len(validation_rows)
    training = prepare_faces(dataset, training_rows, config.preprocessing, lambda i, _: hooks.on_read(i, total))
    validation = prepare_faces(
        dataset, validation_rows, config.preprocessing, lambda i, _: hooks.on_read(len(training_rows) + i, total)
    )
    for broken in (*training.broken, *validation.broken):
        hooks.on_note(f"left out: {broken}")
    pixels = torch.from_numpy(training.pixels)
    targets = torch.from_numpy(dataset.distributions(training.rows))

    while state.epoch < config.epochs:
        run.set_status(RUNNING, epoch=state.epoch, epochs=config.epochs)
        started = time.monotonic()
        loss = _train_epoch(config, state, pixels, targets, hooks, device)
        if loss is None:
            run.set_status(STOPPED, epoch=state.epoch, epochs=config.epochs)
            return None
        metrics = _validate(config, state, dataset, validation, device)
        state.epoch += 1
        if metrics["validation_accuracy"] > state.best_accuracy:
            state.best_accuracy, state.best_epoch = metrics["validation_accuracy"], state.epoch
            info = ModelInfo(
                config.architecture,
                dataset.labels,
                config.preprocessing,
                training=_origin(config, dataset, metrics, state),
            )
            save_checkpoint(run.best_path, info, state.average.state_dict())
        line = {
            "epoch": state.epoch,
            "train_loss": loss,
            **metrics,
            "learning_rate": state.optimizer.param_groups[0]["lr"],
            "size_px": config.size_at(state.epoch - 1),
            "seconds": round(time.monotonic() - started, 1),
        }
        run.append_metrics(line)  # first: if the process dies here, the epoch is run again and its line replaced
        state.save(run)
        hooks.on_epoch(line)

    info = _calibrate(run, dataset, validation, device)
    most_frequent = float(np.bincount(dataset.truth(validation.rows)).max() / len(validation.rows))
    if state.best_accuracy <= most_frequent:
        hooks.on_note(
            f"nothing was learned: the validation accuracy of {state.best_accuracy:.4f} is no better than always "
            f"naming the most frequent expression, {most_frequent:.4f}. Train longer, or with some thousand pictures."
        )
    run.set_status(FINISHED, epoch=state.epoch, epochs=config.epochs, best_epoch=state.best_epoch)
    return info


def check_trainable(config: TrainingConfig, dataset: FaceDataset) -> None:
    """Refuse what cannot be trained.

    Raises:
        TrainingError: too few pictures or expressions, or the architecture is not known.
    """
    training, validation = len(dataset.rows("train", "argmax")), len(dataset.rows("validation", config.rule))
    if training < 2 or validation < 1:
        raise TrainingError(
            f"expected pictures to train on and to validate with in {dataset.name}, found {training} and {validation}. "
            "Add more of each expression; of three or more a tenth, at least one, is kept for validation."
        )
    if len(dataset.labels) < 2:
        raise TrainingError(f"expected at least two expressions to tell apart, found {', '.join(dataset.labels)}.")
    if config.architecture not in ARCHITECTURES:
        raise TrainingError(
            f"expected an architecture of {', '.join(ARCHITECTURES)}, got {config.architecture!r}. Choose one of them."
        )


def _start(config: TrainingConfig, dataset: FaceDataset, device: str) -> State:
    torch.manual_seed(config.seed)
    network = build_network(
        config.architecture,
        classes=len(dataset.labels),
        channels=config.channels,
        size_px=config.size_px,
        dropout=config.dropout,
    ).to(device)
    average = copy.deepcopy(network).eval().requires_grad_(False)
    speed_up_convolutions(network)
    decayed = [parameter for parameter in network.parameters() if parameter.ndim >= 2]
    others = [parameter for parameter in network.parameters() if parameter.ndim < 2]
    optimizer = torch.optim.SGD(
        [{"params": decayed, "weight_decay": config.used_weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=config.peak_learning_rate,
        momentum=0.9,
        nesterov=True,
        fused=True,
    )
    return State(network, average, optimizer, dataset_sha256=dataset.fingerprint())


def _train_epoch(
    config: TrainingConfig, state: State, pixels: torch.Tensor, targets: torch.Tensor, hooks: Hooks, device: str
) -> float | None:
    """Go through the training pictures once. Return the mean loss, or None if asked to stop before the end."""
    seed = config.seed * 100_003 + state.epoch
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # for dropout
    order = torch.randperm(len(pixels), generator=generator)
    batch_size = config.batch_size_for(len(pixels))
    batches = len(pixels) // batch_size  # the rest, too few for batch normalization, has its turn in another epoch
    size_px = config.size_at(state.epoch)
    shares = np.random.default_rng(seed).beta(config.mixup, config.mixup, batches) if config.mixup else np.ones(batches)
    precision = mixed_precision(device)
    total_loss = torch.zeros((), device=device)
    state.network.train()
    for batch in range(batches):
        chosen = order[batch * batch_size : (batch + 1) * batch_size]
        faces = augment(pixels[chosen].to(device), size_px, generator)
        faces, wanted = mixup(faces, targets[chosen].to(device), float(shares[batch]), generator)
        faces = config.preprocessing.normalize(faces).contiguous(memory_format=torch.channels_last)
        for group in state.optimizer.param_groups:
            group["lr"] = learning_rate(config, state.epoch + batch / batches) * batch_size / config.batch_size
        with torch.autocast(torch.device(device).type, dtype=precision, enabled=precision is not None):
            logits = state.network(faces)
        loss = F.cross_entropy(logits.float(), wanted)
        state.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        state.optimizer.step()
        state.step += 1
        _update_average(state, config.ema_decay)
        total_loss += loss.detach()
        hooks.on_batch(state.epoch, batch + 1, batches)
        if hooks.should_stop():
            return None
    mean_loss = float(total_loss) / batches
    if not math.isfinite(mean_loss):
        raise TrainingError(
            f"the loss is no longer a number in epoch {state.epoch + 1}. The model of the best epoch so far is kept; "
            f"try again with a learning rate under {config.peak_learning_rate}."
        )
    return mean_loss


def learning_rate(config: TrainingConfig, epoch: float) -> float:
    """Return the rate at a moment, in epochs from 0: up in a straight line, then down along a cosine to 0."""
    warmup = min(config.warmup_epochs, config.epochs / 10)
    if epoch < warmup:
        return config.peak_learning_rate * max(epoch / warmup, 0.01)
    return config.peak_learning_rate * 0.5 * (1 + math.cos(math.pi * (epoch - warmup) / (config.epochs - warmup)))


@torch.no_grad()
def _update_average(state: State, decay: float) -> None:
    """Move the averaged weights, and the statistics of batch normalization, a little towards the present ones."""
    decay = min(decay, (1 + state.step) / (10 + state.step))  # early on, the first weights would weigh too much
    present = state.network.state_dict()
    for name, averaged in state.average.state_dict().items():
        if averaged.is_floating_point():
            averaged.lerp_(present[name], 1 - decay)
        else:
            averaged.copy_(present[name])


def _validate(
    config: TrainingConfig, state: State, dataset: FaceDataset, faces: PreparedFaces, device: str
) -> dict[str, float]:
    info = ModelInfo(config.architecture, dataset.labels, config.preprocessing)
    probabilities = softmax(_logits(info, state.average, faces.pixels, device))
    metrics = measure(probabilities, dataset.truth(faces.rows), dataset.labels)
    return {
        "validation_loss": metrics.negative_log_likelihood,
        "validation_accuracy": metrics.accuracy,
        "validation_macro_f1": metrics.macro_f1,
    }


def _logits(info: ModelInfo, network: nn.Module, pixels: np.ndarray, device: str) -> np.ndarray:
    precision = mixed_precision(device)
    with torch.autocast(torch.device(device).type, dtype=precision, enabled=precision is not None):
        return Classifier(info, network, device).logits(pixels)


def _calibrate(run: Run, dataset: FaceDataset, validation: PreparedFaces, device: str) -> ModelInfo:
    """Fit the temperature of the best epoch's model on the validation split and write the file again with it."""
    info, network = load_checkpoint(run.best_path)
    logits = Classifier(replace(info, temperature=1.0), network, device).logits(validation.pixels)
    info = replace(info, temperature=fit_temperature(logits, dataset.truth(validation.rows)))
    save_checkpoint(run.best_path, info, network.state_dict())
    return info


def _origin(config: TrainingConfig, dataset: FaceDataset, metrics: dict[str, float], state: State) -> dict[str, Any]:
    """Return what a model file says about how it was made."""
    return {
        "dataset": dataset.name,
        "dataset_sha256": state.dataset_sha256,
        "rule": config.rule,
        "epochs": config.epochs,
        "best_epoch": state.best_epoch,
        "seed": config.seed,
        **metrics,
        "versions": {name: version(name) for name in ("torch", "torchvision")},
    }


def mixed_precision(device: str) -> torch.dtype | None:
    """Return the type that the network's sums are done in where it is faster than float32, else None."""
    if device == "cpu":
        return torch.bfloat16 if torch.cpu._is_avx512_bf16_supported() else None
    if device.startswith("cuda") and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    return None
