"""The two losses, and the accuracy on mixed pictures."""

import pytest
import torch

from fer.training.epoch import loss_sum, right_count

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 0.5]])
TARGETS = torch.tensor([[0.7, 0.3, 0.0], [0.0, 0.5, 0.5]])


def test_the_loss_of_a_distribution_is_its_cross_entropy() -> None:
    expected = -(TARGETS * LOGITS.log_softmax(dim=1)).sum()
    assert loss_sum(LOGITS, TARGETS, multilabel=False).item() == pytest.approx(expected.item())


def test_multilabel_losses_are_independent() -> None:
    chance = LOGITS.sigmoid()
    expected = -(TARGETS * chance.log() + (1 - TARGETS) * (1 - chance).log()).sum()
    assert loss_sum(LOGITS, TARGETS, multilabel=True).item() == pytest.approx(expected.item(), rel=1e-5)


def test_half_precision_is_summed_in_full() -> None:
    assert loss_sum(LOGITS.bfloat16(), TARGETS, multilabel=False).dtype == torch.float32


def test_each_label_of_a_mixed_picture_counts_by_its_share() -> None:
    credits = torch.tensor([[0.7, 0.3, 0.0], [1.0, 0.0, 0.0]])
    assert right_count(LOGITS, credits).item() == pytest.approx(0.7)  # predicts 0 for the first, 1 for the second


def test_the_second_head_is_weighted_and_ignores_unlabeled_pictures() -> None:
    logits = torch.cat([LOGITS, LOGITS[:, :2]], dim=1).requires_grad_()
    targets = torch.cat([TARGETS, torch.tensor([[0.0, 0.0], [0.1, 0.9]])], dim=1)
    loss = loss_sum(logits, targets, False, (3, 2), 0.5)
    second = -(targets[1, 3:] * logits[1, 3:].log_softmax(dim=0)).sum()
    assert loss.item() == pytest.approx(loss_sum(LOGITS, TARGETS, False).item() + 0.5 * second.item(), rel=1e-5)
    loss.backward()
    assert logits.grad is not None and logits.grad[0, 3:].tolist() == [0, 0]


def test_accuracy_is_that_of_the_first_head() -> None:
    logits = torch.cat([LOGITS, torch.full((2, 2), 9.0)], dim=1)
    assert right_count(logits, torch.tensor([[1.0, 0, 0], [0, 1.0, 0]])).item() == 2
