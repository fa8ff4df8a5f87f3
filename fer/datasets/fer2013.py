"""Kaggle's tables of faces: fer2013.csv (emotion, pixels, Usage) and ckextended.csv, 920 faces of CK+ in that format.

With fer2013new.csv beside fer2013.csv, the FER+ votes are used instead of its class numbers.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.splits import complete_splits
from fer.errors import DatasetError
from fer.labels import FER2013, FERPLUS

KIND = "a table of pixels"
SIZE_PX = 48
USAGES = {"Training": "train", "PublicTest": "validation", "PrivateTest": "test"}
CK_NAME = "ckextended.csv"
"""Only its name distinguishes it from fer2013.csv."""
CK_LABELS = (*FER2013, "contempt")
"""In the order of its class numbers 0 to 7."""
NAMES = (CK_NAME, "fer2013.csv", "icml_face_data.csv")
VOTES_NAME = "fer2013new.csv"
VOTE_COLUMNS = (*FERPLUS, "unknown", "NF")


def matches(path: Path) -> bool:
    """Whether the path looks like this layout."""
    return path.suffix.lower() == ".csv" if path.is_file() else any((path / name).is_file() for name in NAMES)


def open_path(path: Path, progress: Progress | None = None, rated: bool = True) -> FaceDataset:
    """Open the file, or the folder that contains it. In ckextended.csv, duplicates are searched for.

    If `rated`, the votes beside fer2013.csv are used if they exist, otherwise its class numbers.

    Raises:
        DatasetError: a column is missing, a line has a wrong number of pixels, or a class or split is unknown.
    """
    file = path if path.is_file() else next(path / name for name in NAMES if (path / name).is_file())
    return _open_ck(file, progress) if file.name.lower() == CK_NAME else _open_fer2013(file, rated)


def _open_fer2013(file: Path, rated: bool) -> FaceDataset:
    table = _read(file, ("emotion", "pixels", "Usage"))
    splits = table["Usage"].map(lambda usage: USAGES.get(str(usage).strip()))
    _refuse(splits.isna().to_numpy(), file, table["Usage"], f"Usage to be one of {', '.join(USAGES)}")
    votes_file = file.with_name(VOTES_NAME)
    rated = rated and votes_file.is_file()
    votes = _votes(votes_file, len(table)) if rated else _one_hot(file, table, FER2013)
    labels = FERPLUS if rated else FER2013
    return FaceDataset(
        name="FER+ (fer2013.csv)" if labels is FERPLUS else "FER2013 (fer2013.csv)",
        labels=labels,
        votes=votes[:, : len(labels)],
        other_votes=votes[:, len(labels) :],
        splits=splits.to_numpy(str),
        pictures=_pictures(file, table["pixels"]),
    )


def _open_ck(file: Path, progress: Progress | None) -> FaceDataset:
    """Open ckextended.csv.

    Its own split (the column Usage) was drawn at random from pictures of the same few people, so a new one is made that
    at least keeps duplicates together. The file does not identify the people.
    """
    table = _read(file, ("emotion", "pixels"))
    dataset = FaceDataset(
        name=f"CK+ ({file.name})",
        labels=CK_LABELS,
        votes=_one_hot(file, table, CK_LABELS),
        splits=np.full(len(table), ""),
        pictures=_pictures(file, table["pixels"]),
    )
    return complete_splits(dataset, progress)


def _read(file: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a table with at least these columns."""
    try:
        table = pd.read_csv(file, index_col=False)  # otherwise an extra comma would shift all columns by one
    except (ValueError, OSError) as error:  # pandas' ParserError and EmptyDataError are ValueErrors
        raise DatasetError(
            f"expected a table with the columns {', '.join(columns)}, but cannot read {file}: {error}"
        ) from error
    table.columns = [str(name).strip() for name in table.columns]
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise DatasetError(
            f"expected the columns {', '.join(columns)} in {file}, found {', '.join(table.columns)[:200]}; "
            f"{', '.join(missing)} missing."
        )
    return table


def _refuse(wrong: np.ndarray, file: Path, cells: pd.DataFrame | pd.Series, expected: str) -> None:
    """Raise DatasetError for the first wrong line, bool (N,), with its content."""
    if wrong.any():
        row = int(wrong.argmax())
        found = ",".join(map(str, np.atleast_1d(cells.iloc[row])))
        raise DatasetError(f"expected {expected}, found {found[:80]!r} in line {row + 2} of {file}.")


def _votes(file: Path, count: int) -> np.ndarray:
    """Return the votes for `VOTE_COLUMNS`, float32 (count, 10)."""
    table = _read(file, VOTE_COLUMNS)[list(VOTE_COLUMNS)]
    if len(table) != count:
        raise DatasetError(
            f"expected {file} to have one line for each of the {count} pictures, found {len(table)}. Get both files "
            "from the same source, or remove the votes."
        )
    votes = table.apply(pd.to_numeric, errors="coerce").to_numpy(np.float32)
    _refuse(~((votes >= 0) & np.isfinite(votes)).all(axis=1), file, table, "numbers of votes")
    return votes


def _one_hot(file: Path, table: pd.DataFrame, labels: tuple[str, ...]) -> np.ndarray:
    """Return one vote for the class of each line, float32 (N, K)."""
    classes = pd.to_numeric(table["emotion"], errors="coerce").to_numpy(float)
    _refuse(~np.isin(classes, range(len(labels))), file, table["emotion"], f"emotion to be 0 to {len(labels) - 1}")
    return np.eye(len(labels), dtype=np.float32)[classes.astype(int)]


def _pictures(file: Path, column: pd.Series) -> np.ndarray:
    """Return the pictures in a column, 2304 numbers of 0 to 255 each, as uint8 (N, 48, 48)."""
    pictures = np.empty((len(column), SIZE_PX * SIZE_PX), np.uint8)
    for row, text in enumerate(column):
        words = str(text).split()
        try:
            # bytes() only accepts 0..255, reshape() only the right number.
            pictures[row] = np.frombuffer(bytes(map(int, words)), np.uint8).reshape(SIZE_PX * SIZE_PX)
        except ValueError as error:
            raise DatasetError(
                f"expected {SIZE_PX * SIZE_PX} pixels of 0 to 255 in line {row + 2} of {file}, found {len(words)} ("
                f"{error})."
            ) from None
    return pictures.reshape(-1, SIZE_PX, SIZE_PX)
