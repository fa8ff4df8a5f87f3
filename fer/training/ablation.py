"""What each ingredient of the recipe is worth: the same training with one thing changed at a time.

Each row is one command of scripts/train.py, measured on validation pictures only, so that the test split stays unseen.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import mean

from fer.datasets.dataset import FaceDataset
from fer.evaluation.ablation import Ingredient
from fer.evaluation.metrics import measure
from fer.evaluation.predict import predict
from fer.evaluation.robustness import robustness
from fer.model.classifier import Classifier
from fer.training.runs import Run

Options = dict[str, str]
"""Of scripts/train.py, by name; "" is the value of a flag."""

SAMPLE = 500
"""So many validation pictures are made worse, in all ways of `fer.evaluation.disturbances`."""


def recipe(dataset: str, rule: str, epochs: int, size_px: int) -> Options:
    """Return what is changed: the recipe's first step, with a stem that makes it four times as fast."""
    return {
        "--dataset": dataset,
        "--rule": rule,
        "--epochs": str(epochs),
        "--size": str(size_px),
        "--no-progressive": "",
        "--augmentation": "plain",
        "--stem": "original",
    }


def ingredients(epochs: int, size_px: int) -> dict[str, Options]:
    """Return the name of each row → what is changed in the recipe for so many epochs and faces of that size."""
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
    }


NAMES = tuple(ingredients(1, 1))
"""Of all rows, in their order."""


def command_line(options: Options) -> list[str]:
    """Return the options as arguments."""
    return [part for option in options.items() for part in option if part]


def ablate(
    dataset: FaceDataset,
    rule: str,
    rows: Mapping[str, Options],
    seeds: Sequence[int],
    train: Callable[[str, list[str]], Run],
) -> Iterator[Ingredient]:
    """Train what is not trained yet, and yield each row when it is measured.

    Args:
        dataset: what is trained on.
        rule: which validation pictures count.
        rows: the name of each → all options of its training but the seed.
        seeds: each row is trained with each of them.
        train: trains with (the run's name, options) and returns the run; a finished one is left as it is.
    """
    for name, options in rows.items():
        given = command_line(options)
        runs = [train(f"{_plain(name)}-{seed}", [*given, "--seed", str(seed)]) for seed in seeds]
        accuracy, macro_f1, worse = (
            mean(column) for column in zip(*(_measure(run, dataset, rule) for run in runs), strict=True)
        )
        command = " ".join(["python scripts/train.py", *given, "--seed", str(seeds[0])])
        yield Ingredient(name, command, tuple(seeds), accuracy, macro_f1, worse)


def _plain(name: str) -> str:
    """Return a name that a folder can have."""
    return "-".join(re.findall(r"\w+", name.lower()))


def _measure(run: Run, dataset: FaceDataset, rule: str) -> tuple[float, float, float]:
    """Return (accuracy, macro F1, accuracy on worse pictures) of the run's model on validation pictures, each 0..1."""
    classifier = Classifier.load(run.best_path).corrected(0.0)  # some are corrected for the prior: not the ingredient
    found = predict(classifier, dataset, "validation", rule).predictions
    metrics = measure(found.probabilities, found.truth)
    worse = robustness(dataset, found.rows, found.truth, classifier.info.preprocessing, classifier.logits, SAMPLE)
    return metrics.accuracy, metrics.macro_f1, mean(one.accuracy.value for one in worse.disturbed)
