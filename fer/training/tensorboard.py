"""Curves for TensorBoard, where they are wanted."""

from dataclasses import asdict

from fer.errors import TrainingError
from fer.training.metrics import EpochMetrics
from fer.training.runs import Run


class TensorBoard:
    """Writes each epoch's figures to the folder `tensorboard` of a run."""

    def __init__(self, run: Run) -> None:
        """Take a run; its folder is opened with the first epoch.

        Raises:
            TrainingError: the package tensorboard is not there.
        """
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise TrainingError(f"expected the package tensorboard ({error}): pip install tensorboard") from error
        self._open = lambda epoch: SummaryWriter(str(run.folder / "tensorboard"), purge_step=epoch)
        self._writer: SummaryWriter | None = None

    def write(self, line: EpochMetrics) -> None:
        """Add a line of metrics.jsonl: a curve for each number. Later epochs, of an earlier try, are dropped."""
        if self._writer is None:
            self._writer = self._open(line.epoch)
        for name, value in asdict(line).items():
            if name != "epoch" and isinstance(value, (int, float)):
                self._writer.add_scalar(name, value, line.epoch)
        self._writer.flush()
