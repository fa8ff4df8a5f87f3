"""Where figures come from."""

import torch

from fer.evaluation.provenance import command_line, versions


def test_a_command_can_be_typed_again() -> None:
    command = command_line(["scripts/evaluate.py", "--dataset", "my faces/ferplus"])
    assert command == "python scripts/evaluate.py --dataset 'my faces/ferplus'"


def test_versions_are_those_that_run() -> None:
    found = versions()
    assert {"python", "torch", "torchvision", "scikit-learn", "fer-studio"} <= found.keys()
    assert found["torch"].split("+")[0] == torch.__version__.split("+")[0]
