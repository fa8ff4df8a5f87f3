"""Two models on the same pictures."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.metrics import f1_score

from fer.errors import EvaluationError
from fer.evaluation import confusions
from fer.evaluation.comparison import compare
from fer.evaluation.metrics import class_figures, resampled
from fer.evaluation.report import Evaluation
from tests.evaluation.evaluations import LABELS, make_evaluation


def _saying(evaluation: Evaluation, predicted: npt.NDArray[np.int64]) -> Evaluation:
    """Return the evaluation of a model with these predictions."""
    labels = evaluation.report.labels
    predictions = replace(
        evaluation.predictions,
        probabilities=np.where(np.eye(len(labels))[predicted] == 1, 0.8, 0.2 / (len(labels) - 1)),
    )
    confusion = predictions.confusion
    names = ("accuracy", "balanced_accuracy", "macro_precision", "macro_f1")
    figures: dict[str, Any] = {name: resampled(getattr(confusions, name), confusion) for name in names}
    report = replace(
        evaluation.report,
        confusion=tuple(map(tuple, confusion.tolist())),
        per_class=class_figures(confusion, labels),
        **figures,
    )
    return Evaluation(report, predictions)


@pytest.fixture(scope="module")
def pair() -> tuple[Evaluation, Evaluation]:
    """The first is wrong on 12 pictures, the second on 2 of these and 4 others."""
    base = make_evaluation()
    wrong = 1 - base.predictions.truth
    first, second = base.predictions.truth.copy(), base.predictions.truth.copy()
    first[:12] = wrong[:12]
    second[10:16] = wrong[10:16]
    return _saying(base, first), _saying(base, second)


def test_a_case_by_hand(pair: tuple[Evaluation, Evaluation]) -> None:
    found = compare(*pair)
    assert found.basis == pair[0].report.basis
    assert found.n == 120
    assert found.accuracies == (108 / 120, 114 / 120)
    assert found.accuracy.value == pytest.approx(6 / 120)
    assert (found.only_a_right, found.only_b_right) == (4, 10)
    # Twice the probability of at most 4 heads in 14 throws: (1 + 14 + 91 + 364 + 1001) / 2**13.
    assert found.p_value == pytest.approx(1471 / 2**13)
    assert found.differing == (*range(10), *range(12, 16))


def test_the_paired_interval_has_the_width_of_theory(pair: tuple[Evaluation, Evaluation]) -> None:
    found = compare(*pair)
    error = np.sqrt((14 / 120 - (6 / 120) ** 2) / 120)
    assert (found.accuracy.low, found.accuracy.high) == pytest.approx(
        (0.05 - 1.96 * error, 0.05 + 1.96 * error), abs=0.01
    )


def test_macro_f1_and_classes(pair: tuple[Evaluation, Evaluation]) -> None:
    found, truth = compare(*pair), pair[0].predictions.truth
    a, b = (f1_score(truth, one.predictions.predicted, labels=[0, 1], average=None, zero_division=0) for one in pair)
    assert found.macro_f1.value == pytest.approx(b.mean() - a.mean())
    assert found.macro_f1.low is not None and found.macro_f1.high is not None
    assert found.macro_f1.low < found.macro_f1.value < found.macro_f1.high
    assert found.per_class["fear"].f1 == pytest.approx(b[1] - a[1])
    assert found.per_class["fear"].support == (truth == 1).sum()
    assert (found.per_class["absent"].recall, found.per_class["absent"].support) == (0, 0)


def test_swapping_the_models_negates_the_differences(pair: tuple[Evaluation, Evaluation]) -> None:
    one, other = compare(*pair), compare(*pair[::-1])
    assert other.accuracy.value == -one.accuracy.value
    assert other.p_value == one.p_value
    assert other.differing == one.differing


def test_a_model_does_not_differ_from_itself(pair: tuple[Evaluation, Evaluation]) -> None:
    found = compare(pair[0], pair[0])
    assert (found.p_value, found.differing) == (1.0, ())
    assert (found.accuracy.value, found.accuracy.low, found.accuracy.high) == (0, 0, 0)


def test_labels_are_matched_by_name_in_any_order(pair: tuple[Evaluation, Evaluation]) -> None:
    base, order = pair[1], [2, 1, 0]
    turned_predictions = replace(
        base.predictions,
        labels=LABELS[::-1],
        truth=2 - base.predictions.truth,
        probabilities=base.predictions.probabilities[:, order],
    )
    turned = Evaluation(replace(base.report, model=replace(base.report.model, labels=LABELS[::-1])), turned_predictions)
    assert compare(pair[0], turned).accuracy == compare(*pair).accuracy
    assert compare(base, turned).differing == ()


def test_other_data_cannot_be_compared(pair: tuple[Evaluation, Evaluation]) -> None:
    a, b = pair
    for changed, facts in (
        (replace(b.report, data=replace(b.report.data, fingerprint="ff")), "data set.* ff "),
        (replace(b.report, data=replace(b.report.data, split="validation")), "split.*test"),
        (replace(b.report, data=replace(b.report.data, rule="argmax")), "rule.*majority"),
    ):
        with pytest.raises(EvaluationError, match=facts):
            compare(a, replace(b, report=changed))
    with pytest.raises(EvaluationError, match="rows"):
        compare(a, replace(b, predictions=replace(b.predictions, rows=b.predictions.rows + 1)))
    with pytest.raises(EvaluationError, match=r"data set.*n = 60"):
        compare(a, make_evaluation(count=60))
