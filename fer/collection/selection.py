"""The faces of a collection, filtered and sorted, and the files that hold what is chosen."""

import io
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import PurePath

from fer.faces import Face
from fer.results.journal import Finished

NO_FACE = "no face"
BY_NAME, SUREST, LEAST_SURE, BY_EXPRESSION = "Picture", "Surest first", "Least sure first", "Expression"
ORDERS = (BY_NAME, SUREST, LEAST_SURE, BY_EXPRESSION)


@dataclass(frozen=True)
class Entry:
    """A face, or a picture in which there is none."""

    finished: Finished
    number: int = 0
    """Of the face in its picture, from 1; 0: there is none."""

    @property
    def face(self) -> Face | None:
        """The face, if it is one."""
        return self.finished.result.faces[self.number - 1] if self.number else None

    @property
    def name(self) -> str:
        """What tells it from all others: the picture's name, and the number where there are several faces."""
        name, several = self.finished.picture.name, len(self.finished.result.faces) > 1
        return f"{name} · face {self.number}" if several else name

    @property
    def label(self) -> str:
        """Its expression, or `NO_FACE`."""
        return self.face.label if self.face else NO_FACE

    @property
    def confidence(self) -> float | None:
        """0..1; None where there is no face."""
        return self.face.confidence if self.face else None

    @property
    def thumbnail(self) -> str | None:
        """What `Finished.thumbnails` has of it."""
        place = max(self.number - 1, 0)
        return self.finished.thumbnails[place] if place < len(self.finished.thumbnails) else None


def entries_of(finished: Sequence[Finished]) -> list[Entry]:
    """Return the faces of all pictures in their order; pictures that could not be read have none."""
    return [
        Entry(one, number)
        for one in finished
        if one.result.error is None
        for number in (range(1, len(one.result.faces) + 1) if one.result.faces else [0])
    ]


def counts_of(entries: Sequence[Entry], labels: Sequence[str]) -> dict[str, int]:
    """Return how many faces show each expression, in the order of the labels, those that none shows left out."""
    counts = Counter(entry.label for entry in entries)
    return {label: counts[label] for label in (*labels, NO_FACE) if counts[label]}


def select(
    entries: Sequence[Entry], labels: Sequence[str], lowest: float, highest: float, order: str, differing: bool = False
) -> list[Entry]:
    """Filter and sort.

    Args:
        entries: as `entries_of` returns them.
        labels: those that are wanted; all if empty. Pictures without a face are one of them, `NO_FACE`.
        lowest: confidence, 0..1.
        highest: likewise. A picture without a face has none, so it is left out where a limit is set.
        order: one of `ORDERS`.
        differing: whether only faces are wanted of which the model's two opinions differ.
    """
    chosen = [
        entry
        for entry in entries
        if (not labels or entry.label in labels)
        and (not differing or (entry.face and entry.face.differing))
        and (lowest <= entry.confidence <= highest if entry.confidence is not None else (lowest, highest) == (0, 1))
    ]
    if order in (SUREST, LEAST_SURE):
        sign = -1 if order == SUREST else 1
        chosen.sort(key=lambda entry: 2.0 if entry.confidence is None else sign * entry.confidence)
    elif order == BY_EXPRESSION:
        chosen.sort(key=lambda entry: (entry.label == NO_FACE, entry.label, -(entry.confidence or 0)))
    return chosen


def pictures_of(entries: Sequence[Entry]) -> list[Finished]:
    """Return the pictures that the faces are in, each once."""
    return list({entry.finished.picture: entry.finished for entry in entries}.values())


def annotated_zip(finished: Sequence[Finished]) -> bytes:
    """Return a ZIP of the annotated copies, in the folders of their pictures."""
    packed, taken = io.BytesIO(), set[PurePath]()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # JPEGs do not become smaller
        for one in finished:
            output = one.picture.output
            if output and output.is_file():
                name = picture = PurePath(one.picture.name)
                for number in count(1):  # a folder may have a photo.jpg and a photo.png
                    name = picture.with_name(f"{picture.stem}{f'-{number}' * (number > 1)}-faces.jpg")
                    if name not in taken:
                        break
                taken.add(name)
                archive.write(output, name)
    return packed.getvalue()
