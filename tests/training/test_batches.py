"""Batches: the same for the same seed, divided among processes, balanced and mixed as configured."""

from dataclasses import replace

import pytest
import torch

from fer.training.batches import Batch, TrainingBatches
from fer.training.config import TrainingConfig
from fer.training.distributed import Processes

CONFIG = TrainingConfig("x", size_px=24, batch_size=16, progressive=False, mixup=0)
PIXELS = torch.randint(0, 256, (80, 1, 24, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
TARGETS = torch.eye(4)[torch.arange(80) % 4]


def batches_of(config: TrainingConfig, epoch: int = 0, targets: torch.Tensor = TARGETS) -> list[Batch]:
    return list(TrainingBatches(config, PIXELS, targets, "cpu").epoch(epoch))


def test_an_epoch_sees_every_picture_once_in_another_order_each_time() -> None:
    marked = torch.eye(80)
    first, second = (torch.cat([batch.targets for batch in batches_of(CONFIG, epoch, marked)]) for epoch in (0, 1))
    assert first.sum(dim=0).tolist() == [1] * 80
    assert not torch.equal(first, second)


def test_the_same_seed_and_epoch_give_the_same_batches() -> None:
    config = replace(CONFIG, mixup=0.4, cutmix=1.0)
    for one, other in zip(batches_of(config, 3), batches_of(config, 3), strict=True):
        assert torch.equal(one.faces, other.faces) and torch.equal(one.targets, other.targets)
    assert not torch.equal(batches_of(config, 3)[0].faces, batches_of(replace(config, seed=1), 3)[0].faces)


def test_processes_share_a_batch_without_overlap() -> None:
    marked = torch.eye(80)
    shares = [list(TrainingBatches(CONFIG, PIXELS, marked, "cpu", Processes(rank, 2)).epoch(0)) for rank in (0, 1)]
    alone = batches_of(CONFIG, 0, marked)
    for one, other, whole in zip(*shares, alone, strict=True):
        assert len(one.faces) + len(other.faces) == len(whole.faces)
        assert torch.equal(one.targets.sum(dim=0) + other.targets.sum(dim=0), whole.targets.sum(dim=0))


@pytest.mark.parametrize(("balance", "least", "most"), [(0.0, 0.05, 0.15), (0.5, 0.18, 0.35), (1.0, 0.35, 0.65)])
def test_balance_shows_rare_expressions_more_often(balance: float, least: float, most: float) -> None:
    rare = torch.eye(2)[(torch.arange(80) % 10 == 0).long()]  # one of ten
    config = replace(CONFIG, class_balance=balance)
    seen = torch.cat([batch.targets for epoch in range(8) for batch in batches_of(config, epoch, rare)])
    assert least < seen[:, 1].mean() < most


def test_mixed_targets_sum_to_one_and_credits_follow_the_top_labels() -> None:
    soft = torch.tensor([[0.6, 0.4, 0.0, 0.0]]).repeat(80, 1)
    for config in (replace(CONFIG, mixup=0.5), replace(CONFIG, cutmix=1.0), replace(CONFIG, mixup=0.5, cutmix=1.0)):
        for batch in batches_of(config, 0, soft):
            assert torch.allclose(batch.targets.sum(dim=1), torch.ones(len(batch.targets)))
            assert torch.allclose(batch.credits[:, 0], torch.ones(len(batch.targets)))  # all have the same top label
            assert batch.faces.shape[1:] == (1, 24, 24)


def test_with_mixup_and_cutmix_each_batch_uses_one() -> None:
    """A blend of black and white is gray; a pasted rectangle leaves black and white."""
    pixels = torch.zeros(800, 1, 24, 24, dtype=torch.uint8)
    pixels[::2] = 255
    config = replace(CONFIG, mixup=1.0, cutmix=1.0)
    made = TrainingBatches(config, pixels, torch.eye(2)[torch.arange(800) % 2], "cpu")
    flat = [
        batch.faces.flatten(1).std(dim=1).median().item() < 0.2 for epoch in range(2) for batch in made.epoch(epoch)
    ]
    assert 0.2 < sum(flat) / len(flat) < 0.8


def test_smoothing_spreads_a_share_evenly() -> None:
    for batch in batches_of(replace(CONFIG, label_smoothing=0.2)):
        assert batch.targets.max(dim=1).values.tolist() == pytest.approx([0.85] * len(batch.targets))
        assert batch.targets.min(dim=1).values.tolist() == pytest.approx([0.05] * len(batch.targets))


# Two heads and teachers


BOTH = torch.cat([TARGETS, torch.eye(3)[torch.arange(80) % 3] * (torch.arange(80) % 2).view(-1, 1)], dim=1)
"""Four labels, and three of a second head that has a label for every second picture."""


def test_a_second_head_leaves_the_first_one_unchanged() -> None:
    config = replace(CONFIG, mixup=0.3, label_smoothing=0.1, class_balance=0.5)
    batches = TrainingBatches(config, PIXELS, BOTH, "cpu", second=3)
    assert batches.heads == (4, 3)
    assert batches.priors[0] == TrainingBatches(config, PIXELS, TARGETS, "cpu").priors[0]
    assert sum(batches.priors[1]) == pytest.approx(1)
    for two, one in zip(batches.epoch(0), batches_of(config), strict=True):
        assert torch.equal(two.faces, one.faces) and torch.equal(two.credits, one.credits)
        assert torch.equal(two.targets[:, :4], one.targets)
        assert (two.targets[:, 4:].sum(dim=1) < 1 + 1e-5).all()


class Marking:
    """A teacher that writes the mean brightness of its input into the targets, and remembers its size."""

    def __init__(self) -> None:
        self.sizes: set[int] = set()

    def taught(self, targets: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
        self.sizes.add(faces.shape[-1])
        return faces.mean(dim=(1, 2, 3)).view(-1, 1).expand_as(targets)


@pytest.mark.parametrize("progressive", [False, True])
def test_teachers_see_the_augmented_and_mixed_picture(progressive: bool) -> None:
    """The small pictures of the first epochs are the teacher's, shrunk."""
    config = replace(CONFIG, mixup=0.5, cutmix=1.0, progressive=progressive, epochs=6)
    teacher = Marking()
    made = TrainingBatches(config, PIXELS, BOTH, "cpu", second=3, teachers=teacher)  # type: ignore[arg-type]
    for batch in made.epoch(0):
        seen = (batch.faces * config.preprocessing.std + config.preprocessing.mean) * 255
        assert seen.shape[-1] == (16 if progressive else 24)
        assert torch.allclose(seen.mean(dim=(1, 2, 3)), batch.targets[:, 0], atol=2.0 if progressive else 1e-2)
    assert teacher.sizes == {24}
