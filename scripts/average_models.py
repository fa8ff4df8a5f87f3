"""Average the weights of models fine-tuned from the same one, which combines what each has learned.

    python scripts/average_models.py runs/a/best.safetensors shipped --shares 0.6 0.4 --output average.safetensors

The average of a fine-tuned model and its initial one is often better than either on what both are for (Wortsman et al.
2022, arXiv:2109.01903, and 2203.05482 for several). Everything except the weights is taken from the first model. Run
choose_readings.py next: the first model's figures and calibration do not apply to the average.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from fer.cli.command import tells_errors
from fer.errors import FerError
from fer.files import file_sha256
from fer.model import model_file
from fer.model.checkpoint import load_checkpoint, save_checkpoint

KEPT = ("dataset", "dataset_sha256", "rule", "versions")
"""The fields of the first model's training record that also hold for the average."""


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Average and write; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=model_file, metavar="FILE", help="model files, or shipped")
    parser.add_argument("--shares", nargs="+", type=float, metavar="SHARE", help="weight of each model (equal)")
    parser.add_argument("--recipe", default="", metavar="TEXT", help="how it was made, for the model card")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE")
    options = parser.parse_args(arguments)
    shares = options.shares or [1.0] * len(options.models)
    if len(shares) != len(options.models) or not sum(shares) > 0:
        parser.error(f"expected a share for each of {len(options.models)} models, got {shares}")
    _average(options, [share / sum(shares) for share in shares])
    return 0


def _average(options: argparse.Namespace, shares: list[float]) -> None:
    info, network = load_checkpoint(options.models[0])
    states = [network.state_dict()]
    for file in options.models[1:]:
        other, network = load_checkpoint(file)
        if (other.architecture, other.stem, other.outputs) != (info.architecture, info.stem, info.outputs):
            raise FerError(f"expected models of the same architecture and labels, found others in {file}.")
        states.append(network.state_dict())
    average = {
        name: sum(share * state[name] for share, state in zip(shares, states, strict=True))
        if value.is_floating_point()
        else value
        for name, value in states[0].items()
    }
    made_of = [
        {"sha256": file_sha256(file), "share": share} for file, share in zip(options.models, shares, strict=True)
    ]
    known = {name: info.training[name] for name in KEPT if name in info.training}
    info = replace(info, training=known | {"recipe": options.recipe, "averaged": made_of})
    save_checkpoint(options.output, info, average)


if __name__ == "__main__":
    sys.exit(main())
