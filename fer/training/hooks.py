"""How the loop talks with whoever started it."""

from collections.abc import Callable
from dataclasses import dataclass

from fer.training.metrics import EpochMetrics


@dataclass
class Hooks:
    """What the loop tells whoever started it, and asks."""

    on_read: Callable[[int, int], None] = lambda done, total: None
    """(pictures read, pictures in all)"""
    on_batch: Callable[[int, int, int, int], None] = lambda epoch, done, total, faces: None
    """(epoch from 0, batches done, batches in all, faces in this one)"""
    on_epoch: Callable[[EpochMetrics], None] = lambda metrics: None
    """The line that went to metrics.jsonl."""
    on_note: Callable[[str], None] = lambda text: None
    """Something a person should know."""
    should_stop: Callable[[], bool] = lambda: False
    """Asked after each batch; True ends the run, which resumes from the last whole epoch."""
