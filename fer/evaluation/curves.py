"""ROC and precision–recall curves of each label against all others."""

import numpy as np
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from fer.evaluation.figures import ClassCurves, Curve

MOST_POINTS = 200
DIGITS = 5
"""Of the points that are kept; the areas are not rounded."""


def curves(probabilities: np.ndarray, truth: np.ndarray, labels: tuple[str, ...]) -> dict[str, ClassCurves]:
    """Return the curves of K labels, of probabilities float (n, K) and truth int (n,), indices of the labels."""
    return {label: _curves_of(truth == index, probabilities[:, index], label) for index, label in enumerate(labels)}


def _curves_of(is_label: np.ndarray, score: np.ndarray, label: str) -> ClassCurves:
    if not is_label.any():
        missing = Curve((), (), None, f"no picture truly shows {label}")
        return ClassCurves(missing, missing)
    precision, recall, _ = precision_recall_curve(is_label, score, drop_intermediate=True)
    found = _thinned(recall[::-1], precision[::-1], float(average_precision_score(is_label, score)))
    if is_label.all():
        return ClassCurves(Curve((), (), None, f"every picture truly shows {label}"), found)
    false_positives, true_positives, _ = roc_curve(is_label, score)
    return ClassCurves(_thinned(false_positives, true_positives, float(roc_auc_score(is_label, score))), found)


def _thinned(x: np.ndarray, y: np.ndarray, area: float) -> Curve:
    """Keep the ends and points that are equally far from each other along the curve."""
    if len(x) > MOST_POINTS:
        way = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
        kept = np.searchsorted(way, np.linspace(0, way[-1], MOST_POINTS))
        kept = np.unique(np.minimum(kept, len(x) - 1))
        kept[-1] = len(x) - 1
        x, y = x[kept], y[kept]
    return Curve(tuple(np.round(x, DIGITS).tolist()), tuple(np.round(y, DIGITS).tolist()), area, None)
