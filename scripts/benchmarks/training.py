"""The speed of the training loop, compared with the bare steps of the same network."""

from statistics import median
from time import perf_counter
from typing import Any

import torch

from fer.datasets import open_dataset
from fer.datasets.dataset import prepare_faces
from fer.model.device import autocast, choose_device
from fer.training.batches import TrainingBatches
from fer.training.config import TrainingConfig
from fer.training.epoch import loss_sum, train_epoch
from fer.training.metrics import Hooks
from fer.training.state import State, start

STEPS = 10


def measure(
    threads: int = 0, repeat: int = 5, dataset: str = "synthetic", architecture: str = "resnet18", size: int = 48
) -> dict[str, Any]:
    """The training loop, compared with bare forward, backward and optimizer steps, alternately.

    Same network, batches, precision and optimizer; pictures per second, medians. The bare steps reuse one preprocessed
    batch in memory; the loop reads, augments, mixes and averages as in any training.
    """
    torch.set_num_threads(threads or torch.get_num_threads())
    device = choose_device()
    config = TrainingConfig((dataset,), architecture=architecture, size_px=size, progressive=False)
    data = open_dataset(dataset)
    rows = data.rows("train", "argmax")[: STEPS * config.batch_size]
    faces = prepare_faces(data, rows, config.preprocessing)
    pixels, targets = torch.from_numpy(faces.pixels), torch.from_numpy(data.distributions(faces.rows))
    state, _ = start(config, data.labels, "", device)
    batches = TrainingBatches(config, pixels, targets, device)
    pictures = batches.count * batches.batch_size
    loop: list[float] = []
    bare: list[float] = []
    for number in range(repeat + 1):
        began = perf_counter()
        train_epoch(config, state, batches, Hooks(), device)
        middle = perf_counter()
        _bare_epoch(config, state, batches, device)
        if number:  # the first one is warm-up
            loop.append(pictures / (middle - began))
            bare.append(pictures / (perf_counter() - middle))
    return {
        "training loop (pictures/s)": median(loop),
        "bare forward, backward, step (pictures/s)": median(bare),
        "loop / bare (%)": 100 * median(a / b for a, b in zip(loop, bare, strict=True)),
    }


def _bare_epoch(config: TrainingConfig, state: State, batches: TrainingBatches, device: str) -> None:
    """Take as many steps as an epoch has, on one batch."""
    batch = next(batches.epoch(0))
    for _ in range(batches.count):
        state.optimizer.zero_grad(set_to_none=True)
        with autocast(device):
            logits = state.network(batch.faces)
        state.scaler.scale(loss_sum(logits, batch.targets, config.multilabel) / len(batch.faces)).backward()
        state.scaler.step(state.optimizer)
        state.scaler.update()
    if device.startswith("cuda"):
        torch.cuda.synchronize()
