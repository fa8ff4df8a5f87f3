"""Data sets of faces; the layout is recognized from the path.

FER+ folders     FER2013Train/label.csv, FER2013Valid, FER2013Test (Microsoft's layout)
fer2013.csv      Kaggle's file, or the folder that holds it; with fer2013new.csv beside it, the FER+ votes
CK+              cohn-kanade-images/, Emotion/ and Landmarks/ (the official trees); "PATH:neutral" also uses the first
                 frame of each sequence, as neutral
CK+48            anger/S010_004_00000017.png, happy/, …: class folders whose file names identify the people
ckextended.csv   Kaggle's file of CK+
RAF-DB           EmoLabel/list_patition_label.txt and Image/aligned/train_00001_aligned.jpg
AffectNet        train_set/images, train_set/annotations/0_exp.npy, val_set
KDEF, JAFFE, …   AF01ANS.JPG, KA.AN1.39.tiff: file names that encode expression and person
a table          CSV with a column for the path of each picture and one for its label
class folders    angry/*.jpg, happy/*.jpg, …, optionally below train, validation and test, in any spelling
synthetic        drawn faces; "synthetic:2000" for that many

Each may be in a ZIP, and in one or two nested folders with no other folder or picture beside them. Missing splits are
added, see `fer.datasets.splits`. The notes of a data set say how it was read and what was ignored.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fer.datasets.dataset import SPLITS, FaceDataset, Progress, file_of
from fer.errors import DatasetError
from fer.files import file_errors, real_path, visible
from fer.images import IMAGE_SUFFIXES, list_images

__all__ = ["FaceDataset", "open_dataset", "open_datasets"]

NEUTRAL = ":neutral"
_DEEPEST = 3
"""How many levels of folders with a single folder in them are searched."""
_FOLDERS_NAMED = 5


def open_dataset(path: str | os.PathLike[str], progress: Progress | None = None) -> FaceDataset:
    """Open a data set; see the module docstring for the layouts.

    Raises:
        DatasetError: nothing exists at the path, it has no known layout, or it cannot be read.
    """
    with file_errors(f"the data set {path} cannot be read", DatasetError):
        return _open(Path(path), progress)


def open_datasets(paths: Sequence[str | os.PathLike[str]], progress: Progress | None = None) -> FaceDataset:
    """Open one or more data sets as one; see `fer.datasets.joining`.

    Raises:
        DatasetError: one of them cannot be opened, none is given, or one is given twice.
    """
    from fer.datasets.joining import join

    if not paths:
        raise DatasetError("expected at least one data set, got none. Give a path, or synthetic for drawn faces.")
    places = [real_path(path) for path in paths]
    twice = sorted({str(place) for place in places if places.count(place) > 1})
    if twice:
        raise DatasetError(f"expected different data sets, got {', '.join(twice)} more than once. Give it once.")
    return join([open_dataset(path, progress) for path in paths], progress)


def _open(path: Path, progress: Progress | None) -> FaceDataset:
    # Imported here, because pages import the drawing package, and pandas would cost them half a second.
    from fer.datasets import affectnet, ckplus, fer2013, ferplus, folders, names, rafdb, synthetic, tables

    if synthetic.is_synthetic(path):
        return synthetic.open_synthetic(path)
    wants_neutral = path.name.endswith(NEUTRAL) and not path.exists()
    if wants_neutral:
        path = path.with_name(path.name.removesuffix(NEUTRAL))
    if not path.exists():
        raise DatasetError(
            f"expected a data set at {path}, found nothing. Check the path. docs/formats.md says where to download "
            "public data sets; synthetic draws faces."
        )
    places = places_of(path)
    for folder in places:
        if wants_neutral and ckplus.matches(folder):
            return _accounted(ckplus.open_path(folder, progress, neutral=True), ckplus.KIND, places[0])
        # The first match wins: the last layouts accept any CSV as fer2013.csv and any folders as classes.
        for layout in () if wants_neutral else (ferplus, ckplus, rafdb, affectnet, names, tables, fer2013, folders):
            if layout.matches(folder):
                unread = layout in (folders, names)
                return _accounted(layout.open_path(folder, progress), layout.KIND, places[0], unread)
    if wants_neutral:
        raise DatasetError(
            f"expected the official trees of CK+ (cohn-kanade-images, Emotion) at {path} for {NEUTRAL}, which adds the "
            f"first frames of their sequences; found {_listing(_unpacked(path))}. Leave out {NEUTRAL}."
        )
    raise DatasetError(
        f"expected one of these at {path}: FER2013Train/label.csv (FER+), fer2013.csv (Kaggle), cohn-kanade-images and "
        "Emotion (CK+), ckextended.csv, list_patition_label.txt and aligned (RAF-DB), train_set/annotations "
        "(AffectNet), names like AF01ANS.JPG (KDEF) or KA.AN1.39.tiff (JAFFE), a CSV with the columns path and label, "
        "or a folder for each expression with pictures in it; or a ZIP of one. "
        f"Found: {_listing(_unpacked(path))}."
    )


def _accounted(dataset: FaceDataset, kind: str, root: Path, tables_unread: bool = False) -> FaceDataset:
    """Add notes on how a data set was read, and which pictures and tables below its root are not part of it."""
    from fer.datasets import archive

    counts = [(split, int((dataset.splits == split).sum())) for split in SPLITS]
    notes = [f"Read as {kind}: " + ", ".join(f"{count:,} {split}" for split, count in counts if count) + "."]
    if root.is_dir():
        used = {file_of(picture) for picture in dataset.pictures if not isinstance(picture, np.ndarray)}
        other = [file for file in list_images([root]) if file not in used]
        places = Counter(str(file.parent.relative_to(root)).encode(errors="replace").decode() for file in other)
        if len(places) > _FOLDERS_NAMED:
            places = Counter(file.relative_to(root).parts[0] for file in other)
        named = [f"{count:,} in {place}" for place, count in places.most_common(_FOLDERS_NAMED)]
        if other:
            more = f" and {len(places) - _FOLDERS_NAMED} more" if len(places) > _FOLDERS_NAMED else ""
            notes.append(f"{len(other):,} pictures were ignored: {', '.join(named)}{more}.")
        if (left := root / archive.LEFT_NAME).is_file():
            kinds = left.read_text(encoding="utf-8", errors="replace")
            notes.append(f"Not unpacked from the ZIP, as they are neither pictures nor tables: {kinds}.")
        tables = sorted(file.name for file in root.rglob("*.csv") if file.name[0] != ".") if tables_unread else []
        if tables:
            notes.append(f"Not read: {', '.join(tables[:_FOLDERS_NAMED])}, because {kind} give the labels.")
    return replace(dataset, notes=(*notes, *dataset.notes))


def _unpacked(path: Path) -> Path:
    """Return the folder that a ZIP was unpacked to; any other path unchanged."""
    from fer.datasets import archive

    return archive.unpack(path) if path.is_file() and path.suffix.lower() == ".zip" else path


def places_of(path: Path) -> list[Path]:
    """Return the places of a data set's files: in a ZIP, or in nested folders with only tables beside them."""
    places = [_unpacked(path)] if path.exists() else []
    while places and places[-1].is_dir() and len(places) <= _DEEPEST:
        inside = visible(places[-1])
        folders = [entry for entry in inside if entry.is_dir()]
        if len(inside) != 1 and any(entry.suffix.lower() in IMAGE_SUFFIXES for entry in inside):
            break
        if len(folders) != 1 and len(inside) != 1:
            break
        places.append((folders or inside)[0])
    return places


def _listing(path: Path) -> str:
    if path.is_file():
        return f"the file {path.name}"
    names = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in path.iterdir())
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "") or "an empty folder"
