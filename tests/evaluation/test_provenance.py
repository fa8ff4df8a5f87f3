"""Where figures come from."""

import pytest
import torch

from fer.evaluation.provenance import command_line, versions


def test_a_command_can_be_typed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    command = command_line(["fer-studio", "evaluate", "--dataset", "my faces/ferplus"])
    assert command == "fer-studio evaluate --dataset 'my faces/ferplus'"
    monkeypatch.setattr("sys.argv", ["scripts/evaluate.py", "--dataset", "synthetic"])
    assert command_line() == "python scripts/evaluate.py --dataset synthetic"


def test_versions_are_those_that_run() -> None:
    found = versions()
    assert {"python", "torch", "torchvision", "scikit-learn", "fer-studio"} <= found.keys()
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0]
