"""Estimate how long a training run will take on this machine."""

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fer.errors import TrainingError
from fer.jobs.process import spare_threads
from fer.training.config import TrainingConfig
from fer.training.runs import RunView

START_SECONDS = 10.0
"""Time a run needs before its first epoch, to load libraries and pictures."""
_MEASURE_SECONDS = 2.0
_PICTURES = 8192
_NETWORK = ("architecture", "size_px", "channels", "teacher", "teacher_view")


@dataclass(frozen=True)
class Speed:
    """Training speed of a network in faces per second, at its full size."""

    faces_per_second: float
    source: str
    """Where the figure comes from, as it continues "as fast as": "the run faces-2"."""


def seconds_for(config: TrainingConfig, pictures: int, faces_per_second: float) -> float:
    """Return the estimated duration of a run, loading included; epochs with smaller pictures are faster."""
    areas = [(config.size_at(epoch) / config.size_px) ** 2 for epoch in range(config.epochs)]
    return START_SECONDS + pictures * sum(areas) / faces_per_second


def known_speed(config: TrainingConfig, runs: Sequence[RunView]) -> Speed | None:
    """Return the speed of the newest run with the same network and size on this machine; None if there is none."""
    for seen in runs:
        other = seen.request
        same = other and all(getattr(other, name) == getattr(config, name) for name in _NETWORK)
        line = seen.metrics[-1] if seen.metrics else None  # the first epochs may train only the last layer
        if same and line and line.faces and line.seconds:
            speed = line.faces / line.seconds * (line.size_px / config.size_px) ** 2
            return Speed(speed, f"the run {seen.name}")
    return None


def measure_speed(config: TrainingConfig, threads: int | None = None) -> Speed:
    """Train on blank pictures for two seconds, in another process, so that pages stay responsive.

    Raises:
        TrainingError: the network cannot be trained here.
    """
    arguments = [config.architecture, config.size_px, config.channels, threads or spare_threads()]
    program = f"from fer.training.estimate import print_speed; print_speed(*{arguments!r})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise TrainingError(f"the speed of {config.architecture} cannot be measured: {done.stderr.strip()[-300:]}")
    return Speed(float(done.stdout), "a short measurement on this machine")


def print_speed(architecture: str, size_px: int, channels: int, threads: int) -> None:
    """Print the training speed in faces per second; run by `measure_speed`."""
    import torch

    from fer.labels import FERPLUS
    from fer.model.device import choose_device
    from fer.training.batches import TrainingBatches
    from fer.training.epoch import train_epoch
    from fer.training.metrics import Hooks
    from fer.training.state import start

    torch.set_num_threads(threads)
    device = choose_device()
    config = TrainingConfig(("none",), architecture=architecture, size_px=size_px, channels=channels, progressive=False)
    pixels = torch.zeros(1, channels, size_px, size_px, dtype=torch.uint8).expand(_PICTURES, -1, -1, -1)
    batches = TrainingBatches(config, pixels, torch.eye(len(FERPLUS))[torch.arange(_PICTURES) % len(FERPLUS)], device)
    state, _ = start(config, FERPLUS, "", device)
    began, faces = 0.0, 0

    def count(epoch: int, done: int, total: int, batch_size: int) -> None:
        nonlocal began, faces
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        if began:
            faces += batch_size
        else:  # the first batch is slow
            began = time.perf_counter()

    hooks = Hooks(on_batch=count, should_stop=lambda: faces > 0 and time.perf_counter() - began > _MEASURE_SECONDS)
    while train_epoch(config, state, batches, hooks, device):
        pass
    print(faces / (time.perf_counter() - began))
