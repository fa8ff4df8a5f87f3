"""Tables of pictures: a CSV with a column for the path of each picture and one for its label.

Columns for the split and the person are optional; otherwise the table's name gives the split: train.csv, test.csv.
Paths are searched below the table's folder, whatever folders the table puts before them.
"""

import csv
import re
from pathlib import Path

from fer.datasets import affectnet, rafdb
from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.labeled import Face, is_sorted_by_expression, open_faces, split_of
from fer.datasets.names import person_on
from fer.errors import DatasetError
from fer.files import visible
from fer.images import list_images
from fer.names import from_cell

KIND = "a table of pictures"
COLUMNS = {
    "picture": ("path", "filepath", "imagepath", "subdirectoryfilepath", "pth", "file", "filename", "imagename",
                "image", "img", "picture"),
    "label": ("label", "labels", "emotion", "expression", "class"),
    "split": ("split", "usage", "subset", "set", "partition"),
    "person": ("person", "personid", "subject", "subjectid", "actor", "identity"),
}  # fmt: skip
"""Use of a column → its possible names, in lower case without spaces and punctuation; the first match is used."""
_RAFDB_NAME = re.compile(r"(train|test)_\d+(_aligned)?\.\w+")
_HEADER_BYTES = 10_000


def matches(path: Path) -> bool:
    """Whether the path is such a table, or has one and no folders named after expressions."""
    return bool(_tables(path)) and (path.is_file() or not is_sorted_by_expression(path, list_images([path])))


def open_path(path: Path, progress: Progress | None = None) -> FaceDataset:
    """Open one table, or all in a folder.

    Raises:
        DatasetError: a table cannot be read, none of its pictures exists, or its labels are numbers.
    """
    home = path.parent if path.is_file() else path
    places: dict[str, list[Path]] = {}
    for file in list_images([home]):
        places.setdefault(file.name, []).append(file)
    faces, missing, notes = [], [], []
    for table in _tables(path):
        lines = _lines(table)
        codes = _codes(table, lines)
        by_column = all(split_of(line["split"]) for line in lines)
        by_name = split_of(table.stem) or split_of(table.stem.split("_")[0])  # train.csv, train_labels.csv
        if not by_column and any(line["split"] for line in lines):
            notes.append(f"Not every split in {table.name} is train, validation or test: the column was not used.")
        for line in lines:
            found = _find(home, places, line["picture"])
            word = codes.get(line["label"], "") if codes else line["label"]
            if found and word:
                split = split_of(line["split"]) if by_column else by_name
                faces.append(Face(found, word, split, line["person"] or person_on(found)))
            else:
                missing.append(line["picture"])
    if not faces:
        raise DatasetError(
            f"expected the pictures of the table below {home}, found none of {len(missing):,}, the first is "
            f"{', '.join(missing[:1]) or 'missing, as the table is empty'}. Move the table to the folder where its "
            "paths start."
        )
    if missing:
        notes.append(f"{len(missing):,} lines have no existing picture or no expression, the first is {missing[0]}.")
    return open_faces(path.name, faces, notes, progress)


def _tables(path: Path) -> list[Path]:
    files = [path] if path.is_file() else visible(path)
    return [
        file for file in files if file.suffix.lower() == ".csv" and {"picture", "label"} <= set(_uses(_header(file)))
    ]


def _header(file: Path) -> str:
    with file.open("rb") as content:
        lines = content.read(_HEADER_BYTES).decode("utf-8-sig", errors="replace").splitlines()
    return lines[0] if lines else ""


def _uses(header: str) -> dict[str, int]:
    """Return the known uses of columns → column number."""
    cells = [re.sub(r"[\W_]+", "", cell).lower() for cell in header.split(_delimiter(header))]
    found = {use: next((cells.index(name) for name in names if name in cells), -1) for use, names in COLUMNS.items()}
    return {use: number for use, number in found.items() if number >= 0}


def _delimiter(header: str) -> str:
    return max(",;\t", key=header.count)


def _lines(file: Path) -> list[dict[str, str]]:
    """Return the content of each line by the uses of `COLUMNS`, "" if there is none."""
    header = _header(file)
    uses = _uses(header)
    try:
        with file.open(newline="", encoding="utf-8-sig") as text:
            lines = list(filter(None, csv.reader(text, delimiter=_delimiter(header))))[1:]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"expected a table in UTF-8, but cannot read {file}: {error}. Convert it.") from error
    return [
        {use: from_cell("".join(cells[uses[use] :][:1]).strip()) if use in uses else "" for use in COLUMNS}
        for cells in lines
    ]


def _codes(table: Path, lines: list[dict[str, str]]) -> dict[str, str]:
    """Return number → label if the labels are numbers of a known data set; empty if they are words.

    Raises:
        DatasetError: they are numbers of an unknown data set.
    """
    if not any(line["label"].isdecimal() for line in lines):
        return {}
    if all(_RAFDB_NAME.fullmatch(line["picture"]) for line in lines):
        return {str(code): word for code, word in rafdb.CODES.items()}
    if "subdirectory_filepath" in _header(table).lower():
        return {str(code): word for code, word in affectnet.CODES.items()}
    found = sorted({line["label"] for line in lines})
    raise DatasetError(
        f"expected the names of expressions in the label column of {table}, such as happy, found "
        f"{', '.join(found[:12])}. Replace the numbers by words, or remove the table if folders give the expressions."
    )


def _find(home: Path, places: dict[str, list[Path]], name: str) -> Path | None:
    """Return the picture at a path below a folder, or the only one whose path ends most like it; None for neither."""
    parts = Path(name.replace("\\", "/")).parts
    candidates = places.get(parts[-1], []) if parts else []
    if home.joinpath(*parts) in candidates:
        return home.joinpath(*parts)
    for start in range(len(parts)):
        found = [file for file in candidates if file.parts[start - len(parts) :] == parts[start:]]
        if found:
            return found[0] if len(found) == 1 else None
    return None
