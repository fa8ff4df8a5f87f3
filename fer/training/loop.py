"""The training loop, readable from top to bottom.

The network is trained on the distribution of the raters' votes (`epoch`). After each epoch the moving average of its
weights is evaluated on the validation split, and everything needed to resume is written to the run folder.
"""

import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fer.datasets.dataset import FaceDataset, PreparedFaces, prepare_faces
from fer.datasets.second import NO_SECOND, SecondLabels, find_second, second_labels
from fer.errors import TrainingError
from fer.evaluation.seen import write_seen
from fer.files import file_errors
from fer.model.checkpoint import ModelInfo, save_checkpoint
from fer.model.network import check_architecture
from fer.model.prior import SecondHead
from fer.training import face_recognition
from fer.training.batches import TrainingBatches
from fer.training.config import TrainingConfig
from fer.training.distributed import Processes
from fer.training.epoch import train_epoch
from fer.training.initialization import check_init
from fer.training.metrics import EpochMetrics, Hooks, Learned
from fer.training.runs import Run
from fer.training.state import State, read_state, saving, start
from fer.training.teachers import Teachers, check_teachers, learned_targets
from fer.training.validation import Validation


def train(
    config: TrainingConfig,
    dataset: FaceDataset,
    run: Run,
    hooks: Hooks,
    device: str = "cpu",
    processes: Processes | None = None,
) -> ModelInfo | None:
    """Train a model, or resume from the run folder. The caller must hold its lock, see `fer.jobs.job.working`.

    Returns:
        The model of the best epoch, saved in `run.best_path`; None if the run was asked to stop.

    Raises:
        TrainingError: the data set has too few pictures to train or validate with, or has changed since the run
            started; the loss is no longer finite; the disk is full.
    """
    processes = processes or Processes()
    check_trainable(config, dataset, processes)
    torch.backends.cudnn.benchmark = True  # the picture size stays the same for many steps
    second = _second_labels(config, dataset, hooks)
    state = _begin(config, dataset, second, run, hooks, device, processes)
    training, validation = _read(config, dataset, second, state, hooks, device, processes)
    if validation:
        with file_errors("the digests of the training pictures cannot be saved", TrainingError):
            write_seen(run.best_path, training.digests, validation.faces.digests, [Path(file) for file in config.files])
    if state.step == 0 and face_recognition.file_of(config.init):
        _settle(config, state, training, device)
    batches = TrainingBatches(
        config,
        torch.from_numpy(training.pixels),
        torch.from_numpy(learned_targets(config, dataset, training.rows, hooks, device, second)),
        device,
        processes,
        len(second.labels),
        Teachers(config, dataset.labels, second.labels, device) if config.asks_in_each_step else None,
    )
    info = ModelInfo(
        config.architecture,
        dataset.labels,
        config.preprocessing,
        multilabel=config.multilabel,
        prior=batches.priors[0],
        stem=config.stem,
        second=SecondHead(second.labels, batches.priors[1], second.source) if second.labels else None,
    )
    while state.epoch < config.epochs and not _has_given_up(config, state):
        started = time.monotonic()
        with saving(run, state):
            learned = train_epoch(config, state, batches, hooks, device)
        if learned is None:
            return None
        state.epoch += 1
        if validation:
            _end_epoch(config, info, dataset, run, state, validation, learned, started, hooks)
        state.best_accuracy, state.best_epoch = processes.from_first((state.best_accuracy, state.best_epoch))
    made: ModelInfo | None = processes.from_first(
        _finish(config, run, state, validation, hooks) if validation else None
    )
    return made


def check_trainable(config: TrainingConfig, dataset: FaceDataset, processes: Processes | None = None) -> None:
    """Check that a configuration can be trained.

    Raises:
        TrainingError: there are too few pictures or expressions, or the architecture is unknown.
        CheckpointError: the initial model cannot be read.
    """
    training, validation = len(dataset.rows("train", "argmax")), len(dataset.rows("validation", config.rule))
    if training < 2 or validation < 1:
        raise TrainingError(
            f"expected pictures to train and to validate with in {dataset.name}, found {training} and {validation}. "
            "Add more of each expression; from three or more, a tenth (at least one) is used for validation."
        )
    if len(dataset.labels) < 2:
        raise TrainingError(
            f"expected at least two expressions, found {', '.join(dataset.labels)}. Add pictures of another one."
        )
    parts = config.accumulate * (processes.count if processes else 1)
    batch_size = config.batch_size_for(training)
    if batch_size < 2 * parts and parts > 1:
        raise TrainingError(
            f"expected batches of at least two pictures for each of {parts} parts, got {batch_size} in total. Use "
            "larger batches, fewer processes or a lower --accumulate.",
            "accumulate",
        )
    try:
        check_architecture(config.architecture)
    except ValueError as error:
        raise TrainingError(f"{error}. Choose one of them.", "architecture") from error
    check_init(config)
    check_teachers(config, dataset.labels)
    if config.has_second_head:
        find_second(config.dataset, config.second_dataset)


def _second_labels(config: TrainingConfig, dataset: FaceDataset, hooks: Hooks) -> SecondLabels:
    """Return the second head's labels; none if there is no second head."""
    if not config.has_second_head:
        return NO_SECOND
    second = second_labels(dataset, find_second(config.dataset, config.second_dataset))
    if not set(second.labels) <= set(dataset.labels):
        raise TrainingError(
            f"expected a second head with expressions of the first one, {', '.join(dataset.labels)}; found "
            f"{', '.join(second.labels)}. Swap the data sets: the one with more expressions comes first."
        )
    known = int(second.of(np.arange(len(dataset))).any(axis=1).sum())
    hooks.on_note(f"{config.second_head}: {known:,} of {len(dataset):,} pictures have a label for the second head")
    return second


def _begin(
    config: TrainingConfig,
    dataset: FaceDataset,
    second: SecondLabels,
    run: Run,
    hooks: Hooks,
    device: str,
    processes: Processes,
) -> State:
    """Return the state from the run folder, or the initial state."""
    try:
        state, beginning = start(config, dataset.labels, second.fingerprint(dataset), device, second.labels)
        smallest = config.size_at(0)
        with torch.no_grad():
            state.average(torch.zeros(2, config.channels, smallest, smallest, device=device))
    except (ValueError, RuntimeError) as error:
        raise TrainingError(
            f"{config.architecture} cannot be trained at {config.size_px} pixels: {str(error)[:300]}. Use a larger "
            "--size, or another architecture."
        ) from error
    exists = processes.from_first(run.last_path.exists())
    if exists:
        saved = processes.from_first(read_state(run, device) if processes.is_first else None)
        notes = state.restore(saved, run, config.taught_by)
        hooks.on_note(f"resuming after epoch {state.epoch} of {config.epochs}")
        for note in notes:
            hooks.on_note(note)
    elif config.init != "none":
        hooks.on_note(beginning)
    return state


def _settle(config: TrainingConfig, state: State, training: PreparedFaces, device: str) -> None:
    """Set the batch normalization statistics of dlib's weights from some of the pictures."""
    some = np.random.default_rng(config.seed).permutation(len(training.pixels))[: face_recognition.FACES]
    faces = torch.from_numpy(training.pixels[some]).to(device)
    face_recognition.settle(state.network, config.preprocessing.normalize(faces))
    state.average.load_state_dict(state.network.state_dict())


def _read(
    config: TrainingConfig,
    dataset: FaceDataset,
    second: SecondLabels,
    state: State,
    hooks: Hooks,
    device: str,
    processes: Processes,
) -> tuple[PreparedFaces, Validation | None]:
    """Return the training pictures and, in the first process, the validation."""
    training_rows, validation_rows = dataset.rows("train", "argmax"), dataset.rows("validation", config.rule)
    total = len(training_rows) + len(validation_rows)
    training = prepare_faces(dataset, training_rows, config.preprocessing, lambda i, _: hooks.on_read(i, total))
    if not processes.is_first:
        return training, None
    validation = prepare_faces(
        dataset, validation_rows, config.preprocessing, lambda i, _: hooks.on_read(len(training_rows) + i, total)
    )
    broken = (*training.broken, *validation.broken)
    for text in broken:
        hooks.on_note(f"left out: {text}")
    state.check_pictures([len(training.rows), len(validation.rows)], broken)
    return training, Validation(dataset, validation, device, second)


def _has_given_up(config: TrainingConfig, state: State) -> bool:
    return bool(config.patience) and state.epoch - state.best_epoch >= config.patience


def _end_epoch(
    config: TrainingConfig,
    info: ModelInfo,
    dataset: FaceDataset,
    run: Run,
    state: State,
    validation: Validation,
    learned: Learned,
    started: float,
    hooks: Hooks,
) -> None:
    """Validate, and save everything; in this order, a kill between two files does no harm."""
    measured = validation.measure(info, state)
    line = EpochMetrics(
        **vars(learned),
        epoch=state.epoch,
        validation_loss=measured.negative_log_likelihood,
        validation_accuracy=measured.accuracy,
        validation_macro_f1=measured.macro_f1,
        validation_confusion=tuple(map(tuple, measured.confusion.tolist())),
        size_px=config.size_at(state.epoch - 1),
        seconds=round(time.monotonic() - started, 1),
    )
    with saving(run, state):
        before = [one.rank for one in run.metrics() if one.epoch < state.epoch]
        if not before or line.rank > max(before):
            state.best_accuracy, state.best_epoch = line.validation_accuracy, state.epoch
            info = replace(info, training=_origin(config, dataset, line, state))
            save_checkpoint(run.best_path, info, state.average.state_dict())
        run.append_metrics(line)  # first: if the process dies here, the epoch is repeated and its line replaced
        state.save(run)
    hooks.on_epoch(line)


def _origin(config: TrainingConfig, dataset: FaceDataset, line: EpochMetrics, state: State) -> dict[str, Any]:
    """Return the training record of a model file."""
    return {
        "dataset": dataset.name,
        "dataset_sha256": state.dataset_sha256,
        "rule": config.rule,
        "epochs": config.epochs,
        "best_epoch": state.best_epoch,
        "validation_n": line.validation_n,
        "init": config.init if config.init in ("none", "imagenet") else Path(config.init).name,
        "files": {Path(file).name: digest for file, digest in state.files.items()},
        "seed": config.seed,
        "own_choices": config.own_choices(),
        "validation_loss": line.validation_loss,
        "validation_accuracy": line.validation_accuracy,
        "validation_macro_f1": line.validation_macro_f1,
        "versions": {name: version(name) for name in ("torch", "torchvision")},
    }


def _finish(config: TrainingConfig, run: Run, state: State, validation: Validation, hooks: Hooks) -> ModelInfo:
    """Calibrate the best model on the validation pictures, and note how training went."""
    if state.epoch < config.epochs:
        hooks.on_note(f"stopped early: no improvement in {config.patience} epochs after epoch {state.best_epoch}")
    with saving(run, state):
        info = validation.calibrate(run)
    if state.best_accuracy <= validation.most_frequent:
        hooks.on_note(
            f"nothing was learned: the validation accuracy of {state.best_accuracy:.4f} (rule {config.rule}, "
            f"n = {len(validation.faces.rows):,}) is no better than always "
            f"predicting the most frequent expression, {validation.most_frequent:.4f}. Train longer, or with some "
            "thousand pictures, or fine-tune a model: --init."
        )
    return info
