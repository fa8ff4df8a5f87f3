"""Which pictures a model saw in training, so that nobody evaluates or compares it on them unknowingly.

pictures.npz beside the model file has the digests of its training and validation pictures, see `PreparedFaces`, along
with those of its initial model and teachers. Pictures are identified by their pixels: one that was saved again counts
as another one.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer.errors import EvaluationError
from fer.files import read_arrays, replace_file

SEEN_NAME = "pictures.npz"


@dataclass(frozen=True)
class Seen:
    """How many of the evaluated pictures the model saw in training."""

    trained: int
    """It was trained on them."""
    chosen: int
    """They selected its best epoch, or calibrated it."""


def write_seen(model: Path, train: np.ndarray, validation: np.ndarray, files: Iterable[Path] = ()) -> None:
    """Save the digests, uint32 (n,), of a model's pictures, and those of the model files it was made from.

    Raises:
        OSError: they cannot be written.
        EvaluationError: the digests of one of the files are damaged.
    """
    earlier = [found for file in files if (found := _digests(file))]
    sides = zip(*[(train, validation), *earlier], strict=True)
    known, chosen = (np.unique(np.concatenate(side)) for side in sides)
    replace_file(model.with_name(SEEN_NAME), lambda file: np.savez(file, train=known, validation=chosen))


def seen_among(model: Path, digests: np.ndarray) -> Seen | None:
    """Return how many of these pictures, by their digests, a model has seen; None if unknown.

    Raises:
        EvaluationError: the model's digests are damaged.
    """
    found = _digests(model)
    return Seen(*(int(np.isin(digests, side).sum()) for side in found)) if found and len(digests) else None


def _digests(model: Path) -> tuple[np.ndarray, np.ndarray] | None:
    path = model.with_name(SEEN_NAME)
    if not path.is_file():
        return None
    try:
        found = read_arrays(path)
        return found["train"], found["validation"]
    except (OSError, ValueError, KeyError) as error:
        raise EvaluationError(
            f"expected the digests of the model's training pictures in {path}, but cannot read it: {error}. Delete it: "
            "evaluations will then not know which pictures the model has seen."
        ) from error
