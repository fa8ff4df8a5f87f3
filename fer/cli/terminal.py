"""A training run in a terminal: progress bars, a log, and Ctrl-C."""

import logging
import os
import signal
import sys
from types import FrameType
from typing import Any

from tqdm import tqdm

from fer.jobs.status import Status
from fer.training.runs import Run


class StopSignal:
    """Turns Ctrl-C and SIGTERM into a question that the loop asks after each batch."""

    def __init__(self, patient: bool = False) -> None:
        """Listen from now on; asked twice, the program ends at once, unless it is patient."""
        self.asked = False
        self.patient = patient
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.asked and not self.patient:
            raise KeyboardInterrupt
        self.asked = True


class Bars:
    """A progress bar for people at a terminal, a line an epoch for logs."""

    def __init__(self, epochs: int, rule: str, log: logging.Logger) -> None:
        self.epochs = epochs
        self.rule = rule
        self.log = log
        self.bar: tqdm[Any] | None = None
        self.shown = ""

    def read(self, done: int, total: int) -> None:
        """Show how many pictures are read."""
        self._show("reading", done, total)

    def batch(self, epoch: int, done: int, total: int) -> None:
        """Show how many batches of an epoch (from 0) are done."""
        self._show(f"epoch {epoch + 1}/{self.epochs}", done, total)

    def epoch(self, metrics: dict[str, Any]) -> None:
        """Log a finished epoch."""
        self.close()
        self.log.info(
            "epoch %d/%d  loss %.4f accuracy %.4f  validation (%s, n = %s): loss %.4f accuracy %.4f macro F1 %.4f  "
            "%d px  %.0f s",
            metrics["epoch"], self.epochs, metrics["train_loss"], metrics["train_accuracy"], self.rule,
            f"{sum(map(sum, metrics['validation_confusion'])):,}", metrics["validation_loss"],
            metrics["validation_accuracy"], metrics["validation_macro_f1"], metrics["size_px"], metrics["seconds"],
        )  # fmt: skip

    def close(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None

    def _show(self, what: str, done: int, total: int) -> None:
        if self.bar is None or self.shown != what:
            self.close()
            self.bar, self.shown = tqdm(total=total, desc=what, leave=False, disable=None), what
        self.bar.update(done - self.bar.n)


def open_log(run: Run, speaks: bool = True) -> logging.Logger:
    """Say everything on standard error and in the run's log; nothing in a process that does not speak."""
    log = logging.getLogger("fer.train")
    log.setLevel(logging.INFO)
    log.propagate = False
    for handler in list(log.handlers):  # of an earlier fold
        log.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [logging.NullHandler()]
    if speaks:
        handlers = [logging.FileHandler(run.log_path, encoding="utf-8")]
        if not os.path.samestat(os.fstat(2), run.log_path.stat()):  # else each line would be there twice
            handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        log.addHandler(handler)
    return log


class ProgressBar:
    """Shows a person at a terminal what a job says, on standard error; where that is a file, its notes only."""

    def __enter__(self) -> "ProgressBar":
        self._bar = tqdm(leave=False, disable=None, bar_format="{desc}{percentage:3.0f} %|{bar}| {elapsed}<{remaining}")
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def progress(self, status: Status) -> None:
        """Show how far it is."""
        if status.done < self._bar.n or status.total != self._bar.total:
            self._bar.reset(status.total)
            self._bar.initial = status.done
            self._bar.n = status.done
        self._bar.set_description(status.what, refresh=False)
        self._bar.update(status.done - self._bar.n)

    def note(self, line: str) -> None:
        """Show a line of its log."""
        tqdm.write(line, file=sys.stderr)
