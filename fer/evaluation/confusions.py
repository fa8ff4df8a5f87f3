"""Figures of many confusion matrices at once, for the bootstrap; scikit-learn handles one at a time.

Matrices are counts (R, K, K), rows truth, columns prediction; figures are float (R,). Labels without pictures in a
matrix are left out of the means.
"""

import numpy as np

MATRIX_TITLE = "Confusion matrix"
MATRIX_READING = (
    "Each row has the pictures of one expression, each column a prediction of the model: the diagonal is correct, and "
    "the darker a cell, the larger its share of the row."
)


def count(truth: np.ndarray, predicted: np.ndarray, labels: int) -> np.ndarray:
    """Return the confusion matrix: int (n,) twice → int (K, K)."""
    return np.bincount(labels * truth + predicted, minlength=labels**2).reshape(labels, labels)


def accuracy(matrices: np.ndarray) -> np.ndarray:
    """Return the shares of pictures on the diagonal."""
    return _diagonal(matrices).sum(axis=1) / matrices.sum(axis=(1, 2))


def balanced_accuracy(matrices: np.ndarray) -> np.ndarray:
    """Return the mean recalls."""
    support = matrices.sum(axis=2)
    return _mean_of_present(_ratio(_diagonal(matrices), support), support)


def macro_precision(matrices: np.ndarray) -> np.ndarray:
    """Return the mean precisions; a label that is never predicted has 0."""
    return _mean_of_present(_ratio(_diagonal(matrices), matrices.sum(axis=1)), matrices.sum(axis=2))


def macro_f1(matrices: np.ndarray) -> np.ndarray:
    """Return the mean F1 scores."""
    support, predicted = matrices.sum(axis=2), matrices.sum(axis=1)
    return _mean_of_present(_ratio(2 * _diagonal(matrices), support + predicted), support)


def _diagonal(matrices: np.ndarray) -> np.ndarray:
    return np.diagonal(matrices, axis1=1, axis2=2)


def _ratio(part: np.ndarray, total: np.ndarray) -> np.ndarray:
    return part / np.maximum(total, 1)


def _mean_of_present(figures: np.ndarray, support: np.ndarray) -> np.ndarray:
    present = support > 0
    return (figures * present).sum(axis=1) / present.sum(axis=1)
