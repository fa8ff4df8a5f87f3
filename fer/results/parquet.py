"""Results as Parquet: a table with a row for each face, and one with a row for each picture."""

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from fer.errors import CollectionError
from fer.files import file_errors, replace_file
from fer.results.pictures import FACE_COLUMNS, TOLD_COLUMNS, PictureResult, face_rows

if TYPE_CHECKING:
    import pyarrow as pa

FACES, PICTURES = "faces.parquet", "pictures.parquet"
ROWS = 20_000
"""How many pictures are in memory at once."""


def write_parquet(folder: Path, results: Iterable[PictureResult], labels: Sequence[str], unsure_below: float) -> None:
    """Write two tables, each as a whole or not at all.

    faces.parquet has a row for each face: the picture, the number of the face (from 1), the bounding box, the
    detector's score, the label, its confidence, the probability of each label, the labels of the rater head and the
    second head (null if the model has one head), and the concerns. pictures.parquet has a row for each picture: the
    number of faces, 0 or more, and the error, null if the picture could be read. `results` is iterated once.

    Raises:
        CollectionError: the files cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    face_schema, picture_schema = _schemas(labels)
    remaining = iter(results)

    def write(faces_file: BinaryIO) -> None:
        def write_both(pictures_file: BinaryIO) -> None:
            with (
                pq.ParquetWriter(faces_file, face_schema) as faces,
                pq.ParquetWriter(pictures_file, picture_schema) as pictures,
            ):
                while part := list(islice(remaining, ROWS)):
                    rows = [_record(face_schema, row) for one in part for row in face_rows(one, unsure_below)]
                    faces.write_table(pa.Table.from_pylist(rows, face_schema))
                    rows = [_record(picture_schema, (one.path, len(one.faces), one.error)) for one in part]
                    pictures.write_table(pa.Table.from_pylist(rows, picture_schema))

        replace_file(folder / PICTURES, write_both)

    with file_errors(f"the tables cannot be written to {folder}", CollectionError):
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / FACES, write)


def _schemas(labels: Sequence[str]) -> "tuple[pa.Schema, pa.Schema]":
    import pyarrow as pa

    kinds = {"path": pa.string(), "face": pa.int32(), "label": pa.string()}
    start = [(name, kinds.get(name, pa.float64())) for name in FACE_COLUMNS]
    probabilities = [(f"probability_{label}", pa.float64()) for label in labels]
    words = [(name, pa.string()) for name in TOLD_COLUMNS]
    faces = pa.schema([*start, *probabilities, *words])
    return faces, pa.schema([("path", pa.string()), ("faces", pa.int32()), ("error", pa.string())])


def _record(schema: "pa.Schema", row: Iterable[Any]) -> dict[str, Any]:
    """Return a row as a dict; bytes of file names that are not UTF-8 are written as \\udcXX."""
    values = (value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value for value in row)
    return dict(zip(schema.names, values, strict=True))
