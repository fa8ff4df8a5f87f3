"""How much accuracy is lost when pictures get worse."""

from collections.abc import Callable

import numpy as np

from fer.datasets.dataset import FaceDataset
from fer.evaluation.disturbances import DISTURBANCES, Disturbance
from fer.evaluation.figures import DisturbedAccuracy, Robustness
from fer.evaluation.intervals import bootstrap_mean
from fer.model.preprocessing import Preprocessing

SEED = 0
_AT_ONCE = 256
"""Pictures read at a time, each in all disturbances."""

Predict = Callable[[np.ndarray], np.ndarray]
"""Shrunk faces uint8 (n, C, S, S) → probabilities or logits (n, K)."""


def robustness(
    dataset: FaceDataset,
    rows: np.ndarray,
    truth: np.ndarray,
    preprocessing: Preprocessing,
    predict: Predict,
    sample: int | None = None,
    disturbances: tuple[Disturbance, ...] = DISTURBANCES,
    progress: Callable[[int, int], None] | None = None,
) -> Robustness:
    """Measure the accuracy on the same pictures as they are and in each disturbance.

    Args:
        dataset: face crops.
        rows: int (n,), pictures that can be read.
        truth: int (n,), the label of each, as an index of the model's outputs.
        preprocessing: the model's.
        predict: the model.
        sample: take only as many pictures, drawn by a fixed seed.
        disturbances: in which.
        progress: called with (done, total) networks' answers.

    Raises:
        ImageError: a picture cannot be read any more.
    """
    kept = np.arange(len(rows))
    if sample is not None and sample < len(rows):
        kept = np.sort(np.random.default_rng(SEED).choice(len(rows), sample, replace=False))
    right = np.empty((len(kept), 1 + len(disturbances)), bool)
    for start in range(0, len(kept), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        images = [dataset.picture(int(row)) for row in rows[kept[part]]]
        for column, disturbance in enumerate((None, *disturbances)):
            pixels = [
                preprocessing.shrink(disturbance.apply(image, int(row)) if disturbance else image)
                for image, row in zip(images, rows[kept[part]], strict=True)
            ]
            right[part, column] = predict(np.stack(pixels)).argmax(axis=1) == truth[kept[part]]
            if progress:
                done = start * right.shape[1] + (column + 1) * len(images)
                progress(done, right.size)
    return Robustness(
        n=len(kept),
        of=len(rows),
        seed=SEED,
        clean=bootstrap_mean(right[:, 0]),
        disturbed=tuple(
            DisturbedAccuracy(
                name=disturbance.name,
                setting=disturbance.setting,
                n=len(kept),
                accuracy=bootstrap_mean(after),
                difference=bootstrap_mean(after.astype(int) - right[:, 0]),
            )
            for disturbance, after in zip(disturbances, right[:, 1:].T, strict=True)
        ),
    )
