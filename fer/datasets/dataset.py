"""The common form of an opened data set: pictures, a distribution over labels for each, splits and people."""

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from fer.errors import DatasetError, ImageError
from fer.faces import Detection
from fer.images import read_image
from fer.model.preprocessing import Preprocessing

SPLITS = ("train", "validation", "test")
RULES = ("majority", "argmax")

Progress = Callable[[int, int], None]
"""Called with (done, total); while a data set is opened, during the search for duplicates."""


@dataclass(frozen=True)
class FaceInFrame:
    """A picture that shows more than the face, which is cropped on reading, as in prediction."""

    path: Path
    face: Detection


Picture = np.ndarray | Path | FaceInFrame


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """N pictures of faces with the votes of raters.

    With a single label per picture, votes are one-hot, so mixed expressions need no second code path.
    """

    name: str
    labels: tuple[str, ...]
    """K labels; known synonyms are replaced by our own words."""
    votes: np.ndarray
    """float32 (N, K), ≥ 0: how many raters chose each label."""
    splits: np.ndarray
    """str (N,): "train", "validation" or "test"."""
    pictures: Sequence[Picture] | np.ndarray
    """N pictures: gray uint8 (H, W), RGB uint8 (H, W, 3), the path of one, or a face in one."""
    other_votes: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """float32 (N, M): votes for "unknown", "not a face" and the like. M is 0 if there are no such choices."""
    subjects: np.ndarray = field(default_factory=lambda: np.empty(0, str))
    """str (N,): the person on each picture, by the data set's own name or number; "" if unknown."""
    notes: tuple[str, ...] = ()
    """What was left out or decided on opening, one sentence each."""

    def __post_init__(self) -> None:
        if not len(self.pictures):
            raise DatasetError(f"expected pictures in the data set {self.name}, found none. Check the path.")
        if self.other_votes.shape == (0, 0):
            object.__setattr__(self, "other_votes", np.zeros((len(self), 0), np.float32))
        if not len(self.subjects):
            object.__setattr__(self, "subjects", np.full(len(self), ""))

    def __len__(self) -> int:
        return len(self.pictures)

    def picture(self, index: int) -> np.ndarray:
        """Return one picture as RGB uint8 (H, W, 3), cropped to the face.

        Raises:
            ImageError: the file cannot be read.
            DatasetError: its folder is gone, and with it probably the data set.
        """
        picture = self.pictures[index]
        if isinstance(picture, np.ndarray):
            return np.repeat(picture[..., None], 3, axis=-1) if picture.ndim == 2 else picture
        file = file_of(picture)
        try:
            image = read_image(file)
        except ImageError as error:
            if not file.parent.exists():
                raise DatasetError(
                    f"expected the folder {file.parent} of the data set {self.name}, but it is gone. Restore it (was "
                    "a disk removed, or a folder moved?) and start again."
                ) from error
            raise
        return Preprocessing().crop(image, picture.face) if isinstance(picture, FaceInFrame) else image

    def read(self, rows: np.ndarray, progress: Progress | None = None) -> Iterator[tuple[int, np.ndarray | ImageError]]:
        """Yield (row, its picture as RGB uint8 (H, W, 3) or the error) for these rows, int (n,).

        Raises:
            DatasetError: the data set has disappeared meanwhile.
        """
        for done, row in enumerate(rows.tolist(), start=1):
            found: np.ndarray | ImageError
            try:
                found = self.picture(row)
            except ImageError as error:
                found = error
            yield row, found
            if progress:
                progress(done, len(rows))

    def name_of(self, index: int) -> str:
        """Return a picture's name for people: the end of its path, or "picture 17", counted from 1."""
        picture = self.pictures[index]
        if isinstance(picture, np.ndarray):
            return f"picture {index + 1}"
        return "/".join(file_of(picture).parts[-2:])

    def take(self, rows: np.ndarray) -> "FaceDataset":
        """Return the data set reduced to these rows, int (n,)."""
        pictures = self.pictures[rows] if isinstance(self.pictures, np.ndarray) else [self.pictures[i] for i in rows]
        columns = {name: getattr(self, name)[rows] for name in ("votes", "splits", "other_votes", "subjects")}
        return replace(self, pictures=pictures, **columns)

    @property
    def is_rated(self) -> bool:
        """Whether several people rated each picture."""
        return bool(self.votes.sum(axis=1).max() > 1)

    @property
    def knows_everybody(self) -> bool:
        """Whether the person on every picture is known; otherwise figures on held-out pictures may be too good."""
        return bool((self.subjects != "").all())

    def fingerprint(self) -> str:
        """Return a hash of the labels, votes, splits and file names, which detects changes."""
        digest = hashlib.sha256("\0".join((*self.labels, "", *map(str, self.splits))).encode())
        digest.update(np.ascontiguousarray(self.votes, np.float32).tobytes())
        for picture in self.pictures:
            if not isinstance(picture, np.ndarray):
                file = file_of(picture)
                digest.update(os.fsencode(f"\0{file.parent.name}/{file.name}"))
        return digest.hexdigest()

    def counted_votes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (votes, other votes) without single votes, which FER+ considers outliers (arXiv:1608.01041).

        A picture whose raters all disagree keeps its votes, and so does a data set with one label per picture.
        """
        if not self.is_rated:
            return self.votes, self.other_votes
        together = np.concatenate([self.votes, self.other_votes], axis=1)
        counted = np.where(together > 1, together, 0)
        disagreed = counted.sum(axis=1) == 0
        counted[disagreed] = together[disagreed]
        return counted[:, : len(self.labels)], counted[:, len(self.labels) :]

    def rows(self, split: str = "all", rule: str = "argmax") -> np.ndarray:
        """Return the indices of the pictures that count, int (n,), ascending.

        Args:
            split: "train", "validation", "test" or "all".
            rule: "majority": one label has more than half of the counted votes (the FER+ papers' test).
                "argmax": one label has at least as many votes as any other choice.
        """
        if split not in (*SPLITS, "all"):
            raise DatasetError(f"expected a split of {', '.join(SPLITS)} or all, got {split!r}.")
        if rule not in RULES:
            raise DatasetError(f"expected a rule of {' or '.join(RULES)}, got {rule!r}.")
        votes, other = self.counted_votes()
        top = votes.max(axis=1)
        if rule == "majority":
            counts = top * 2 > votes.sum(axis=1) + other.sum(axis=1)
        else:
            counts = (top > 0) & (top >= other.max(axis=1, initial=0))
        inside = np.ones(len(self), bool) if split == "all" else self.splits == split
        return np.flatnonzero(counts & inside)

    def truth(self, rows: np.ndarray) -> np.ndarray:
        """Return the index of the label with the most votes, int (n,)."""
        return self.counted_votes()[0][rows].argmax(axis=1)

    def distributions(self, rows: np.ndarray) -> np.ndarray:
        """Return the counted votes as shares, float32 (n, K), each row summing to 1."""
        votes = self.counted_votes()[0][rows]
        return (votes / votes.sum(axis=1, keepdims=True)).astype(np.float32)


def file_of(picture: Path | FaceInFrame) -> Path:
    """Return the file of a picture."""
    return picture.path if isinstance(picture, FaceInFrame) else picture


@dataclass(frozen=True, eq=False)
class PreparedFaces:
    """Pictures as network inputs."""

    pixels: np.ndarray
    """uint8 (n, channels, size, size)"""
    rows: np.ndarray
    """int (n,): their indices in the data set."""
    broken: tuple[str, ...] = ()
    """Errors of the pictures that were left out."""
    digests: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint32))
    """uint32 (n,): CRC-32 of each picture's original pixels, to identify it."""


def some_faces(dataset: FaceDataset, preprocessing: Preprocessing, count: int) -> np.ndarray:
    """Return `count` random training pictures as network inputs: uint8 (n, C, S, S).

    Raises:
        DatasetError: there are none.
    """
    rows = dataset.rows("train")
    if not len(rows):
        raise DatasetError(f"expected training pictures in {dataset.name}, found none. Choose another data set.")
    chosen = np.random.default_rng(0).permutation(rows)[:count]
    return prepare_faces(dataset, np.sort(chosen), preprocessing).pixels


def prepare_faces(
    dataset: FaceDataset, rows: np.ndarray, preprocessing: Preprocessing, progress: Progress | None = None
) -> PreparedFaces:
    """Read pictures that are face crops and shrink them. Broken ones are left out and listed.

    Raises:
        DatasetError: no picture could be read, or the data set has disappeared meanwhile.
    """
    pixels = np.empty((len(rows), preprocessing.channels, preprocessing.size_px, preprocessing.size_px), np.uint8)
    kept: list[int] = []
    digests: list[int] = []
    broken: list[str] = []
    for row, picture in dataset.read(rows, progress):
        if isinstance(picture, ImageError):
            broken.append(str(picture))
        else:
            pixels[len(kept)] = preprocessing.shrink(picture)
            kept.append(row)
            digests.append(zlib.crc32(picture.tobytes()))
    if len(rows) and not kept:
        raise DatasetError(f"none of the {len(rows)} pictures in {dataset.name} can be read. The first: {broken[0]}")
    return PreparedFaces(pixels[: len(kept)], np.array(kept, int), tuple(broken), np.array(digests, np.uint32))
