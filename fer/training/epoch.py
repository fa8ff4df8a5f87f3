"""One training epoch: forward, backward, step."""

import contextlib
import math

import torch
import torch.nn.functional as F
from torch import nn

from fer.errors import TrainingError
from fer.model.device import autocast
from fer.model.network import last_layer
from fer.training.batches import Batch, TrainingBatches
from fer.training.config import TrainingConfig
from fer.training.metrics import MOST_PARTS, PARTS, Hooks, Learned, Part
from fer.training.optimizer import set_learning_rate
from fer.training.state import State


def train_epoch(
    config: TrainingConfig,
    state: State,
    batches: TrainingBatches,
    hooks: Hooks,
    device: str,
) -> Learned | None:
    """Train for one epoch; return None if asked to stop before its end."""
    processes = batches.processes
    torch.manual_seed(config.seed * 100_003 + state.epoch + 7_919 * processes.rank)  # for dropout
    _set_learning(state.network, frozen=state.epoch < config.freeze_epochs)
    network = processes.wrap(state.network)
    totals, part = torch.zeros(2, device=device), torch.zeros(2, device=device)  # loss, right
    every = math.ceil(batches.count / max(min(PARTS, MOST_PARTS // config.epochs), 1))
    rate, faces = 0.0, 0
    for number, batch in enumerate(batches.epoch(state.epoch)):
        rate = config.rate_at(state.epoch + number / batches.count, batches.batch_size)
        set_learning_rate(state.optimizer, rate)
        part += _step(config, state, network, batch, batches, device)
        faces += len(batch.faces)
        if (number + 1) % every == 0 or number + 1 == batches.count:
            hooks.on_part(Part(state.epoch + (number + 1) / batches.count, float(part[0]) / faces, rate))
            totals += part
            part, faces = torch.zeros_like(part), 0
        hooks.on_batch(state.epoch, number + 1, batches.count, batches.batch_size)
        if processes.any(hooks.should_stop()):
            return None
    loss, accuracy = (processes.sum(totals) / (batches.count * batches.batch_size)).tolist()
    if not math.isfinite(loss):
        raise TrainingError(
            f"the loss is no longer finite in epoch {state.epoch + 1}. The model of the best epoch so far is kept; "
            f"try again with a learning rate below {config.peak_learning_rate}."
        )
    return Learned(
        train_loss=loss, train_accuracy=accuracy, learning_rate=rate, faces=batches.count * batches.batch_size
    )


def _set_learning(network: nn.Module, frozen: bool) -> None:
    """Train all layers, or only the last one; then normalization keeps its statistics, and dropout is off."""
    network.train(not frozen)
    network.requires_grad_(not frozen)
    if frozen:
        last_layer(network).module.requires_grad_(True)


def _step(
    config: TrainingConfig,
    state: State,
    network: nn.Module,
    batch: Batch,
    batches: TrainingBatches,
    device: str,
) -> torch.Tensor:
    """Train on this process's part of a batch. Return (sum of losses, number of correct predictions), float32 (2,)."""
    totals, processes = torch.zeros(2, device=device), batches.processes
    state.optimizer.zero_grad(set_to_none=True)
    parts = zip(
        *(tensor.tensor_split(config.accumulate) for tensor in (batch.faces, batch.targets, batch.credits)), strict=True
    )
    for number, (faces, targets, credits) in enumerate(parts, start=1):
        with processes.waiting(network) if number < config.accumulate else contextlib.nullcontext():
            with autocast(device):
                logits = network(faces)
            loss = loss_sum(logits, targets, config.multilabel, batches.heads, config.second_weight)
            # Processes average their gradients; scaled like this, each picture of the whole batch counts the same.
            state.scaler.scale(loss * (processes.count / batches.batch_size)).backward()
        totals += torch.stack((loss.detach(), right_count(logits.detach(), credits)))
    if config.clip_norm:
        state.scaler.unscale_(state.optimizer)
        nn.utils.clip_grad_norm_(state.network.parameters(), config.clip_norm)
    state.scaler.step(state.optimizer)
    state.scaler.update()
    state.step += 1
    state.update_average(config.ema_decay)
    return totals


def loss_sum(
    logits: torch.Tensor,
    targets: torch.Tensor,
    multilabel: bool,
    heads: tuple[int, ...] = (),
    second_weight: float = 0.0,
) -> torch.Tensor:
    """Return the loss summed over the pictures.

    Args:
        logits: float (n, K of all heads).
        targets: float (n, K of all heads), shares of the raters' votes, each head's part summing to 1, or to 0 where
            nothing is known.
        multilabel: whether labels are independent: binary cross entropy, summed over the labels. Otherwise cross
            entropy with the distribution of votes (Barsoum et al. 2016, arXiv:1608.01041).
        heads: K of each of two heads; empty for one.
        second_weight: weight of the second head's loss.
    """
    if len(heads) > 1:
        (first, second), (wanted, other) = logits.float().split(heads, dim=1), targets.split(heads, dim=1)
        return loss_sum(first, wanted, False) + second_weight * loss_sum(second, other, False)
    if multilabel:
        return F.binary_cross_entropy_with_logits(logits.float(), targets, reduction="sum")
    return F.cross_entropy(logits.float(), targets, reduction="sum")


def right_count(logits: torch.Tensor, credits: torch.Tensor) -> torch.Tensor:
    """Return the number of pictures predicted correctly during training, as a float tensor.

    Args:
        logits: float (n, K of all heads).
        credits: float (n, K of the first head): the credit for each predicted label. 1 for a picture's top label; in a
            mix, each picture's top label is worth its share, so even a perfect network stays below 100 %.
    """
    return credits.gather(1, logits[:, : credits.shape[1]].argmax(dim=1, keepdim=True)).sum()
