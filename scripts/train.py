"""Train a model on a data set.

    python scripts/train.py --dataset synthetic --epochs 5      drawn faces, under three minutes on two cores
    python scripts/train.py --dataset data/ferplus              the recipe of the model that comes with the package

The run is kept in runs/NAME. The same command again goes on with a run that was interrupted.
"""

import argparse
import contextlib
import logging
import os
import signal
import sys
from dataclasses import fields
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm import tqdm

from fer.datasets import FaceDataset, open_datasets
from fer.errors import FerError
from fer.training.config import TrainingConfig
from fer.training.runs import FAILED, STOPPED, Run, open_run


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--dataset", metavar="PATH", help="FER+ folders, fer2013.csv, class folders, synthetic")
    what.add_argument("--resume", type=Path, metavar="FOLDER", help="a run, to go on with as it was configured")
    parser.add_argument("--epochs", type=int, metavar="N")
    parser.add_argument("--name", help="name of the run; default: made of data set and architecture")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="DIR", help="where runs are kept (runs)")
    parser.add_argument("--architecture", help="resnet18, resnet34 or resnet50 (resnet18)")
    parser.add_argument("--size", dest="size_px", type=int, metavar="PX", help="size of the faces (48)")
    parser.add_argument("--channels", type=int, choices=(1, 3), help="1: gray, 3: RGB (1)")
    parser.add_argument("--batch-size", type=int, metavar="N", help="pictures a step (128)")
    parser.add_argument("--learning-rate", type=float, metavar="RATE", help="highest rate (0.1)")
    parser.add_argument("--weight-decay", type=float, metavar="DECAY", help="(0.0005)")
    parser.add_argument("--mixup", type=float, metavar="ALPHA", help="(0.2; 0: off)")
    parser.add_argument("--dropout", type=float, metavar="SHARE", help="(0.2)")
    parser.add_argument("--ema-decay", type=float, metavar="DECAY", help="(0.999)")
    parser.add_argument("--rule", choices=("majority", "argmax"), help="which validation pictures count (majority)")
    parser.add_argument("--seed", type=int, metavar="N", help="(0)")
    parser.add_argument("--device", help="cpu, cuda, mps (the best there is)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (all)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Train; return the exit code: 0 done, 1 cannot, 130 stopped."""
    options = parse_arguments(arguments)
    given = {
        field.name: getattr(options, field.name)
        for field in fields(TrainingConfig)
        if getattr(options, field.name, None) is not None
    }
    run = Run(options.resume) if options.resume else None
    try:
        config = run.config() if run else TrainingConfig(**given)
        dataset = open_datasets(config.dataset)  # before the folder is made: a mistake leaves none
        _check(config, dataset)
        run = run or open_run(options.runs, config, options.name)
        log = _logger(run)
        return _train(config, dataset, run, options, log)
    except (FerError, OSError) as error:
        if run:
            with contextlib.suppress(OSError):  # the disk may be full
                run.set_status(FAILED, message=str(error))
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before the first batch, or asked twice
        if run:
            run.set_status(STOPPED)
        return 130


def _check(config: TrainingConfig, dataset: FaceDataset) -> None:
    from fer.training.loop import check_trainable  # torch comes with it

    check_trainable(config, dataset)


def _train(
    config: TrainingConfig, dataset: FaceDataset, run: Run, options: argparse.Namespace, log: logging.Logger
) -> int:
    import torch  # after the options are known to be right: it takes seconds

    from fer.model.device import choose_device
    from fer.training.hooks import Hooks
    from fer.training.loop import train

    if options.threads:
        torch.set_num_threads(options.threads)
    device = choose_device(options.device)
    log.info("run %s: %s, %d pictures, on %s", run.folder, dataset.name, len(dataset), device)
    stop = _StopSignal()
    bars = _Bars(config.epochs, log)
    info = train(config, dataset, run, Hooks(bars.read, bars.batch, bars.epoch, log.info, lambda: stop.asked), device)
    bars.close()
    if info is None:
        log.info("stopped; the same command goes on")
        return 130
    best = info.training
    log.info(
        "done: validation accuracy %.4f (%s) in epoch %d, temperature %.3f; the model is %s",
        best["validation_accuracy"], best["rule"], best["best_epoch"], info.temperature, run.best_path,
    )  # fmt: skip
    return 0


class _StopSignal:
    """Turns Ctrl-C and SIGTERM into a question that the loop asks after each batch."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt  # asked twice: at once
        self.asked = True


class _Bars:
    """A progress bar for people at a terminal, a line an epoch for logs."""

    def __init__(self, epochs: int, log: logging.Logger) -> None:
        self.epochs = epochs
        self.log = log
        self.bar: tqdm[Any] | None = None
        self.shown = ""

    def read(self, done: int, total: int) -> None:
        self._show("reading", done, total)

    def batch(self, epoch: int, done: int, total: int) -> None:
        self._show(f"epoch {epoch + 1}/{self.epochs}", done, total)

    def epoch(self, metrics: dict[str, Any]) -> None:
        self.close()
        self.log.info(
            "epoch %d/%d  loss %.4f  validation: loss %.4f accuracy %.4f macro F1 %.4f  %d px  %.0f s",
            metrics["epoch"], self.epochs, metrics["train_loss"], metrics["validation_loss"],
            metrics["validation_accuracy"], metrics["validation_macro_f1"], metrics["size_px"], metrics["seconds"],
        )  # fmt: skip

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def _show(self, what: str, done: int, total: int) -> None:
        if self.bar is None or self.shown != what:
            self.close()
            self.bar, self.shown = tqdm(total=total, desc=what, leave=False, disable=None), what
        self.bar.update(done - self.bar.n)


def _logger(run: Run) -> logging.Logger:
    """Say everything on standard error and in the run's log."""
    log = logging.getLogger("fer.train")
    log.setLevel(logging.INFO)
    handlers: list[logging.Handler] = [logging.FileHandler(run.log_path, encoding="utf-8")]
    if not os.path.samestat(os.fstat(2), run.log_path.stat()):  # else each line would be there twice
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    return log


if __name__ == "__main__":
    sys.exit(main())
