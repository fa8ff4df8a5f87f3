"""Filter, sort and group the faces of a collection, and pack the selected files."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import PurePath

from fer.faces import Face
from fer.results.journal import Finished

UNSURE, NO_FACE = "unsure", "no face"
SUREST, LEAST_SURE, BY_NAME = "Surest first", "Least sure first", "Picture"
ORDERS = (SUREST, LEAST_SURE, BY_NAME)


@dataclass(frozen=True)
class Entry:
    """A face, or a picture without one."""

    finished: Finished
    number: int = 0
    """Number of the face in its picture, from 1; 0 if there is none."""

    @property
    def face(self) -> Face | None:
        """The face, if there is one."""
        return self.finished.result.faces[self.number - 1] if self.number else None

    @property
    def name(self) -> str:
        """A unique name: the picture's name, with the face's number if there are several."""
        name, several = self.finished.picture.name, len(self.finished.result.faces) > 1
        return f"{name} · face {self.number}" if several else name

    def called(self, unsure_below: float) -> str:
        """Return its expression, `UNSURE` if its confidence is below the threshold, 0..1, or `NO_FACE`."""
        if self.face is None:
            return NO_FACE
        return self.face.label if self.face.confidence >= unsure_below else UNSURE

    @property
    def thumbnail(self) -> str | None:
        """Its thumbnail in `Finished.thumbnails`."""
        place = max(self.number - 1, 0)
        return self.finished.thumbnails[place] if place < len(self.finished.thumbnails) else None


def entries_of(finished: Sequence[Finished]) -> list[Entry]:
    """Return the faces of all pictures in order; unreadable pictures have none."""
    return [
        Entry(one, number)
        for one in finished
        if one.result.error is None
        for number in (range(1, len(one.result.faces) + 1) if one.result.faces else [0])
    ]


def groups_of(entries: Sequence[Entry], labels: Sequence[str], unsure_below: float) -> dict[str, list[Entry]]:
    """Group the faces by `Entry.called`, in the order of the labels; no group is empty.

    Labels of an earlier model come last.
    """
    groups: dict[str, list[Entry]] = {name: [] for name in (*labels, UNSURE, NO_FACE)}
    for entry in entries:
        groups.setdefault(entry.called(unsure_below), []).append(entry)
    return {name: group for name, group in groups.items() if group}


def select(
    entries: Sequence[Entry], wanted: Sequence[str], unsure_below: float, order: str, differing: bool = False
) -> list[Entry]:
    """Filter and sort entries.

    Args:
        entries: from `entries_of`.
        wanted: values of `Entry.called` to keep; all if empty.
        unsure_below: the confidence below which a face is unsure, 0..1.
        order: one of `ORDERS`; pictures without a face come last if it is by confidence.
        differing: whether to keep only faces whose two readings differ.
    """
    chosen = [
        entry
        for entry in entries
        if (not wanted or entry.called(unsure_below) in wanted)
        and (not differing or (entry.face and entry.face.differing))
    ]
    if order != BY_NAME:
        sign = -1 if order == SUREST else 1
        chosen.sort(key=lambda entry: sign * entry.face.confidence if entry.face else 2.0)
    return chosen


def pictures_of(entries: Sequence[Entry]) -> list[Finished]:
    """Return the pictures of the faces, each once."""
    return list({entry.finished.picture: entry.finished for entry in entries}.values())


def annotated_zip(finished: Sequence[Finished]) -> bytes:
    """Return a ZIP of the annotated copies, in the folders of their pictures."""
    packed, taken = io.BytesIO(), set[PurePath]()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:  # JPEGs do not compress further
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
