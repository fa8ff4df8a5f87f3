"""What each ingredient of the recipe is worth: the same training with one thing changed at a time.

Each row is one command of scripts/train.py, measured on validation pictures only, so that the test split stays unseen.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from statistics import mean

from fer.datasets.dataset import FaceDataset
from fer.evaluation.ablation import Ingredient
from fer.evaluation.metrics import measure
from fer.evaluation.predict import predict
from fer.evaluation.robustness import robustness
from fer.model.classifier import Classifier
from fer.training.runs import Run

INGREDIENTS: dict[str, tuple[str, ...]] = {
    "the recipe": (),
    "top label instead of the votes": ("--targets", "label"),
    "no augmentation": ("--augmentation", "none"),
    "no bad cameras in it": ("--augmentation", "plain"),
    "no mixup": ("--mixup", "0"),
    "cutmix instead of mixup": ("--mixup", "0", "--cutmix", "1"),
    "no moving average": ("--ema-decay", "0"),
    "no dropout": ("--dropout", "0"),
    "label smoothing 0.1": ("--label-smoothing", "0.1"),
    "rarer expressions more often": ("--class-balance", "0.25"),
    "torchvision's 7×7 stem": ("--stem", "original"),
    "AdamW": ("--optimizer", "adamw"),
    "begun with the shipped model": ("--init", "shipped"),
    "the shipped model as a teacher": ("--teacher", "shipped", "--teacher-share", "0.4"),
}
"""Name → what is added to the recipe's options."""

SAMPLE = 500
"""So many validation pictures are made worse, in all ways of `fer.evaluation.disturbances`."""


def ablate(
    dataset: FaceDataset,
    rule: str,
    options: Sequence[str],
    seeds: Sequence[int],
    names: Sequence[str],
    train: Callable[[str, list[str]], Run],
) -> Iterator[Ingredient]:
    """Train what is not trained yet, and yield each row when it is measured.

    Args:
        dataset: what is trained on.
        rule: which validation pictures count.
        options: the recipe, as options of scripts/train.py.
        seeds: each row is trained with each of them.
        names: the rows, of `INGREDIENTS`.
        train: trains with (the run's name, options) and returns the run; a finished one is left as it is.
    """
    for name in names:
        given = [*options, *INGREDIENTS[name]]
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
    metrics = measure(found.probabilities, found.truth, found.labels)
    worse = robustness(dataset, found.rows, found.truth, classifier.info.preprocessing, classifier.logits, SAMPLE)
    return metrics.accuracy, metrics.macro_f1, mean(one.accuracy.value for one in worse.disturbed)
