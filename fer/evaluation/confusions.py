"""Figures of many confusion matrices at once, as the bootstrap needs them; scikit-learn does one at a time.

Matrices are numbers (R, K, K), rows truth, columns prediction; figures are float (R,). A label that a matrix has no
picture of is left out of the means.
"""

import numpy as np

MATRIX_TITLE = "What is taken for what"
MATRIX_READING = (
    "A row holds the pictures of one expression, a column the model's answer: what is right lies on the diagonal, and "
    "the darker a field, the larger its share of the row."
)


def count(truth: np.ndarray, predicted: np.ndarray, labels: int) -> np.ndarray:
    """Return how often each label was taken for each: int (n,) twice → int (K, K)."""
    return np.bincount(labels * truth + predicted, minlength=labels**2).reshape(labels, labels)


def accuracy(matrices: np.ndarray) -> np.ndarray:
    """Return the shares of pictures on the diagonal."""
    return _diagonal(matrices).sum(axis=1) / matrices.sum(axis=(1, 2))


def balanced_accuracy(matrices: np.ndarray) -> np.ndarray:
    """Return the mean recalls."""
    support = matrices.sum(axis=2)
    return _mean_of_present(_ratio(_diagonal(matrices), support), support)


def macro_precision(matrices: np.ndarray) -> np.ndarray:
    """Return the mean precisions; that of a label never predicted is 0."""
    return _mean_of_present(_ratio(_diagonal(matrices), matrices.sum(axis=1)), matrices.sum(axis=2))


def macro_f1(matrices: np.ndarray) -> np.ndarray:
    """Return the mean F1."""
    support, predicted = matrices.sum(axis=2), matrices.sum(axis=1)
    return _mean_of_present(_ratio(2 * _diagonal(matrices), support + predicted), support)


def _diagonal(matrices: np.ndarray) -> np.ndarray:
    return np.diagonal(matrices, axis1=1, axis2=2)


def _ratio(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    return part / np.maximum(total, 1)


def _mean_of_present(figures: np.ndarray, support: np.ndarray) -> np.ndarray:
    present = support > 0
    return (figures * present).sum(axis=1) / present.sum(axis=1)
