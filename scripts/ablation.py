"""Measure what each ingredient of the training recipe is worth.

    python scripts/ablation.py --dataset data/ferplus
    python scripts/ablation.py --dataset data/ferplus --rows "the recipe" "no mixup" --seeds 0 1
    python scripts/ablation.py --dataset data/ferplus --epochs 28 --size 48     for a graphics card

The recipe's first step again and again, from chance, with one thing changed at a time; measured on the validation
split. A row of the shipped table takes about ten minutes of a CPU core. Each run is kept in runs/ablation, so the same
command goes on where it was interrupted, and adds rows to the table.
"""

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path

from fer.errors import EvaluationError, FerError, TrainingError
from fer.evaluation.ablation import Ablation, Ingredient, read_ablation, write_ablation
from fer.training.ablation import NAMES, SAMPLE, ablate, command_line, ingredients, recipe
from fer.training.runs import Run

TRAINER = Path(__file__).with_name("train.py")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="PATH", help="what is trained and validated on")
    parser.add_argument("--rule", default="majority", choices=("majority", "argmax"), help="(majority)")
    parser.add_argument("--rows", nargs="+", choices=NAMES, default=list(NAMES), help="(all)")
    parser.add_argument("--epochs", type=int, default=6, metavar="N", help="(6)")
    parser.add_argument("--size", type=int, default=32, metavar="PX", help="size of the faces (32)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="N", help="(0)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (all)")
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"), metavar="DIR", help="(runs/ablation)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="the table (ablation.json in the runs' folder)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    options = parse_arguments(arguments)
    try:
        _measure(options)
    except (FerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _measure(options: argparse.Namespace) -> None:
    import torch  # after the options are known to be right: it takes seconds

    from fer.datasets import open_dataset

    if options.threads:
        torch.set_num_threads(options.threads)
    dataset = open_dataset(options.dataset)
    count = len(dataset.rows("validation", options.rule))
    basis = f"{dataset.name}, validation split, rule {options.rule}, n = {count:,}"
    basic = recipe(options.dataset, options.rule, options.epochs, options.size)
    changes = ingredients(options.epochs, options.size)
    chosen = {name: basic | changes[name] for name in options.rows}
    common = " ".join(command_line(basic))
    output = options.output or options.runs / "ablation.json"
    rows = {row.name: row for row in _earlier(output, common)}
    for row in ablate(dataset, options.rule, chosen, options.seeds, partial(_train, options)):
        rows[row.name] = row
        ordered = tuple(rows[name] for name in NAMES if name in rows)
        write_ablation(output, Ablation(basis, common, min(SAMPLE, count), ordered))
        print(f"{row.name}: {row.accuracy:.4f} ({basis}), worse pictures {row.worse_pictures:.4f}", flush=True)


def _earlier(output: Path, recipe: str) -> tuple[Ingredient, ...]:
    """Return the rows that were measured before, of the same recipe."""
    if not output.is_file():
        return ()
    table = read_ablation(output)
    if table.recipe != recipe:
        raise EvaluationError(
            f"expected rows of the recipe {recipe} in {output}, found rows of {table.recipe}. "
            "Give another --output and other --runs, or remove it."
        )
    return table.rows


def _train(options: argparse.Namespace, name: str, given: list[str]) -> Run:
    """Train in a process of its own, or go on."""
    machine = ["--threads", str(options.threads)] if options.threads else []
    command = [sys.executable, TRAINER, *given, *machine, "--runs", options.runs, "--name", name]
    if code := subprocess.run(command).returncode:
        raise TrainingError(f"the training {name} ended with exit code {code}; the same command goes on.")
    return Run(options.runs / name)


if __name__ == "__main__":
    sys.exit(main())
