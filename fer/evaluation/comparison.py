"""Compare two models on the same pictures: which is better, and whether that could be chance."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from fer.errors import EvaluationError
from fer.evaluation import confusions
from fer.evaluation.figures import Estimate
from fer.evaluation.intervals import Statistic, bootstrap
from fer.evaluation.report import Evaluation, Report

KNOWN = 0.5
"""Models are not compared if one was trained on a larger share of the pictures. A few duplicates across splits are
usual: 279 of FER+'s 3,573 test pictures are, pixel by pixel, also in the training split."""


@dataclass(frozen=True)
class ClassDifference:
    """One label's figures of the second model minus those of the first."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True)
class Comparison:
    """The second model, b, compared with the first, a. Differences are b − a, with paired bootstrap intervals."""

    basis: str
    """Data, split, rule and n, in words."""
    n: int
    accuracies: tuple[float, float]
    accuracy: Estimate
    macro_f1s: tuple[float, float]
    macro_f1: Estimate
    only_a_right: int
    only_b_right: int
    p_value: float
    """Of McNemar's exact test: how often two equally good models would differ at least this much."""
    per_class: dict[str, ClassDifference]
    differing: tuple[int, ...]
    """Positions in the predictions, from 0, of the pictures that the two predict differently."""


def compare(a: Evaluation, b: Evaluation) -> Comparison:
    """Compare two models that were evaluated on the same pictures by the same rule.

    Raises:
        EvaluationError: they were evaluated on different data, or mostly on pictures that one was trained on.
    """
    labels = tuple(dict.fromkeys((*a.report.labels, *b.report.labels)))
    truth, other_truth = (_places(one, one.predictions.truth, labels) for one in (a, b))
    _check_same(a, b, np.array_equal(truth, other_truth))
    for one in (a, b):
        _check_unknown(one.report)
    first, second = (_places(one, one.predictions.predicted, labels) for one in (a, b))
    shape = (len(labels),) * 3
    kinds, counts = np.unique(np.ravel_multi_index((truth, first, second), shape), return_counts=True)
    label, said_a, said_b = np.unravel_index(kinds, shape)
    accuracy, macro_f1 = (
        bootstrap(counts, _difference(label, said_a, said_b, len(labels), of))
        for of in (confusions.accuracy, confusions.macro_f1)
    )
    right_a, right_b = first == truth, second == truth
    only_a, only_b = int((right_a & ~right_b).sum()), int((right_b & ~right_a).sum())
    return Comparison(
        basis=a.report.basis,
        n=len(truth),
        accuracies=(a.report.accuracy.value, b.report.accuracy.value),
        accuracy=accuracy,
        macro_f1s=(a.report.macro_f1.value, b.report.macro_f1.value),
        macro_f1=macro_f1,
        only_a_right=only_a,
        only_b_right=only_b,
        p_value=float(binomtest(only_a, only_a + only_b).pvalue) if only_a + only_b else 1.0,
        per_class=_per_class(a, b),
        differing=tuple(np.flatnonzero(first != second).tolist()),
    )


def _check_same(a: Evaluation, b: Evaluation, same_truth: bool) -> None:
    for name, one, other in (
        ("data set", a.report.data.fingerprint[:16], b.report.data.fingerprint[:16]),
        ("split", a.report.data.split, b.report.data.split),
        ("rule", a.report.data.rule, b.report.data.rule),
    ):
        if one != other:
            raise EvaluationError(
                f"expected two reports on the same pictures, found another {name}: {one} ({a.report.basis}) and "
                f"{other} ({b.report.basis}). Evaluate both models on the same data set, split and rule."
            )
    if not (same_truth and np.array_equal(a.predictions.rows, b.predictions.rows)):
        raise EvaluationError(
            "expected two reports on the same pictures, found other rows or labels: one model has labels that the "
            "other lacks, or pictures could not be read. Evaluate both again."
        )


def _check_unknown(report: Report) -> None:
    knew = report.knew
    if knew and knew[0] == "trained on" and knew[1] > KNOWN * report.n:
        raise EvaluationError(
            f"expected held-out pictures, but {report.model.file} was trained on {knew[1]:,} of {report.n:,} "
            f"({report.basis}) and may overfit them. Evaluate both models on others, such as the test split."
        )


def _places(evaluation: Evaluation, found: np.ndarray, labels: tuple[str, ...]) -> np.ndarray:
    """Convert an evaluation's own label indices, int (n,), to indices into `labels`."""
    return np.array([labels.index(label) for label in evaluation.report.labels])[found]


def _difference(label: np.ndarray, said_a: np.ndarray, said_b: np.ndarray, count: int, of: Statistic) -> Statistic:
    """Return a statistic that computes b's figure minus a's from counts (R, C) of each kind of picture."""
    eye = np.eye(count * count, dtype=np.float32)
    to_a, to_b = eye[label * count + said_a], eye[label * count + said_b]  # (C, K²)

    def statistic(drawn: np.ndarray) -> np.ndarray:
        numbers = drawn.astype(np.float32)
        matrices_a, matrices_b = ((numbers @ to).reshape(-1, count, count) for to in (to_a, to_b))
        return of(matrices_b) - of(matrices_a)

    return statistic


def _per_class(a: Evaluation, b: Evaluation) -> dict[str, ClassDifference]:
    both = {label: (one, b.report.per_class.get(label)) for label, one in a.report.per_class.items()}
    return {
        label: ClassDifference(
            precision=other.precision.value - one.precision.value,
            recall=other.recall.value - one.recall.value,
            f1=other.f1.value - one.f1.value,
            support=one.support,
        )
        for label, (one, other) in both.items()
        if other
    }
