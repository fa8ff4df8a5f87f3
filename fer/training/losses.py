"""What training makes small, and the accuracy that is shown beside it."""

import torch
import torch.nn.functional as F


def loss_sum(logits: torch.Tensor, targets: torch.Tensor, multilabel: bool) -> torch.Tensor:
    """Return the loss summed over pictures.

    Args:
        logits: float (n, K).
        targets: float (n, K), the shares of the raters' votes, rows summing to 1.
        multilabel: whether each label is learned on its own: binary cross entropy, summed over the labels. Else the
            cross entropy of the distribution (Barsoum et al. 2016, arXiv:1608.01041).
    """
    if multilabel:
        return F.binary_cross_entropy_with_logits(logits.float(), targets, reduction="sum")
    return F.cross_entropy(logits.float(), targets, reduction="sum")


def right_count(logits: torch.Tensor, credits: torch.Tensor) -> torch.Tensor:
    """Return how many pictures the network names right while it learns, a float.

    Args:
        logits: float (n, K).
        credits: float (n, K): what naming each label is worth. 1 for a picture's top label; where two pictures are
            mixed, each one's top label is worth its share, so that even a perfect network stays under 100 %.
    """
    return credits.gather(1, logits.argmax(dim=1, keepdim=True)).sum()
