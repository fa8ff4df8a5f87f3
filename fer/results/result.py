"""A result as lists show it, and the settings for what is kept and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PHOTO, FOLDER, VIDEO, WEBCAM = KINDS = ("photo", "folder", "video", "webcam")
NAMES = {PHOTO: "Photo", FOLDER: "Many photos", VIDEO: "Video", WEBCAM: "Recording"}
"""Kind → its name on the pages and in searches."""
RUNNING, COMPLETE, INTERRUPTED, FAILED = "running", "complete", "interrupted", "failed"
PICTURES, RESULTS, NOTHING = KEPT = ("pictures", "results", "nothing")
"""What is kept: results with pictures and videos; results with small thumbnails of the faces only; nothing."""
DOMINANT = 2
"""How many expressions a list shows."""


@dataclass(frozen=True)
class Figures:
    """The figures of a result."""

    faces: int = 0
    pictures: int = 0
    """The number of photos in a folder; otherwise 0."""
    people: int = 0
    """The number of people in a video or a recording; otherwise 0."""
    seconds: float = 0.0
    """The length of a video or a recording; otherwise 0."""
    expressions: Mapping[str, float] = field(default_factory=dict)
    """Label → number of faces, or seconds of a video or a recording; unsure readings are not counted."""

    @property
    def dominant(self) -> tuple[str, ...]:
        """The most frequent expressions, at most `DOMINANT`, the most frequent first."""
        ranked = sorted(self.expressions.items(), key=lambda pair: -pair[1])
        return tuple(label for label, count in ranked[:DOMINANT] if count > 0)


@dataclass(frozen=True)
class Result:
    """A result as lists show it. Its files are read with `ResultStore.record` and the like."""

    id: str
    """Random and unguessable."""
    owner: str
    """"" for the owner of the machine, else the key of a visitor."""
    kind: str
    """One of `KINDS`."""
    name: str
    created: float
    """Seconds since 1970."""
    changed: float
    """When something was last found, in seconds since 1970; lists are sorted by it, and results expire by it."""
    state: str
    """`RUNNING`, `COMPLETE`, `INTERRUPTED` or `FAILED`; if there is a job, its own state counts."""
    model: str = ""
    """The readable name of the model."""
    model_sha: str = ""
    figures: Figures = Figures()
    people: tuple[str, ...] = ()
    """The names given to people in it."""
    source: str = ""
    """Identifies the analyzed data: an owner has one result for each source. "" is always a new one."""
    job: str = ""
    """The folder of the job behind it, relative to the data folder: "videos/ID"; "" if there is none."""
    job_bytes: int = 0
    """The size of the job's folder."""
    file_bytes: int = 0
    """The size of the result's own files."""
    deleted_at: float | None = None
    """When it was deleted, in seconds since 1970; it can be restored until it is removed for good."""
    token: str | None = None
    """Opens the result for anybody who has it; None if it is not shared."""

    @property
    def size_bytes(self) -> int:
        """The size on disk."""
        return self.file_bytes + self.job_bytes

    @property
    def words(self) -> str:
        """The text that searches match."""
        shown = (label for label, count in self.figures.expressions.items() if count > 0)
        return "\n".join((self.name, self.kind, NAMES[self.kind], self.model, *self.people, *shown)).casefold()


@dataclass(frozen=True)
class Settings:
    """What is kept, and for how long."""

    keep: str = RESULTS
    """One of `KEPT`."""
    limit_bytes: int = 5 * 10**9
    """Storage for the owner of the machine, and the same again for all remote visitors together."""
    expiry_days: int | None = 90
    """None if results never expire."""

    def __post_init__(self) -> None:
        if self.keep not in KEPT or self.limit_bytes < 0 or (self.expiry_days is not None and self.expiry_days < 1):
            raise ValueError(f"expected one of {KEPT}, a limit of 0 or more, and 1 day or more, found {self}")


@dataclass(frozen=True)
class Page:
    """A part of a list."""

    results: tuple[Result, ...]
    total: int
    """How many results match in all."""


@dataclass(frozen=True)
class Usage:
    """The storage that an owner's results use."""

    count: int
    size_bytes: int


@dataclass(frozen=True)
class Notice:
    """A result that was removed automatically; shown until its owner dismisses the notice."""

    name: str
    kind: str
    time: float
    """Seconds since 1970."""
    why: str
    """`TOO_OLD`, `NO_ROOM` or `DAMAGED`."""


TOO_OLD, NO_ROOM, DAMAGED = "too old", "no room", "damaged"
