"""Ablation: measure the contribution of each ingredient of the training recipe.

    python scripts/ablation.py --dataset data/ferplus
    python scripts/ablation.py --dataset data/ferplus --rows "the recipe" "no mixup" --seeds 0 1
    python scripts/ablation.py --dataset data/ferplus --epochs 28 --size 48     for a GPU
    python scripts/ablation.py --dataset data/ferplus --start FILE.npz --teacher runs/a/best.safetensors

Trains the recipe's first step from random initialization, with one change at a time, and evaluates on the validation
split, so that the test split stays unseen. A row of the shipped table takes about ten minutes of a CPU core. Runs are
kept in runs/ablation: the same command resumes an interrupted one, and adds rows to the table.

With --start, the weights of dlib's face recognition, it adds the rows on what improved the built-in model: three
ingredients together, and without each one in turn. They need fer2013.csv beside the FER+ data.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import mean

from fer.cli.command import tells_errors
from fer.datasets import FaceDataset, open_dataset
from fer.errors import EvaluationError, TrainingError
from fer.evaluation.report import Ablation, Ingredient, read_table
from fer.records import write_record

TRAINER = Path(__file__).with_name("train.py")
ABOUT = (
    "**The former model's recipe**: its first step, shortened and with torchvision's stem to be affordable, with one "
    "change at a time, always from random initialization."
)
ABOUT_TOGETHER = (
    "**Three ingredients of the current model** together, and without each one in turn, in short runs on {pictures:,} "
    "training pictures over {epochs} epochs, which only show large differences; the second head is there for its own "
    "reading."
)
"""Descriptions of the rows for the model card."""

Options = dict[str, str]
"""Options of scripts/train.py; "" is the value of a flag."""
Train = Callable[[str, list[str]], Path]
"""Trains with (name of the run, options of scripts/train.py) unless that is done, and returns the model."""


def recipe(dataset: str, rule: str, epochs: int, size_px: int) -> Options:
    """Return the options of the recipe's first step, with a stem that makes it four times as fast."""
    return {
        "--dataset": dataset,
        "--rule": rule,
        "--epochs": str(epochs),
        "--size": str(size_px),
        "--no-progressive": "",
        "--augmentation": "plain",
        "--stem": "original",
    }


def ingredients(epochs: int, size_px: int, start: str = "", teacher: str = "shipped") -> dict[str, Options]:
    """Return name of each row → changes to the recipe with this number of epochs and pixels.

    dlib's network gets three times as many pixels; the weights file is for the rows of `TOGETHER`.
    """
    network = {"--architecture": "face_recognition_resnet", "--size": str(3 * size_px), "--optimizer": "adamw"}
    taught = {"--learning-rate": "8e-4", "--teacher": teacher, "--teacher-share": "0.8"}
    begun, two = {"--init": f"face-recognition:{start}"}, {"--second-head": "fer2013"}
    each_step = {"--teacher-view": "augmented"}
    return {
        "the recipe": {},
        "twice as long": {"--epochs": str(2 * epochs)},
        "faces half again as large": {"--size": str(size_px * 3 // 2)},
        "a stem for small pictures": {"--stem": "small"},
        "top label instead of the votes": {"--targets": "label"},
        "the shipped model as a teacher": {"--teacher": "shipped", "--teacher-share": "0.4"},
        "no augmentation": {"--augmentation": "none"},
        "bad cameras in it": {"--augmentation": "camera"},
        "no mixup": {"--mixup": "0"},
        "cutmix instead of mixup": {"--mixup": "0", "--cutmix": "1"},
        "label smoothing 0.1": {"--label-smoothing": "0.1"},
        "no dropout": {"--dropout": "0"},
        "no moving average": {"--ema-decay": "0"},
        "rarer expressions more often": {"--class-balance": "0.25"},
        "AdamW": {"--optimizer": "adamw"},
        "face-recognition start, second head, teacher in each step": network | taught | begun | two | each_step,
        "of the three, without the start": network | taught | two | each_step,
        "of the three, without the second head": network | taught | begun | each_step,
        "of the three, teacher asked once": network | taught | begun | two,
    }


NAMES = tuple(ingredients(1, 1))
"""The names of all rows, in order."""
TOGETHER = NAMES[-4:]
"""The rows that need dlib's weights."""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", required=True, metavar="PATH", help="data set to train and validate on")
    parser.add_argument("--rule", default="majority", choices=("majority", "argmax"), help="(majority)")
    parser.add_argument("--rows", nargs="+", choices=NAMES, help="(all; the last four with --start)")
    parser.add_argument("--start", default="", metavar="FILE", help="weights of dlib's face recognition, see train.py")
    parser.add_argument("--teacher", default="shipped", metavar="FILE", help="teacher in the last rows (shipped)")
    parser.add_argument("--epochs", type=int, default=6, metavar="N", help="(6)")
    parser.add_argument("--size", type=int, default=32, metavar="PX", help="size of the faces (32)")
    parser.add_argument(
        "--sample", type=int, default=500, metavar="N", help="number of validation pictures to degrade (500)"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], metavar="N", help="(0)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (all)")
    parser.add_argument("--runs", type=Path, default=Path("runs/ablation"), metavar="DIR", help="(runs/ablation)")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="the table (ablation.json in the folder of the runs)"
    )
    return parser.parse_args(arguments)


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    options = parse_arguments(arguments)
    machine = ["--threads", str(options.threads)] if options.threads else []

    def train(name: str, given: list[str]) -> Path:
        command = [sys.executable, TRAINER, *given, *machine, "--runs", options.runs, "--name", name]
        if code := subprocess.run(command).returncode:
            raise TrainingError(f"the training {name} ended with exit code {code}. Run the same command to resume.")
        return Path(options.runs, name, "best.safetensors")

    _measure_rows(options, train)
    return 0


def _measure_rows(options: argparse.Namespace, train: Train) -> None:
    import torch  # takes seconds, so after validating the options

    if options.threads:
        torch.set_num_threads(options.threads)
    dataset = open_dataset(options.dataset)
    count = len(dataset.rows("validation", options.rule))
    basis = f"{dataset.name}, validation split, rule {options.rule}, n = {count:,}"
    basic = recipe(options.dataset, options.rule, options.epochs, options.size)
    changes = ingredients(options.epochs, options.size, options.start, options.teacher)
    common = " ".join(command_line(basic))
    about = ABOUT_TOGETHER if options.rows and set(options.rows) <= set(TOGETHER) else ABOUT
    about = about.format(pictures=len(dataset.rows("train")), epochs=options.epochs)
    output = options.output or options.runs / "ablation.json"
    rows = {row.name: row for row in _earlier(output, common)}
    for name in options.rows or (NAMES if options.start else [name for name in NAMES if name not in TOGETHER]):
        row = rows[name] = measure_row(
            name, basic | changes[name], options.seeds, train, dataset, options.rule, options.sample
        )
        ordered = tuple(rows[name] for name in NAMES if name in rows)
        write_record(output, Ablation(basis, common, min(options.sample, count), ordered, about))
        print(f"{name}: {row.accuracy:.4f} ({basis}), degraded pictures {row.worse_pictures:.4f}", flush=True)


def _earlier(output: Path, recipe: str) -> tuple[Ingredient, ...]:
    """Return the rows already measured with the same recipe."""
    if not output.is_file():
        return ()
    table = read_table(output, Ablation)
    if table.recipe != recipe:
        raise EvaluationError(
            f"expected rows of the recipe {recipe} in {output}, found rows of {table.recipe}. "
            "Choose another --output and --runs, or delete it."
        )
    return table.rows


def command_line(options: Options) -> list[str]:
    """Return the options as command-line arguments."""
    return [part for option in options.items() for part in option if part]


def measure_row(
    name: str, options: Options, seeds: list[int], train: Train, dataset: FaceDataset, rule: str, sample: int
) -> Ingredient:
    """Train with each seed, and evaluate on the validation pictures that count."""
    given = command_line(options)
    plain = "-".join(re.findall(r"\w+", name.lower()))  # valid as a folder name
    models = [train(f"{plain}-{seed}", [*given, "--seed", str(seed)]) for seed in seeds]
    accuracy, macro_f1, worse = map(
        mean, zip(*(_measure(model, dataset, rule, sample) for model in models), strict=True)
    )
    command = " ".join(["python scripts/train.py", *given, "--seed", str(seeds[0])])
    return Ingredient(name, command, tuple(seeds), accuracy, macro_f1, worse)


def _measure(model: Path, dataset: FaceDataset, rule: str, sample: int) -> tuple[float, float, float]:
    """Return (accuracy, macro F1, accuracy on degraded pictures) on validation pictures, each 0..1."""
    from fer.evaluation.metrics import measure
    from fer.evaluation.predict import predict
    from fer.evaluation.robustness import robustness
    from fer.model.classifier import Classifier
    from fer.model.prior import RATERS

    classifier = Classifier.load(model).for_faces(RATERS)  # a prior correction is not part of the ingredient
    found = predict(classifier, dataset, "validation", rule).predictions
    metrics = measure(found.probabilities, found.truth)
    worse = robustness(
        dataset, found.rows, found.truth, classifier.info.preprocessing, classifier.probabilities, sample
    )
    return metrics.accuracy, metrics.macro_f1, mean(one.accuracy.value for one in worse.disturbed)


if __name__ == "__main__":
    sys.exit(main())
