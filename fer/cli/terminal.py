"""A job in a terminal."""

import sys
from typing import Any

from tqdm import tqdm

from fer.jobs.status import Status


class ProgressBar:
    """Shows a person at a terminal what a job says, on standard error; where that is a file, its notes only."""

    def __enter__(self) -> "ProgressBar":
        form = "{desc} {percentage:3.0f} %|{bar}| {elapsed}<{remaining}"
        self._bar: tqdm[Any] = tqdm(leave=False, disable=None, bar_format=form)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def progress(self, status: Status) -> None:
        """Show how far it is."""
        if status.total != self._bar.total or status.done < self._bar.n:  # what is done from here on tells the speed
            self._bar.reset(status.total)
            self._bar.initial = self._bar.n = status.done
        self._bar.set_description_str(status.what, refresh=False)
        self._bar.update(status.done - self._bar.n)

    def note(self, line: str) -> None:
        """Show a line of its log."""
        tqdm.write(line, file=sys.stderr)
