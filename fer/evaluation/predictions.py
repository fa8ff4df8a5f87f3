"""Predictions for each picture, with the votes of people: as arrays, and as a CSV that contains no pictures.

row, name, split, truth, predicted, confidence, votes_LABEL …, other_votes, probability_LABEL …
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fer.errors import EvaluationError
from fer.evaluation import confusions
from fer.names import from_cell, not_a_formula

VOTES, PROBABILITY, OTHER = "votes_", "probability_", "other_votes"
DIGITS = 7
"""Significant digits of probabilities in the file."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """n pictures of a data set and K labels of a model."""

    labels: tuple[str, ...]
    rows: np.ndarray
    """int (n,): the pictures' rows in the data set, ascending."""
    names: tuple[str, ...]
    """Names for people, see `FaceDataset.name_of`: never a path above the data set's folder."""
    splits: np.ndarray
    """str (n,)"""
    truth: np.ndarray
    """int (n,), indices of `labels`."""
    votes: np.ndarray
    """float (n, K), ≥ 0: how many raters chose each label; one-hot if there is a single label."""
    other_votes: np.ndarray
    """float (n,): how many chose none of them."""
    probabilities: np.ndarray
    """float (n, K), rows summing to 1."""

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def predicted(self) -> np.ndarray:
        """The most probable label of each picture, int (n,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def confidence(self) -> np.ndarray:
        """The probability of the predicted label, float (n,)."""
        return self.probabilities.max(axis=1)

    @property
    def confusion(self) -> np.ndarray:
        """The confusion matrix, int (K, K): rows truth, columns prediction."""
        return confusions.count(self.truth, self.predicted, len(self.labels))

    def to_csv(self) -> str:
        """Return the CSV text, with a row for each picture."""
        import pandas  # imported here, since it takes half a second

        words = np.array(list(map(not_a_formula, self.labels)))
        columns = {
            "row": self.rows,
            "name": list(map(not_a_formula, self.names)),
            "split": self.splits,
            "truth": words[self.truth],
            "predicted": words[self.predicted],
            "confidence": self.confidence,
            **{VOTES + label: self.votes[:, index] for index, label in enumerate(self.labels)},
            OTHER: self.other_votes,
            **{PROBABILITY + label: self.probabilities[:, index] for index, label in enumerate(self.labels)},
        }
        return str(pandas.DataFrame(columns).to_csv(index=False, float_format=f"%.{DIGITS}g", lineterminator="\r\n"))


def read_predictions(path: Path) -> Predictions:
    """Read a predictions file.

    Raises:
        EvaluationError: the file is missing, damaged, or not a table of predictions.
    """
    import pandas

    try:
        table = pandas.read_csv(path, dtype={"name": str, "truth": str, "split": str}, keep_default_na=False)
        named = {column: table[column].map(from_cell) for column in ("name", "truth")}
        return _predictions_of(table.assign(**named))
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:  # pandas' parser errors are ValueErrors
        raise EvaluationError(
            f"expected the predictions that `fer-studio evaluate` writes beside a report, cannot read {path}: {error}. "
            "Evaluate again."
        ) from error


def _predictions_of(table: "pandas.DataFrame") -> Predictions:  # type: ignore[name-defined]  # noqa: F821
    labels = tuple(name.removeprefix(PROBABILITY) for name in table.columns if name.startswith(PROBABILITY))
    if not labels or not len(table):
        raise ValueError("no rows, or no columns of probabilities")
    strange = sorted(set(table["truth"]) - set(labels))
    if strange:
        raise ValueError(f"the labels {', '.join(strange)} have no probabilities")
    numbers = table[["row", OTHER, *(prefix + label for prefix in (VOTES, PROBABILITY) for label in labels)]]
    values = numbers.to_numpy(float)
    if not np.isfinite(values).all() or (values < 0).any() or values[:, 0].max() >= 2**53:
        raise ValueError("a number is missing, negative or too large")
    votes, probabilities = values[:, 2 : 2 + len(labels)], values[:, 2 + len(labels) :]
    return Predictions(
        labels=labels,
        rows=values[:, 0].astype(int),
        names=tuple(table["name"]),
        splits=table["split"].to_numpy(str),
        truth=np.array([labels.index(word) for word in table["truth"]], int),
        votes=votes,
        other_votes=values[:, 1],
        probabilities=probabilities,
    )
