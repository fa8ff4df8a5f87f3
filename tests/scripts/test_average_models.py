"""Weights are averaged, and models that do not fit are refused."""

from pathlib import Path

import pytest
import torch

from fer.files import file_sha256
from fer.model.checkpoint import load_checkpoint, save_checkpoint
from scripts import average_models


@pytest.mark.slow
def test_weights_are_averaged_by_their_shares(tmp_path: Path, tiny_checkpoint: Path) -> None:
    info, network = load_checkpoint(tiny_checkpoint)
    other, output = tmp_path / "other.safetensors", tmp_path / "average.safetensors"
    first = network.state_dict()
    moved = {name: value + 1 if value.is_floating_point() else value for name, value in first.items()}
    save_checkpoint(other, info, moved)
    options = [str(tiny_checkpoint), str(other), "--shares", "3", "1", "--recipe", "both", "--output", str(output)]
    assert average_models.main(options) == 0
    found, average = load_checkpoint(output)
    assert found.labels == info.labels
    assert found.training["recipe"] == "both"
    assert found.training["averaged"][1] == {"sha256": file_sha256(other), "share": 0.25}
    for name, value in average.state_dict().items():
        expected = first[name] + 0.25 if value.is_floating_point() else first[name]
        torch.testing.assert_close(value, expected, atol=2e-3, rtol=2e-3)


def test_models_that_do_not_fit_are_refused(
    tmp_path: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "average.safetensors"
    assert average_models.main([str(tiny_checkpoint), "shipped", "--output", str(output)]) == 1
    assert "ferplus-resnet18.safetensors" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        average_models.main([str(tiny_checkpoint), "--shares", "1", "2", "--output", str(output)])
    assert not output.exists()
