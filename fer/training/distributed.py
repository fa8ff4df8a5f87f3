"""Distributed training with torchrun; a single process is a group of one.

Each process gets a part of every batch; gradients are averaged (DistributedDataParallel), so all processes have the
same weights after each step. Batch normalization uses the statistics of the process's own part, as without
SyncBatchNorm (which gloo lacks); its running statistics are those of the first process. Only the first process
validates, writes and prints.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

PATIENCE = timedelta(hours=1)
"""How long the others wait for the first process, which may read and validate a lot of data."""


@dataclass(frozen=True)
class Processes:
    """This process among those that train together."""

    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process validates, writes and prints."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Return whether any process passes True; all must call this at the same time."""
        return bool(self.sum(torch.tensor(float(flag)))) if self.count > 1 else flag

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        """Return the sum of a tensor over all processes."""
        if self.count > 1:
            dist.all_reduce(value)
        return value

    def from_first(self, value: Any) -> Any:
        """Return the first process's value, any object of plain values and tensors, in all processes."""
        if self.count == 1:
            return value
        box = [value]
        dist.broadcast_object_list(box, src=0)
        return box[0]

    def wrap(self, network: nn.Module) -> nn.Module:
        """Wrap a network so that its gradients are averaged over the processes."""
        return DistributedDataParallel(network) if self.count > 1 else network

    def waiting(self, network: nn.Module) -> AbstractContextManager[None]:
        """Return a context in which gradients accumulate in each process, without averaging."""
        return network.no_sync() if isinstance(network, DistributedDataParallel) else nullcontext()


def local_device(device: str) -> str:
    """Return this process's GPU, if several processes share a machine."""
    return f"cuda:{os.environ['LOCAL_RANK']}" if device.startswith("cuda") and "LOCAL_RANK" in os.environ else device


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the process group, if torchrun started one, and leave it at the end."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes()
        return
    if device.startswith("cuda"):
        torch.cuda.set_device(device)
        dist.init_process_group("cpu:gloo,cuda:nccl", timeout=PATIENCE)
    else:
        dist.init_process_group("gloo", timeout=PATIENCE)
    try:
        yield Processes(dist.get_rank(), dist.get_world_size())
        dist.barrier()  # the first process exports the model now; torchrun ends it if another one fails on leaving
    finally:
        dist.destroy_process_group()
