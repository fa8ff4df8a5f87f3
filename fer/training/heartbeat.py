"""What status.json says while a run is alive."""

import time
from collections.abc import Callable

from fer.training.config import TrainingConfig
from fer.training.runs import RUNNING, Run

EVERY_SECONDS = 1.0


class Heartbeat:
    """Says after a batch, at most once a second, how far the run is and how long it will take."""

    def __init__(
        self, run: Run, config: TrainingConfig, first_epoch: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin to count the time, at the start of an epoch (from 0)."""
        self.run = run
        self.config = config
        self.first_epoch = first_epoch
        self.clock = clock
        self.began = self.written = clock()
        self.faces = 0

    def beat(self, epoch: int, batch: int, batches: int, faces: int) -> None:
        """Take in a batch.

        Args:
            epoch: the one that is running, from 0.
            batch: how many of its batches are done.
            batches: how many it has.
            faces: how many this batch had.
        """
        self.faces += faces
        now = self.clock()
        if now - self.written < EVERY_SECONDS:
            return
        self.written = now
        done = sum(map(self._work, range(self.first_epoch, epoch))) + self._work(epoch) * batch / batches
        total = sum(map(self._work, range(self.first_epoch, self.config.epochs)))
        self.run.set_status(
            RUNNING,
            epoch=epoch,
            epochs=self.config.epochs,
            batch=batch,
            batches=batches,
            faces_per_second=round(self.faces / (now - self.began), 1),
            seconds_left=round((now - self.began) * (total / done - 1)),
        )

    def _work(self, epoch: int) -> float:
        """Return how long an epoch takes, relatively: as its number of pixels."""
        return float(self.config.size_at(epoch) ** 2)
