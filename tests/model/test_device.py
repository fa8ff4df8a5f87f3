"""The choice of a device, and the error for a missing one."""

import pytest
import torch

from fer.errors import FerError
from fer.model.device import choose_device


def test_the_cpu_is_always_available() -> None:
    assert choose_device("cpu") == "cpu"


def test_the_best_one_can_be_used() -> None:
    assert torch.ones(2, device=choose_device()).sum() == 2


@pytest.mark.parametrize("wanted", ["gpu", "cuda:99", ""])
def test_a_missing_device_is_refused(wanted: str) -> None:
    with pytest.raises(FerError, match="cpu"):
        choose_device(wanted)
