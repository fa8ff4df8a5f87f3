"""Which pictures a model has seen while it was made, so that nobody measures it, or compares it, on these unawares.

pictures.npz beside the model file has the digest of each, see `PreparedFaces`: of those that it was trained on and of
those that it was chosen by; and with them those of the models that it began with or was taught by. A picture is known
again by its pixels: one that was saved anew is another one.
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
    """How many of the pictures that a model was measured on it knew."""

    trained: int
    """It was trained on them."""
    chosen: int
    """Its best epoch was chosen by them, or how it is read."""


def write_seen(model: Path, train: np.ndarray, validation: np.ndarray, files: Iterable[Path] = ()) -> None:
    """Write down the digests, uint32 (n,), of a model's pictures, and those of the model files it was made from.

    Raises:
        OSError: it cannot be written.
        EvaluationError: what lies beside one of the files is damaged.
    """
    earlier = [found for file in files if (found := _digests(file))]
    sides = zip(*[(train, validation), *earlier], strict=True)
    known, chosen = (np.unique(np.concatenate(side)) for side in sides)
    replace_file(model.with_name(SEEN_NAME), lambda file: np.savez(file, train=known, validation=chosen))


def seen_among(model: Path, digests: np.ndarray) -> Seen | None:
    """Return how many of some pictures, by their digests, a model has seen; None where that is not known.

    Raises:
        EvaluationError: what lies beside the model is damaged.
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
            f"expected in {path} which pictures the model has seen, cannot read it: {error}. Delete it: then nobody "
            "can tell."
        ) from error
