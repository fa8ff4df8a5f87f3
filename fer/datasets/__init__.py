"""Data sets of faces, recognized by looking at the path.

FER+ folders     FER2013Train/label.csv, FER2013Valid, FER2013Test (Microsoft's layout)
fer2013.csv      Kaggle's file, or the folder that holds it; with fer2013new.csv beside it, the FER+ votes
CK+              cohn-kanade-images/, Emotion/ and Landmarks/ (the official trees); "PATH:neutral" takes the first
                 frame of each sequence, too, as neutral
CK+48            anger/S010_004_00000017.png, happy/, …: class folders whose names tell the people
ckextended.csv   Kaggle's file of CK+
RAF-DB           EmoLabel/list_patition_label.txt and Image/aligned/train_00001_aligned.jpg
AffectNet        train_set/images, train_set/annotations/0_exp.npy, val_set
KDEF, JAFFE, …   AF01ANS.JPG, KA.AN1.39.tiff: names of files that tell expression and person
a table          CSV with a column for the path of each picture and one for its label
class folders    angry/*.jpg, happy/*.jpg, …, with or without train, validation and test above them, in any spelling
synthetic        drawn faces; "synthetic:2000" for that many

Each may lie in a ZIP, and in a folder or two with no other folder or picture beside them. Splits that a data set does
not bring along are made, see `fer.datasets.splits`. The notes of a data set say what was read and what else lies there.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from fer.datasets.dataset import SPLITS, FaceDataset, Progress, file_of
from fer.errors import DatasetError
from fer.files import file_errors, visible
from fer.images import IMAGE_SUFFIXES, list_images

__all__ = ["FaceDataset", "open_dataset", "open_datasets"]

NEUTRAL = ":neutral"
_DEEPEST = 3
"""How many folders with a single folder in them are looked into."""
_FOLDERS_NAMED = 5


def open_dataset(path: str | os.PathLike[str], progress: Progress | None = None) -> FaceDataset:
    """Open a data set; see the module's text for the layouts, and `Progress`.

    Raises:
        DatasetError: there is nothing at the path, nothing of a known layout, or nothing that may be read.
    """
    with file_errors(f"the data set {path} cannot be read", DatasetError):
        return _open(Path(path), progress)


def open_datasets(paths: Sequence[str | os.PathLike[str]], progress: Progress | None = None) -> FaceDataset:
    """Open one data set or several as one; see `fer.datasets.joining`.

    Raises:
        DatasetError: one of them cannot be opened, none is given, or one twice.
    """
    from fer.datasets.joining import join

    if not paths:
        raise DatasetError("expected at least one data set, got none. Give a path, or synthetic for drawn faces.")
    places = [Path(path).resolve() for path in paths]
    twice = sorted({str(place) for place in places if places.count(place) > 1})
    if twice:
        raise DatasetError(f"expected different data sets, got {', '.join(twice)} more than once. Name it once.")
    return join([open_dataset(path, progress) for path in paths], progress)


def _open(path: Path, progress: Progress | None) -> FaceDataset:
    # Here, as pages import the drawing beside them and pandas would cost these half a second.
    from fer.datasets import affectnet, ckplus, fer2013, ferplus, folders, names, rafdb, synthetic, tables

    if synthetic.is_synthetic(path):
        return synthetic.open_synthetic(path)
    wants_neutral = path.name.endswith(NEUTRAL) and not path.exists()
    if wants_neutral:
        path = path.with_name(path.name.removesuffix(NEUTRAL))
    if not path.exists():
        raise DatasetError(f"expected a data set at {path}, found nothing. Check the path.")
    places = places_of(path)
    for folder in places:
        if wants_neutral and ckplus.matches(folder):
            return _accounted(ckplus.open_path(folder, progress, neutral=True), ckplus.KIND, places[0])
        # The first one that matches: any CSV is fer2013.csv and any folders are classes if nothing else.
        for layout in () if wants_neutral else (ferplus, ckplus, rafdb, affectnet, names, tables, fer2013, folders):
            if layout.matches(folder):
                unread = layout in (folders, names)
                return _accounted(layout.open_path(folder, progress), layout.KIND, places[0], unread)
    if wants_neutral:
        raise DatasetError(
            f"expected the official trees of CK+ (cohn-kanade-images, Emotion) at {path}, as {NEUTRAL} takes the first "
            f"frames of their sequences; found {_listing(_unpacked(path))}. Leave {NEUTRAL} out."
        )
    raise DatasetError(
        f"expected one of these at {path}: FER2013Train/label.csv (FER+), fer2013.csv (Kaggle), cohn-kanade-images and "
        "Emotion (CK+), ckextended.csv, list_patition_label.txt and aligned (RAF-DB), train_set/annotations "
        "(AffectNet), names like AF01ANS.JPG (KDEF) or KA.AN1.39.tiff (JAFFE), a CSV with the columns path and label, "
        "or a folder for each expression with pictures in it; or a ZIP of one. "
        f"Found: {_listing(_unpacked(path))}."
    )


def _accounted(dataset: FaceDataset, kind: str, root: Path, tables_unread: bool = False) -> FaceDataset:
    """Add to a data set's notes as what it was read, and which pictures and tables below its root are no part of it."""
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
            notes.append(f"{len(other):,} pictures were left aside: {', '.join(named)}{more}.")
        if (left := root / archive.LEFT_NAME).is_file():
            kinds = left.read_text(encoding="utf-8", errors="replace")
            notes.append(f"Left in the ZIP, as they are neither pictures nor tables: {kinds}.")
        tables = sorted(file.name for file in root.rglob("*.csv") if file.name[0] != ".") if tables_unread else []
        if tables:
            notes.append(f"Not read: {', '.join(tables[:_FOLDERS_NAMED])}, as {kind} say what each picture shows.")
    return replace(dataset, notes=(*notes, *dataset.notes))


def _unpacked(path: Path) -> Path:
    """Return the folder that a ZIP was unpacked to; of anything else the path itself."""
    from fer.datasets import archive

    return archive.unpack(path) if path.is_file() and path.suffix.lower() == ".zip" else path


def places_of(path: Path) -> list[Path]:
    """Return where a data set's files may lie: in a ZIP, in a folder or two with only texts and tables beside."""
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
