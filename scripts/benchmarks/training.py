"""How fast the training loop is, beside the bare steps of the same network."""

from statistics import median
from time import perf_counter
from typing import Any

import torch

from fer.datasets.dataset import FaceDataset, prepare_faces
from fer.model.device import autocast
from fer.training.batches import TrainingBatches
from fer.training.config import TrainingConfig
from fer.training.epoch import loss_sum, train_epoch
from fer.training.metrics import Hooks
from fer.training.state import State, start


def measure_training(config: TrainingConfig, dataset: FaceDataset, device: str, rounds: int = 5) -> dict[str, Any]:
    """Return pictures a second of the whole loop, of the bare steps, and their ratio, by name with units.

    Both take turns, on the same network with the same batches, precision and optimizer. The bare ones see one batch
    that lies in memory as the network takes it; the loop reads, changes, mixes and averages as in any training.

    Args:
        config: what to train; all epochs should see one size (progressive=False).
        dataset: its training pictures are used, as many as make ten steps.
        device: where to compute.
        rounds: how often each is measured; the medians count.
    """
    steps = 10
    rows = dataset.rows("train", "argmax")[: steps * config.batch_size]
    faces = prepare_faces(dataset, rows, config.preprocessing)
    pixels, targets = torch.from_numpy(faces.pixels), torch.from_numpy(dataset.distributions(faces.rows))
    state, _ = start(config, dataset.labels, "", device)
    batches = TrainingBatches(config, pixels, targets, device)
    pictures = batches.count * batches.batch_size
    loop: list[float] = []
    bare: list[float] = []
    for number in range(rounds + 1):
        began = perf_counter()
        train_epoch(config, state, batches, Hooks(), device)
        middle = perf_counter()
        _bare_epoch(config, state, batches, device)
        if number:  # the first warms up
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
