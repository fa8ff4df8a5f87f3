"""The training loop, to be read from top to bottom.

A network learns the distribution of the raters' votes (`epoch`). After each epoch the moving average of its weights is
measured on the validation split, and everything needed to go on is written to the run folder.
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
    """Train a model, or go on where the run folder says. Nobody else may train there, see `fer.jobs.job.working`.

    Returns:
        What the model of the best epoch is, which lies in `run.best_path`; None if the run was asked to stop.

    Raises:
        TrainingError: the data set has nothing to train on or to choose by, or is not that of the run's beginning; the
            loss is no longer a number; the disk is full.
    """
    processes = processes or Processes()
    check_trainable(config, dataset, processes)
    torch.backends.cudnn.benchmark = True  # pictures have one size for many steps
    second = _second_labels(config, dataset, hooks)
    state = _begin(config, dataset, second, run, hooks, device, processes)
    training, validation = _read(config, dataset, second, state, hooks, device, processes)
    if validation:
        with file_errors("which pictures are learned from cannot be kept", TrainingError):
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
    """Refuse what cannot be trained.

    Raises:
        TrainingError: too few pictures or expressions, or the architecture is not known.
        CheckpointError: the model to begin with cannot be read.
    """
    training, validation = len(dataset.rows("train", "argmax")), len(dataset.rows("validation", config.rule))
    if training < 2 or validation < 1:
        raise TrainingError(
            f"expected pictures to train on and to validate with in {dataset.name}, found {training} and {validation}. "
            "Add more of each expression; of three or more a tenth, at least one, is kept for validation."
        )
    if len(dataset.labels) < 2:
        raise TrainingError(f"expected at least two expressions to tell apart, found {', '.join(dataset.labels)}.")
    parts = config.accumulate * (processes.count if processes else 1)
    batch_size = config.batch_size_for(training)
    if batch_size < 2 * parts and parts > 1:
        raise TrainingError(
            f"expected batches of at least two pictures for each of {parts} parts, got {batch_size} in all. Take "
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
    """Return what the second head learns; no labels where there is none."""
    if not config.has_second_head:
        return NO_SECOND
    second = second_labels(dataset, find_second(config.dataset, config.second_dataset))
    if not set(second.labels) <= set(dataset.labels):
        raise TrainingError(
            f"expected a second head with expressions of the first one, {', '.join(dataset.labels)}; found "
            f"{', '.join(second.labels)}. Change both data sets: the one with more expressions is the first."
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
    """Return the state of the run folder, or that before the first step."""
    try:
        state, beginning = start(config, dataset.labels, second.fingerprint(dataset), device, second.labels)
        smallest = config.size_at(0)
        with torch.no_grad():
            state.average(torch.zeros(2, config.channels, smallest, smallest, device=device))
    except (ValueError, RuntimeError) as error:
        raise TrainingError(
            f"{config.architecture} cannot be trained at {config.size_px} pixels: {str(error)[:300]}. Take a larger "
            "--size, or another architecture."
        ) from error
    exists = processes.from_first(run.last_path.exists())
    if exists:
        changed = state.restore(processes.from_first(read_state(run, device) if processes.is_first else None), run)
        hooks.on_note(f"going on after epoch {state.epoch} of {config.epochs}")
        for file in changed:
            hooks.on_note(f"{file} is another file now than when this run began; it goes on with this one")
    elif config.init != "none":
        hooks.on_note(beginning)
    return state


def _settle(config: TrainingConfig, state: State, training: PreparedFaces, device: str) -> None:
    """Fit the batch norms of dlib's weights to some of the pictures."""
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
    """Return the pictures to train on and, in the first process, those to validate with."""
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
    """Validate, and write everything down; in this order, so that a kill between two files does no harm."""
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
        if line.validation_accuracy > state.best_accuracy:
            state.best_accuracy, state.best_epoch = line.validation_accuracy, state.epoch
            info = replace(info, training=_origin(config, dataset, line, state))
            save_checkpoint(run.best_path, info, state.average.state_dict())
        run.append_metrics(line)  # first: if the process dies here, the epoch is run again and its line replaced
        state.save(run)
    hooks.on_epoch(line)


def _origin(config: TrainingConfig, dataset: FaceDataset, line: EpochMetrics, state: State) -> dict[str, Any]:
    """Return what a model file says about how it was made."""
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
    """Fit to the best model what only validation can tell, and say how it went."""
    if state.epoch < config.epochs:
        hooks.on_note(f"ended early: nothing better in the {config.patience} epochs after epoch {state.best_epoch}")
    with saving(run, state):
        info = validation.calibrate(run)
    if state.best_accuracy <= validation.most_frequent:
        hooks.on_note(
            f"nothing was learned: the validation accuracy of {state.best_accuracy:.4f} (rule {config.rule}, "
            f"n = {len(validation.faces.rows):,}) is no better than always "
            f"naming the most frequent expression, {validation.most_frequent:.4f}. Train longer, or with some thousand "
            "pictures, or begin with a model: --init."
        )
    return info
