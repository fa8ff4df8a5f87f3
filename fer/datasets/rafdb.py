"""RAF-DB (Li and Deng 2019): a list of labels and a folder of aligned faces, as released by its authors.

    EmoLabel/list_patition_label.txt          train_00001.jpg 5
    Image/aligned/train_00001_aligned.jpg

Both may be in "basic", and without EmoLabel and Image above them. The people are not identified.
"""

from pathlib import Path

from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.labeled import Face, open_faces, split_of
from fer.errors import DatasetError

KIND = "RAF-DB"
LIST = "list_patition_label.txt"
"""The authors' spelling."""
CODES = dict(enumerate(("surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"), start=1))


def matches(path: Path) -> bool:
    """Whether the path looks like this layout."""
    return _list(path) is not None


def open_path(path: Path, progress: Progress | None = None) -> FaceDataset:
    """Open the list in a path, and the aligned faces listed in it.

    Raises:
        DatasetError: a line is invalid, or none of the pictures exists.
    """
    table = _list(path)
    assert table is not None  # since `matches` holds
    home = table.parent.parent if table.parent.name == "EmoLabel" else table.parent
    faces, missing = [], []
    for number, line in enumerate(table.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        name, _, code = line.strip().partition(" ")
        word = CODES.get(int(code)) if code.strip().isdecimal() else None
        split = split_of(name.partition("_")[0])
        if name and not (word and split):
            raise DatasetError(
                f"expected a picture named train_… or test_… and a number from 1 to {len(CODES)}, found {line[:80]!r} "
                f"in line {number} of {table}. Copy the file from RAF-DB again."
            )
        file = _picture(home, Path(name))
        if word and file:
            faces.append(Face(file, word, split))
        elif name:
            missing.append(name)
    if not faces:
        raise DatasetError(
            f"expected the pictures of {table} in {home / 'Image' / 'aligned'}, found none. Unpack aligned.zip of "
            "RAF-DB there."
        )
    lacking = f"{len(missing):,} of the pictures in {LIST} are missing, the first is {missing[0]}." if missing else ""
    return open_faces(f"RAF-DB ({path.name})", faces, [lacking] if lacking else [], progress)


def _list(path: Path) -> Path | None:
    places = (home / inside / LIST for home in (path, path / "basic") for inside in ("EmoLabel", ""))
    return next(filter(Path.is_file, places), None)


def _picture(home: Path, name: Path) -> Path | None:
    names = (name.with_stem(f"{name.stem}_aligned"), name) if name.name else ()
    places = (home / folder / one for folder in ("Image/aligned", "aligned") for one in names)
    return next(filter(Path.is_file, places), None)
