"""Learning from other models: their answers beside the raters' votes (Hinton et al. 2015, arXiv:1503.02531).

Ten raters tell a distribution by tenths only. A teacher's answer is smoother, and several teachers err less than one.
They are asked once, about each picture as it is and mirrored; the student must say the same of pictures that are
turned, blurred or noisy (Xie et al. 2020, arXiv:1911.04252).
"""

import numpy as np

from fer.datasets.dataset import FaceDataset, prepare_faces
from fer.errors import TrainingError
from fer.model.checkpoint import read_info
from fer.model.classifier import Classifier
from fer.training.config import TrainingConfig
from fer.training.metrics import Hooks

_AT_ONCE = 256


def check_teachers(config: TrainingConfig, labels: tuple[str, ...]) -> None:
    """Refuse teachers that name other expressions, before anything is read.

    Raises:
        CheckpointError: a file cannot be read.
        TrainingError: a teacher's labels are not those of the data set.
    """
    for file in config.teacher:
        known = read_info(file).labels
        if set(known) != set(labels):
            raise TrainingError(
                f"expected a teacher that names the data set's expressions, {', '.join(labels)}; {file} names "
                f"{', '.join(known)}. Choose another --teacher, or another data set."
            )


def learned_targets(
    config: TrainingConfig, dataset: FaceDataset, rows: np.ndarray, hooks: Hooks, device: str
) -> np.ndarray:
    """Return what is learned of each picture, float32 (n, K), rows summing to 1: votes or label, mixed with teachers.

    Raises:
        CheckpointError: a teacher cannot be read any more.
    """
    targets = dataset.distributions(rows)
    if config.targets == "label":
        targets = np.eye(len(dataset.labels), dtype=np.float32)[dataset.truth(rows)]
    if not config.teacher or not config.teacher_share:
        return targets
    taught = np.zeros_like(targets)
    for file in config.teacher:
        hooks.on_note(f"asking the teacher {file}")
        taught += _answers(file, dataset, rows, hooks, device)
    share = config.teacher_share
    return (1 - share) * targets + share * taught / len(config.teacher)


def _answers(file: str, dataset: FaceDataset, rows: np.ndarray, hooks: Hooks, device: str) -> np.ndarray:
    """Return a teacher's distributions, float32 (n, K), in the order of the data set's labels."""
    teacher = Classifier.load(file, device).reduced()
    order = [teacher.info.labels.index(label) for label in dataset.labels]
    found = np.empty((len(rows), len(order)), np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        pixels = prepare_faces(dataset, part, teacher.info.preprocessing).pixels
        both = teacher.distributions(pixels) + teacher.distributions(np.ascontiguousarray(pixels[..., ::-1]))
        found[start : start + len(part)] = both[:, order] / 2
        hooks.on_read(start + len(part), len(rows))
    return found
