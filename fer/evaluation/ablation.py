"""The table of what each ingredient of a recipe is worth; scripts/ablation.py measures it."""

from dataclasses import dataclass
from pathlib import Path

from fer.errors import EvaluationError
from fer.records import from_json


@dataclass(frozen=True)
class Ingredient:
    """One row: means over the seeds; rates are 0..1."""

    name: str
    command: str
    """Of the first seed."""
    seeds: tuple[int, ...]
    accuracy: float
    macro_f1: float
    worse_pictures: float
    """Mean accuracy over all disturbances, on `Ablation.sample` pictures."""


@dataclass(frozen=True)
class Ablation:
    """The table."""

    basis: str
    """Data, split, rule and n, in words."""
    recipe: str
    """What the rows change, as options of `fer-studio train`."""
    sample: int
    """On so many of these pictures, made worse in all ways of `fer.evaluation.disturbances`."""
    rows: tuple[Ingredient, ...]


def read_ablation(path: Path) -> Ablation:
    """Read a table.

    Raises:
        EvaluationError: the file is missing or damaged.
    """
    try:
        return from_json(path.read_bytes(), Ablation)
    except (OSError, ValueError) as error:
        raise EvaluationError(
            f"expected a table of what each ingredient is worth, cannot read {path}: {error}. Measure it again."
        ) from error
