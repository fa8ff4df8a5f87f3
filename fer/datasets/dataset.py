"""What every data set looks like once it is open: pictures, a distribution over labels for each, splits and people."""

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
"""Called with (done, total) while something runs; where a data set is opened, while its pictures are compared."""


@dataclass(frozen=True)
class FaceInFrame:
    """A picture with more on it than the face: it is cropped when it is read, as in prediction."""

    path: Path
    face: Detection


Picture = np.ndarray | Path | FaceInFrame


@dataclass(frozen=True, eq=False)
class FaceDataset:
    """N pictures of faces, of which some raters said what they show.

    Where there is one label for each picture, its votes are one-hot: mixed expressions need no second code path.
    """

    name: str
    labels: tuple[str, ...]
    """K words, our own where the data set's are known synonyms."""
    votes: np.ndarray
    """float32 (N, K), ≥ 0: how many raters chose each label."""
    splits: np.ndarray
    """str (N,): "train", "validation" or "test"."""
    pictures: Sequence[Picture] | np.ndarray
    """N pictures: gray uint8 (H, W), RGB uint8 (H, W, 3), the path of one, or a face in one."""
    other_votes: np.ndarray = field(default_factory=lambda: np.empty((0, 0), np.float32))
    """float32 (N, M): votes for "unknown", "not a face" and the like. M is 0 where there is no such choice."""
    subjects: np.ndarray = field(default_factory=lambda: np.empty(0, str))
    """str (N,): who is on each picture, a name or number of the data set's own; "" where that is not known."""
    notes: tuple[str, ...] = ()
    """What was left out or decided when it was opened, a sentence each."""

    def __post_init__(self) -> None:
        if not len(self.pictures):
            raise DatasetError(f"expected pictures in the data set {self.name}, found none.")
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
            DatasetError: its folder is gone, and with it most likely the data set.
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
                    f"expected the folder {file.parent} of the data set {self.name}, found that it is gone. Bring it "
                    "back (a disk that was taken off? a folder that was moved?) and start again."
                ) from error
            raise
        return Preprocessing().crop(image, picture.face) if isinstance(picture, FaceInFrame) else image

    def read(self, rows: np.ndarray, progress: Progress | None = None) -> Iterator[tuple[int, np.ndarray | ImageError]]:
        """Yield (row, its picture as RGB uint8 (H, W, 3) or what is wrong with it) for these rows, int (n,).

        Raises:
            DatasetError: the data set has vanished meanwhile.
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
        """Return what people know a picture by: the end of its path, or "picture 17", counted from 1."""
        picture = self.pictures[index]
        if isinstance(picture, np.ndarray):
            return f"picture {index + 1}"
        return "/".join(file_of(picture).parts[-2:])

    def take(self, rows: np.ndarray) -> "FaceDataset":
        """Return the data set of these rows only, int (n,)."""
        pictures = self.pictures[rows] if isinstance(self.pictures, np.ndarray) else [self.pictures[i] for i in rows]
        columns = {name: getattr(self, name)[rows] for name in ("votes", "splits", "other_votes", "subjects")}
        return replace(self, pictures=pictures, **columns)

    @property
    def is_rated(self) -> bool:
        """Whether several people rated each picture."""
        return bool(self.votes.sum(axis=1).max() > 1)

    @property
    def knows_everybody(self) -> bool:
        """Whether it is known of each picture who is on it; if not, figures of pictures held out may be too good."""
        return bool((self.subjects != "").all())

    def fingerprint(self) -> str:
        """Return a hash of the labels, the votes, the splits and the names of the files, to notice a change by."""
        digest = hashlib.sha256("\0".join((*self.labels, "", *map(str, self.splits))).encode())
        digest.update(np.ascontiguousarray(self.votes, np.float32).tobytes())
        for picture in self.pictures:
            if not isinstance(picture, np.ndarray):
                file = file_of(picture)
                digest.update(os.fsencode(f"\0{file.parent.name}/{file.name}"))
        return digest.hexdigest()

    def counted_votes(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (votes, other votes) without the single votes, which FER+ takes for slips (arXiv:1608.01041).

        A picture whose raters all disagree keeps its votes, and so does a data set with one label a picture.
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
                "argmax": a label has at least as many as any other choice.
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
    """Return the file that a picture is in."""
    return picture.path if isinstance(picture, FaceInFrame) else picture


@dataclass(frozen=True, eq=False)
class PreparedFaces:
    """Pictures as the network takes them."""

    pixels: np.ndarray
    """uint8 (n, channels, size, size)"""
    rows: np.ndarray
    """int (n,): their indices in the data set."""
    broken: tuple[str, ...] = ()
    """What was wrong with the pictures that were left out."""
    digests: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint32))
    """uint32 (n,): CRC-32 of each picture's pixels as they were, to know it again by."""


def some_faces(dataset: FaceDataset, preprocessing: Preprocessing, count: int) -> np.ndarray:
    """Return so many training pictures as the network takes them, drawn without looking: uint8 (n, C, S, S).

    Raises:
        DatasetError: there is none.
    """
    rows = dataset.rows("train")
    if not len(rows):
        raise DatasetError(f"expected training pictures in {dataset.name}, found none.")
    chosen = np.random.default_rng(0).permutation(rows)[:count]
    return prepare_faces(dataset, np.sort(chosen), preprocessing).pixels


def prepare_faces(
    dataset: FaceDataset, rows: np.ndarray, preprocessing: Preprocessing, progress: Progress | None = None
) -> PreparedFaces:
    """Read pictures that are face crops already and shrink them. Broken ones are left out and named.

    Raises:
        DatasetError: not one picture could be read, or the data set has vanished meanwhile.
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
