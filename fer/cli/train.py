"""Train a model on one or more data sets.

    fer-studio train --dataset synthetic --init shipped --epochs 2      drawn faces, a minute on two cores
    fer-studio train --dataset data/ferplus              from random initialization, with the defaults
    fer-studio train --dataset my-faces.zip --init shipped --epochs 10
    fer-studio train --dataset data/ckplus --folds 10    cross-validation, nobody on both sides of a split
    torchrun --nproc-per-node=2 -m fer train --dataset …    two processes, or two GPUs

The run is kept in runs/NAME. Run the same command again to resume an interrupted run.
"""

import argparse
import contextlib
import json
from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fer.cli.arguments import add_field_options
from fer.cli.command import STOPPED_CODE, ProgressBar, Stop, command_parser, say, tells_errors
from fer.datasets import FaceDataset, open_datasets
from fer.errors import FerError
from fer.files import write_atomically
from fer.home import runs_folder
from fer.jobs.job import working
from fer.jobs.status import FINISHED, Reporter, read_status
from fer.model import model_file
from fer.training.config import TrainingConfig
from fer.training.runs import Run, check_name, default_name, open_run

if TYPE_CHECKING:
    from fer.training.distributed import Processes


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command_parser("train", __doc__, arguments)
    data = parser.add_argument_group("data")
    what = data.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--dataset", action="append", metavar="PATH",
        help="FER+, FER2013, CK+, RAF-DB, AffectNet, KDEF, JAFFE, a CSV with paths and labels, class folders, a ZIP, "
        "synthetic; repeat to combine several",
    )  # fmt: skip
    what.add_argument("--resume", type=Path, metavar="FOLDER", help="resume this run with its own configuration")
    data.add_argument("--report", action="store_true", help="describe the data first")
    data.add_argument(
        "--report-only", type=Path, nargs="?", const=Path("data-report"), metavar="DIR",
        help="describe the data, write report.json and contact-sheet.png to DIR (data-report), and exit",
    )  # fmt: skip
    for group in ("network", "training"):
        add_field_options(parser.add_argument_group(group), TrainingConfig, group)
    machine = parser.add_argument_group("run and machine")
    machine.add_argument("--name", help="name of the run (data set and architecture)")
    machine.add_argument(
        "--runs", type=Path, default=runs_folder(), metavar="DIR", help="the folder of the runs (%(default)s)"
    )
    machine.add_argument("--device", help="cpu, cuda, mps (the best available)")
    machine.add_argument("--threads", type=int, metavar="N", help="CPU threads (all)")
    machine.add_argument("--tensorboard", action="store_true", help="also write curves for TensorBoard")
    add_field_options(data, TrainingConfig, "data")
    add_field_options(machine, TrainingConfig, "run and machine")
    options = parser.parse_args(arguments)
    if options.resume and options.folds:
        parser.error("--resume resumes one run; to resume all folds, repeat their --dataset and --folds")
    return options


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Train; return the exit code: 0 done, 1 failed, 130 stopped."""
    options = parse_arguments(arguments)
    run = Run(options.resume) if options.resume else None
    try:
        config = run.config() if run else _config(options)
        dataset = open_datasets(config.dataset)  # before creating the folder: a mistake leaves none
        if options.report or options.report_only:
            _report(dataset, options.report_only)
        return 0 if options.report_only else _train(config, dataset, run, options)
    except (FerError, OSError) as error:
        if run:
            # Unless another process is training this run, whose status must not change.
            with contextlib.suppress(FerError, OSError), working(run.folder):
                raise error
        raise


def _config(options: argparse.Namespace) -> TrainingConfig:
    names = [field.name for field in fields(TrainingConfig)]
    given = {name: value for name, value in vars(options).items() if name in names and value is not None}
    if options.init:
        given["init"] = str(model_file(options.init))
    given["teacher"] = tuple(str(model_file(file)) for file in options.teacher or ())
    return TrainingConfig(**given, fold=1 if options.folds else 0)


def _report(dataset: FaceDataset, folder: Path | None) -> None:
    """Print a description of the data set, and write it to a folder."""
    from PIL import Image

    from fer.datasets.report import contact_sheet, report
    from fer.evaluation.crops import warn_of_whole_photos
    from fer.reports.rendering import render

    found = report(dataset)
    found = replace(found, warnings=(*warn_of_whole_photos(dataset), *found.warnings))
    say(render("dataset.txt", report=found).rstrip())
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "report.json", json.dumps(found.to_dict(), indent=1))
        Image.fromarray(contact_sheet(dataset)).save(folder / "contact-sheet.png")
        say(f"written to {folder}: report.json, contact-sheet.png")


def _train(config: TrainingConfig, dataset: FaceDataset, run: Run | None, options: argparse.Namespace) -> int:
    import torch  # takes seconds, so after validating the options

    from fer.datasets.splits import folds
    from fer.model.device import choose_device
    from fer.training.distributed import joined, local_device

    if options.threads:
        torch.set_num_threads(options.threads)
    device = local_device(choose_device(options.device))
    parts = folds(dataset, config.folds) if config.folds else [dataset]
    with joined(device) as processes:
        train_one = partial(_train_one, options.tensorboard, device, processes)
        if options.folds:
            return _train_folds(config, parts, options, train_one, device if processes.is_first else None)
        opened = partial(open_run, options.runs, config, options.name) if run is None else lambda: run
        return train_one(config, parts[max(config.fold - 1, 0)], opened)


def _train_one(
    tensorboard: bool,
    device: str,
    processes: "Processes",
    config: TrainingConfig,
    dataset: FaceDataset,
    opened: Callable[[], Run],
) -> int:
    """Train a run, opened only once it is known to be trainable; return the exit code."""
    from fer.training import job
    from fer.training.loop import check_trainable

    check_trainable(config, dataset, processes)
    folder = processes.from_first(opened().folder if processes.is_first else None)
    status = read_status(folder) if processes.is_first else None
    if processes.from_first(status is not None and status.state == FINISHED):
        if processes.is_first:
            say(f"{folder} is already finished", aside=True)
        return 0
    try:
        with Stop() as stop, ProgressBar() as bar:
            # If one of several processes stopped alone, the others would wait forever.
            stop.gently = stop.patient = processes.count > 1
            with working(folder, bar) if processes.is_first else contextlib.nullcontext(Reporter(None)) as reporter:
                on_epoch = job.curves(folder) if tensorboard and processes.is_first else None
                job.run(
                    folder, config, reporter, stop, dataset=dataset, device=device, processes=processes,
                    on_epoch=on_epoch,
                )  # fmt: skip
    except KeyboardInterrupt:  # stopped before the first batch, or asked twice
        return STOPPED_CODE
    return 0 if reporter.status.state == FINISHED else STOPPED_CODE


def _train_folds(
    config: TrainingConfig,
    parts: list[FaceDataset],
    options: argparse.Namespace,
    train_one: Callable[[TrainingConfig, FaceDataset, Callable[[], Run]], int],
    device: str | None,
) -> int:
    """Train the unfinished folds; in the process that has a device, report the average figures."""
    from fer.training.validation import measure_fold, summarize

    if options.name:
        check_name(options.name)
    place, results = options.runs / (options.name or f"{default_name(config)}-{config.folds}-folds"), []
    for number, part in enumerate(parts, start=1):
        name, own = f"fold-{number:02d}", replace(config, fold=number)
        if code := train_one(own, part, partial(open_run, place, own, name)):
            return code
        if device:
            results.append(measure_fold(Run(place / name), part, config.rule, device))
    if device:
        summary = summarize(place, results)
        n = sum(result["n"] for result in results)
        say(f"{config.folds} folds, test pictures by rule {config.rule}, n = {n:,} in total:")
        for figure in ("accuracy", "macro_f1"):
            say(f"{figure:10} {summary[figure]['mean']:.4f} ± {summary[figure]['sd']:.4f}")
    return 0
