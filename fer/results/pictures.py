"""Faces as CSV and JSON, the same for the command line and the pages."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

from fer.faces import Face
from fer.names import as_cell, not_a_formula
from fer.recognition.quality import concerns
from fer.results.corrections import face_key

READING_COLUMNS = ("x1", "y1", "x2", "y2", "score", "label", "confidence")
"""Columns for a face in every table, of a picture or a frame; the probability of each label comes later."""
BOX_DIGITS, DIGITS = 1, 4
"""Decimal places of pixels, and of scores and probabilities, in every table."""
FACE_COLUMNS = ("path", "face", *READING_COLUMNS)
"""The first columns of a table of faces; `face` counts from 1 in each picture."""
TOLD_COLUMNS = ("raters_say", "label_says", "concerns")
"""Columns after the labels in every table, see `told_of`."""
CORRECTED = "corrected_label"
"""Column of the label that a person clicked, whether it corrects or confirms the model's."""


@dataclass(frozen=True)
class PictureResult:
    """The faces in one picture, or why it could not be read."""

    path: str
    faces: tuple[Face, ...] = ()
    error: str | None = None
    size_wh: tuple[int, int] | None = None
    """Width and height of the picture in pixels; None if it could not be read."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON: path, faces, and size and error if known."""
        record: dict[str, Any] = {"path": self.path, "faces": [face.to_dict() for face in self.faces]}
        if self.size_wh:
            record["size"] = list(self.size_wh)
        if self.error is not None:
            record["error"] = self.error
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "PictureResult":
        """Return the result that `to_dict` was called on."""
        size_wh = tuple(record["size"]) if "size" in record else None  # earlier versions did not keep it
        return cls(record["path"], tuple(map(Face.from_dict, record["faces"])), record.get("error"), size_wh)


def to_json(results: Sequence[PictureResult], unsure_below: float, corrected: Mapping[str, str] | None = None) -> str:
    """Return a JSON list with an object for each picture, in ASCII, so that odd file names cannot break it.

    Each face has its `concerns`, and `CORRECTED` if `corrected` has a label for its `face_key`.
    """
    records = [result.to_dict() for result in results]
    for result, record in zip(results, records, strict=True):
        for face, written in zip(result.faces, record["faces"], strict=True):
            written["concerns"] = list(concerns(face, unsure_below))
            if corrected and (label := corrected.get(face_key(face))):
                written[CORRECTED] = label
    return json.dumps(records, indent=1)


def to_csv(
    results: Sequence[PictureResult],
    labels: Sequence[str],
    unsure_below: float,
    corrected: Mapping[str, str] | None = None,
) -> str:
    """Return CSV (RFC 4180) with a line for each face, a column for each label of the model, and `concerns`.

    If `corrected` is given, the last column, `CORRECTED`, has its label for the `face_key` of a face, or is empty.
    """
    text = io.StringIO()
    table = csv.writer(text)
    more = () if corrected is None else (CORRECTED,)
    table.writerow([*FACE_COLUMNS, *map(not_a_formula, labels), *TOLD_COLUMNS, *more])
    for result in results:
        for face, row in zip(result.faces, face_rows(result, unsure_below), strict=True):
            told = () if corrected is None else (corrected.get(face_key(face), ""),)
            table.writerow(map(_cell, (*row, *told), chain((0, 0, *[BOX_DIGITS] * 4), repeat(DIGITS))))
    return text.getvalue()


def _cell(value: Any, digits: int) -> Any:
    return as_cell(value) if value is None or isinstance(value, str) else round(value, digits)


def face_rows(result: PictureResult, unsure_below: float) -> Iterator[tuple[Any, ...]]:
    """Yield a row for each face: `FACE_COLUMNS`, the probability of each label, `TOLD_COLUMNS`."""
    for number, face in enumerate(result.faces, start=1):
        place = result.path, number, *face.box.xyxy, face.score
        yield *place, face.label, face.confidence, *face.probabilities, *told_of(face, unsure_below)


def told_of(face: Face, unsure_below: float) -> tuple[str | None, str | None, str]:
    """Return the values of `TOLD_COLUMNS`: `Face.said`, None if the model has one head, and `concern_words`."""
    return *(face.said or (None, None)), concern_words(face, unsure_below)


def concern_words(face: Face, unsure_below: float) -> str:
    """Return the reasons not to trust a reading, one word each: "small, dark"; "" if there are none."""
    return ", ".join(concerns(face, unsure_below))
