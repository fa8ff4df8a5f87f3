"""Whose faces a model looks at, in plain words, and what follows for what it learned of how frequent expressions are.

In everyday pictures, such as those that the shipped models were trained on, most faces are neutral or happy, and a
model that knows it errs less. Actors, posed pictures and other data sets show all expressions alike: there the same
knowledge makes it call faces neutral that are not.
"""

from fer.errors import CheckpointError
from fer.model.checkpoint import ModelInfo

EVERYDAY, BETWEEN, POSED = "everyday", "between", "posed"
KINDS_OF_FACES = (EVERYDAY, BETWEEN, POSED)


def correction_for(kind: str, info: ModelInfo) -> float:
    """Return the correction of the prior for a kind of faces, 0..1: see `ModelInfo.prior_correction`.

    Args:
        kind: one of `KINDS_OF_FACES`. For everyday faces it is the one that was chosen on validation pictures, for
            posed ones 1, as if all expressions were equally frequent.
        info: the model.

    Raises:
        CheckpointError: the model does not know how frequent expressions were in its training.
    """
    if kind == EVERYDAY:
        return info.prior_correction
    if not info.can_be_corrected:
        raise CheckpointError(
            f"expected a model that knows how frequent each expression was in its training, to read {kind} faces with; "
            "this one does not. Leave out --faces, or train it again."
        )
    posed = {BETWEEN: 0.5, POSED: 1.0}[kind]
    return (1 - posed) * info.prior_correction + posed
