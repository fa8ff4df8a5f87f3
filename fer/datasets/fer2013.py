"""Kaggle's fer2013.csv (emotion, pixels, Usage), with the FER+ votes of fer2013new.csv where that lies beside it."""

from pathlib import Path

import numpy as np
import pandas as pd

from fer.datasets.dataset import FaceDataset
from fer.errors import DatasetError
from fer.labels import FER2013, FERPLUS

SIZE_PX = 48
USAGES = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
NAMES = ("fer2013.csv", "icml_face_data.csv")
VOTES_NAME = "fer2013new.csv"
VOTE_COLUMNS = (*FERPLUS, "unknown", "NF")


def matches(path: Path) -> bool:
    """Whether the path looks like this layout."""
    return path.suffix.lower() == ".csv" if path.is_file() else any((path / name).is_file() for name in NAMES)


def open_path(path: Path) -> FaceDataset:
    """Open the file, or the folder that holds it.

    Raises:
        DatasetError: a column is missing, a line has another number of pixels, a class or split is unknown.
    """
    file = path if path.is_file() else next(path / name for name in NAMES if (path / name).is_file())
    table = read_table(file, ("emotion", "pixels", "Usage"))
    splits = table["Usage"].map(lambda usage: USAGES.get(str(usage).strip()))
    if splits.isna().any():
        line = int(np.flatnonzero(splits.isna())[0])
        raise DatasetError(
            f"expected Usage to be one of {', '.join(USAGES)}, found {str(table['Usage'][line])!r} in line {line + 2} "
            f"of {file}."
        )
    labels, votes, other_votes = _votes(file, table)
    return FaceDataset(
        name="FER+ (fer2013.csv)" if labels is FERPLUS else "FER2013 (fer2013.csv)",
        labels=labels,
        votes=votes,
        other_votes=other_votes,
        splits=splits.to_numpy(str),
        pictures=read_pictures(file, table["pixels"]),
    )


def read_table(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a table with at least these columns.

    Raises:
        DatasetError: it cannot be read, or a column is missing.
    """
    try:
        table = pd.read_csv(file, index_col=False)  # else a comma too many would shift all columns by one
    except (ValueError, OSError) as error:  # pandas' ParserError and EmptyDataError are ValueErrors
        raise DatasetError(
            f"expected a table with the columns {', '.join(columns)}, cannot read {file}: {error}"
        ) from error
    table.columns = [str(name).strip() for name in table.columns]
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise DatasetError(
            f"expected the columns {', '.join(columns)} in {file}, found {', '.join(table.columns)[:200]}; "
            f"{', '.join(missing)} missing."
        )
    return table


def _votes(file: Path, table: pd.DataFrame) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return (labels, votes, other votes), from fer2013new.csv where it is there, else from the class numbers."""
    votes_file = file.with_name(VOTES_NAME)
    if votes_file.is_file():
        votes = read_table(votes_file, VOTE_COLUMNS)
        if len(votes) != len(table):
            raise DatasetError(
                f"expected {votes_file} to have one line for each of the {len(table)} lines of {file.name}, found "
                f"{len(votes)}. Take both files from the same source, or remove the votes."
            )
        numbers = votes[list(VOTE_COLUMNS)].apply(pd.to_numeric, errors="coerce").to_numpy(np.float32)
        wrong = ~((numbers >= 0) & np.isfinite(numbers)).all(axis=1)
        if wrong.any():
            line = int(np.flatnonzero(wrong)[0])
            raise DatasetError(f"expected numbers of votes in line {line + 2} of {votes_file}, found something else.")
        return FERPLUS, numbers[:, : len(FERPLUS)], numbers[:, len(FERPLUS) :]
    classes = read_classes(file, table["emotion"], len(FER2013))
    one_hot = np.eye(len(FER2013), dtype=np.float32)[classes]
    return FER2013, one_hot, np.zeros((len(table), 0), np.float32)


def read_classes(file: Path, column: pd.Series, count: int) -> np.ndarray:
    """Return the class numbers of a column, int (N,) 0..count-1.

    Raises:
        DatasetError: a line has another number, or something else.
    """
    classes = pd.to_numeric(column, errors="coerce").to_numpy(float)
    wrong = ~np.isin(classes, range(count))
    if wrong.any():
        line = int(np.flatnonzero(wrong)[0])
        raise DatasetError(
            f"expected emotion to be 0 to {count - 1}, found {str(column[line])!r} in line {line + 2} of {file}."
        )
    return classes.astype(int)


def read_pictures(file: Path, column: pd.Series) -> np.ndarray:
    """Return the pictures that a column spells out, 2304 numbers of 0 to 255 each, as uint8 (N, 48, 48).

    Raises:
        DatasetError: a line has another number of them, or something else.
    """
    pictures = np.empty((len(column), SIZE_PX * SIZE_PX), np.uint8)
    for line, text in enumerate(column):
        words = str(text).split()
        try:
            if len(words) != SIZE_PX * SIZE_PX:
                raise ValueError
            pictures[line] = np.frombuffer(bytes(map(int, words)), np.uint8)  # bytes() refuses all but 0..255
        except ValueError:
            wrong = [word for word in words if not word.isdecimal() or len(word) > 3 or int(word) > 255]
            raise DatasetError(
                f"expected {SIZE_PX * SIZE_PX} pixels of 0 to 255 in line {line + 2} of {file}, found {len(words)}"
                + (f", one of them {wrong[0][:20]!r}." if wrong else ".")
            ) from None
    return pictures.reshape(-1, SIZE_PX, SIZE_PX)
