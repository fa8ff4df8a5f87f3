"""What is kept of an analysis: what lists say of it, and for how long."""

from collections.abc import Mapping
from dataclasses import dataclass, field

PHOTO, FOLDER, VIDEO, WEBCAM = KINDS = ("photo", "folder", "video", "webcam")
RUNNING, COMPLETE, INTERRUPTED = "running", "complete", "interrupted"
PICTURES, RESULTS, NOTHING = KEPT = ("pictures", "results", "nothing")
"""What is kept: pictures and videos, too; what was found, with small thumbnails of the faces; nothing."""
DOMINANT = 2
"""How many expressions a list names."""


@dataclass(frozen=True)
class Figures:
    """The numbers of a result."""

    faces: int = 0
    pictures: int = 0
    """Of a folder."""
    people: int = 0
    """Of what moves."""
    seconds: float = 0.0
    """How long a video or a recording is."""
    expressions: Mapping[str, float] = field(default_factory=dict)
    """Label → how many faces, or seconds of what moves, show it; unsure ones are not counted."""

    @property
    def dominant(self) -> tuple[str, ...]:
        """The most frequent expressions, at most `DOMINANT`, in the order of their frequency."""
        ranked = sorted(self.expressions.items(), key=lambda pair: -pair[1])
        return tuple(label for label, count in ranked[:DOMINANT] if count > 0)


@dataclass(frozen=True)
class Result:
    """A result as lists show it. Its files are read with `ResultStore.record` and the like."""

    id: str
    """Cannot be guessed."""
    owner: str
    """"" for whoever sits at the machine, else the key of a visitor."""
    kind: str
    """One of `KINDS`."""
    name: str
    created: float
    """Seconds since 1970."""
    changed: float
    """When something was last found, likewise; the order of lists, and what the expiry counts from."""
    state: str
    """`RUNNING`, `COMPLETE` or `INTERRUPTED`; of one with a job, the job knows better."""
    model: str = ""
    """What people call the model."""
    model_sha: str = ""
    figures: Figures = Figures()
    people: tuple[str, ...] = ()
    """What people who were seen are called."""
    source: str = ""
    """What tells whether the same is analyzed again: then there is one result of it. "": each is another one."""
    job: str = ""
    """The folder of the job that makes it, from the data folder on: "videos/ID"; "" where none does."""
    job_bytes: int = 0
    """How much the job's folder takes."""
    file_bytes: int = 0
    """How much its own files take."""
    deleted_at: float | None = None
    """When somebody deleted it, seconds since 1970; until it is gone for good it can come back."""
    token: str | None = None
    """Opens it for others who have it; None: nobody else may see it."""

    @property
    def size_bytes(self) -> int:
        """How much it takes on the disk."""
        return self.file_bytes + self.job_bytes

    @property
    def words(self) -> str:
        """What a search looks at."""
        shown = (label for label, count in self.figures.expressions.items() if count > 0)
        return "\n".join((self.name, self.kind, *self.people, *shown)).casefold()


@dataclass(frozen=True)
class Settings:
    """What is kept, and until when."""

    keep: str = RESULTS
    """One of `KEPT`."""
    limit_bytes: int = 5 * 10**9
    """For the owner of the machine, and as much for all visitors from elsewhere, who share it."""
    expiry_days: int | None = 90
    """None: results do not become too old."""

    def __post_init__(self) -> None:
        if self.keep not in KEPT or self.limit_bytes < 0 or (self.expiry_days is not None and self.expiry_days < 1):
            raise ValueError(f"expected one of {KEPT}, a limit from 0 on, and at least a day, got {self}")


@dataclass(frozen=True)
class Page:
    """A part of a list."""

    results: tuple[Result, ...]
    total: int
    """How many there are in all of what was asked for."""


@dataclass(frozen=True)
class Usage:
    """How much room somebody's results take."""

    count: int
    size_bytes: int


@dataclass(frozen=True)
class Notice:
    """Something that went without anybody asking for it, which is said until somebody has read it."""

    name: str
    kind: str
    time: float
    """Seconds since 1970."""
    why: str
    """`TOO_OLD`, `NO_ROOM` or `DAMAGED`."""


TOO_OLD, NO_ROOM, DAMAGED = "too old", "no room", "damaged"
