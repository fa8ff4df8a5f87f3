"""Results as Parquet: a row for each face, and beside it a table with a row for each picture."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fer.errors import CollectionError
from fer.files import replace_file
from fer.results.pictures import PictureResult, concern_words

if TYPE_CHECKING:
    import pyarrow as pa

FACES, PICTURES = "faces.parquet", "pictures.parquet"
ROWS = 20_000
"""Pictures that are in memory at once."""


def write_parquet(folder: Path, results: Iterable[PictureResult], labels: Sequence[str], unsure_below: float) -> None:
    """Write two tables, each whole or not at all.

    faces.parquet has a row for each face: picture, face (from 1), box, detector's score, label, confidence, for each
    label the probability, and what speaks against trusting it. pictures.parquet has a row for each picture: how many
    faces it has, 0 where there is none, and why it could not be read, null where it could.

    Args:
        folder: is made if it is not there.
        results: pictures in any order; read once.
        labels: the model's.
        unsure_below: see `concerns`.

    Raises:
        CollectionError: the files cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    face_schema, picture_schema = _schemas(labels)

    def write(faces_file: BinaryIO) -> None:
        def write_both(pictures_file: BinaryIO) -> None:
            with (
                pq.ParquetWriter(faces_file, face_schema) as faces,
                pq.ParquetWriter(pictures_file, picture_schema) as pictures,
            ):
                for part in _parts(results):
                    rows = [row for result in part for row in _face_rows(result, unsure_below)]
                    faces.write_table(pa.Table.from_pylist(rows, face_schema))
                    pictures.write_table(pa.Table.from_pylist(list(map(_picture_row, part)), picture_schema))

        replace_file(folder / PICTURES, write_both)

    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / FACES, write)
    except OSError as error:
        raise CollectionError(f"the tables cannot be written to {folder}: {error}. Choose another folder.") from error


def _schemas(labels: Sequence[str]) -> "tuple[pa.Schema, pa.Schema]":
    import pyarrow as pa

    box = [(name, pa.float64()) for name in ("x1", "y1", "x2", "y2", "score")]
    named = [("label", pa.string()), ("confidence", pa.float64())]
    probabilities = [(f"probability_{label}", pa.float64()) for label in labels]
    concerns = ("concerns", pa.string())
    faces = pa.schema([("path", pa.string()), ("face", pa.int32()), *box, *named, *probabilities, concerns])
    return faces, pa.schema([("path", pa.string()), ("faces", pa.int32()), ("error", pa.string())])


def _parts(results: Iterable[PictureResult]) -> Iterator[list[PictureResult]]:
    remaining = iter(results)
    while part := list(islice(remaining, ROWS)):
        yield part


def _face_rows(result: PictureResult, unsure_below: float) -> Iterator[dict[str, Any]]:
    for number, face in enumerate(result.faces, start=1):
        x1, y1, x2, y2 = face.box.xyxy
        yield {
            "path": _text(result.path), "face": number, "x1": x1, "y1": y1, "x2": x2, "y2": y2, "score": face.score,
            "label": face.label, "confidence": face.confidence,
            **{f"probability_{label}": value for label, value in zip(face.labels, face.probabilities, strict=True)},
            "concerns": concern_words(face, unsure_below),
        }  # fmt: skip


def _picture_row(result: PictureResult) -> dict[str, Any]:
    error = None if result.error is None else _text(result.error)
    return {"path": _text(result.path), "faces": len(result.faces), "error": error}


def _text(text: str) -> str:
    """Return a file's name in UTF-8; bytes of another encoding are written as \\udcXX."""
    return text.encode(errors="backslashreplace").decode()
