"""Information in file names: the person and, in some data sets, the expression.

KDEF     AF01ANS.JPG: session A, woman 01, angry, frontal             (Lundqvist et al. 1998)
JAFFE    KA.AN1.39.tiff: woman KA, angry, first picture, number 39    (Lyons et al. 1998)
RaFD     Rafd090_01_Caucasian_female_angry_frontal.jpg: person 01     (Langner et al. 2010)
CK+      S010_004_00000017.png: person S010
others   subject07.happy.png, person-3_smile.jpg: words such as subject or person with a number
"""

import re
from pathlib import Path

from fer.datasets.dataset import FaceDataset, Progress
from fer.datasets.labeled import Face, is_sorted_by_expression, open_faces, split_of
from fer.images import list_images

KIND = "file names"
CODES = {
    "AF": "fear",
    "FE": "fear",
    "AN": "anger",
    "DI": "disgust",
    "HA": "happiness",
    "NE": "neutral",
    "SA": "sadness",
    "SU": "surprise",
}
_CODED = {
    "KDEF": r"[AB](?P<person>[FM]\d{2})(?P<word>AF|AN|DI|HA|NE|SA|SU)(?:S|[HF][LR])(?![A-Z0-9])",
    "JAFFE": r"(?P<person>[A-Z]{2})\.(?P<word>AN|DI|FE|HA|NE|SA|SU)\d\.\d+(?![A-Z0-9])",
    "RaFD": r"Rafd\d{3}_(?P<person>\d{2})_[a-z]+_(?:fe)?male_(?P<word>[a-z]+)_",
}
_PERSON_ONLY = (
    r"(?P<person>S\d{3})_\d{3}_\d{8}(?!\d)",
    r"(?:.*[^a-z])?(?P<person>(?:subject|person|actor|participant)[-_ ]?\d+)",
)
WIDE = ("KDEF", "RaFD")
"""Their pictures show heads and shoulders, not crops of faces."""
MOST = 0.9
"""Share of file names that must match a pattern for it to be used."""


def person_on(file: Path) -> str:
    """Return the person that a file name identifies, "" if it does not."""
    found = (re.match(pattern, file.name, re.IGNORECASE) for pattern in (*_CODED.values(), *_PERSON_ONLY))
    return next((match["person"].upper() for match in found if match), "")


def matches(path: Path) -> bool:
    """Whether most pictures below the path have names of one data set, and no folder has an expression's name."""
    return path.is_dir() and bool(_coded(path)[1])


def open_path(path: Path, progress: Progress | None = None) -> FaceDataset:
    """Open the pictures below a path; the folders above them may be named train, validation and test."""
    kind, faces = _coded(path)
    notes = (
        [f"{kind}'s pictures show more than the face. Crop them, or evaluate with --detect."] if kind in WIDE else []
    )
    return open_faces(f"{kind} ({path.name})", faces, notes, progress)


def _coded(path: Path) -> tuple[str, list[Face]]:
    """Return the data set whose names most pictures have, with these pictures; ("", []) if there is none."""
    files = list_images([path])
    for kind, pattern in () if is_sorted_by_expression(path, files) else _CODED.items():
        faces = [
            Face(file, CODES.get(match["word"].upper(), match["word"]), _split(file, path), match["person"].upper())
            for file in files
            if (match := re.match(pattern, file.name, re.IGNORECASE))
        ]
        if len(faces) >= max(MOST * len(files), 1):
            return kind, faces
    return "", []


def _split(file: Path, path: Path) -> str:
    return next(filter(None, map(split_of, file.relative_to(path).parts[:-1])), "")
