"""What was seen in a video file: every face of every frame in a few dozen bytes, and what follows from that."""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np

from fer.labels import canonical_label
from fer.video.tracking import TrackedFace

PLEASANT = frozenset({"happiness"})
UNPLEASANT = frozenset({"sadness", "anger", "disgust", "fear", "contempt"})
"""Which side of the valence axis each expression lies on (Russell 1980); the others lie on neither."""
LONGEST_GAP_SECONDS = 0.5
"""A pause longer than this between two frames in which somebody was seen ends what was shown."""
SHORTEST_MOMENT_SECONDS = 0.3
"""What somebody showed for less time in all is no key moment: nobody would see it in the video either."""
MOST_MOMENTS = 12


@dataclass(frozen=True)
class Span:
    """One person showed one expression for a while."""

    person: int
    label: str
    start: float
    """Seconds of the video."""
    end: float
    peak_seconds: float
    """When it was most confident."""
    confidence: float
    """At that moment, 0..1."""

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.end - self.start


@dataclass(frozen=True)
class Transition:
    """A person went from one expression to another."""

    person: int
    seconds: float
    before: str
    after: str


@dataclass(frozen=True, eq=False)
class Moment:
    """A person at the most confident moment of an expression."""

    person: int
    label: str
    seconds: float
    confidence: float
    thumbnail: bytes
    """The face, JPEG."""


@dataclass(frozen=True, eq=False)
class ClipResult:
    """All that was seen in a video, or in the part of it that was looked at."""

    name: str
    size_wh: tuple[int, int]
    """Of the video's pictures as they are to be seen, in pixels; boxes are in these."""
    labels: tuple[str, ...]
    starts: float
    """When the first frame that was looked at is shown, in seconds of the video; the annotated video begins there."""
    ends: float
    """Seconds of the video at which the last frame that was looked at ends."""
    frame_numbers: np.ndarray
    """Of the frames that were looked at, int (n,), from 0 at the file's first."""
    frame_seconds: np.ndarray
    """When they are shown, float (n,)."""
    places: np.ndarray
    """For each row the index of its frame among these, int (rows,), in order."""
    persons: np.ndarray
    """From 1, int (rows,)."""
    held: np.ndarray
    """Index of the label that is shown, int (rows,)."""
    boxes: np.ndarray
    """x1, y1, x2, y2, float32 (rows, 4)."""
    scores: np.ndarray
    """Of the detector, float32 (rows,)."""
    probabilities: np.ndarray
    """Averaged over time, float32 (rows, K)."""
    peaks: tuple[Moment, ...] = ()
    """The most confident moment of each person and label."""
    complete: bool = True
    """Whether the video was looked at up to its end, or to where it should be."""
    problem: str = ""
    """What is wrong with the file."""

    @property
    def seconds(self) -> float:
        """How much of the video was looked at."""
        return max(self.ends - self.starts, 0.0)

    @cached_property
    def lasted(self) -> np.ndarray:
        """Return how long each frame that was looked at stands, until the next one, float (n,)."""
        steps = np.diff(self.frame_seconds, append=self.ends)
        # Pictures of a slide show or a recording with holes: nobody knows what was between them.
        return np.clip(steps, 0, max(LONGEST_GAP_SECONDS, 1.5 * float(np.median(steps)) if len(steps) else 0.0))

    @cached_property
    def people(self) -> list[int]:
        """Return the numbers of all persons."""
        return [int(person) for person in np.unique(self.persons)]

    @cached_property
    def spans(self) -> list[Span]:
        """Return who showed what from when to when, person after person, in the order of time."""
        return [span for person in self.people for span in self._spans_of(person)]

    def _spans_of(self, person: int) -> list[Span]:
        rows = np.flatnonzero(self.persons == person)
        starts = self.frame_seconds[self.places[rows]]
        ends = starts + self.lasted[self.places[rows]]
        pause = starts[1:] - ends[:-1]
        new = (np.diff(self.held[rows]) != 0) | (pause > LONGEST_GAP_SECONDS)
        spans = []
        for own in np.split(np.arange(len(rows)), np.flatnonzero(new) + 1):
            label = int(self.held[rows[own[0]]])
            confidences = self.probabilities[rows[own], label]
            peak = int(confidences.argmax())
            spans.append(
                Span(
                    person,
                    self.labels[label],
                    float(starts[own[0]]),
                    float(ends[own[-1]]),
                    float(starts[own[peak]]),
                    float(confidences[peak]),
                )
            )
        return spans

    def summary(self) -> dict[int, dict[str, float]]:
        """Return person → label → seconds, the longest first."""
        totals: dict[int, dict[str, float]] = {person: defaultdict(float) for person in self.people}
        for span in self.spans:
            totals[span.person][span.label] += span.seconds
        return {p: dict(sorted(seconds.items(), key=lambda pair: -pair[1])) for p, seconds in totals.items()}

    def transitions(self) -> list[Transition]:
        """Return all changes from one expression to the next, in the order of time."""
        changes = [
            Transition(after.person, after.start, before.label, after.label)
            for before, after in pairwise(self.spans)
            if before.person == after.person
            and before.label != after.label
            and after.start - before.end <= LONGEST_GAP_SECONDS
        ]
        return sorted(changes, key=lambda change: (change.seconds, change.person))

    def key_moments(self) -> list[Moment]:
        """Return where each person showed each expression most, those that were shown longest, in the order of time."""
        shown = {(person, label): seconds for person, own in self.summary().items() for label, seconds in own.items()}
        worth = [peak for peak in self.peaks if shown.get((peak.person, peak.label), 0.0) >= SHORTEST_MOMENT_SECONDS]
        longest = sorted(worth, key=lambda peak: -shown[peak.person, peak.label])[:MOST_MOMENTS]
        return sorted(longest, key=lambda peak: (peak.seconds, peak.person))

    @cached_property
    def tone(self) -> np.ndarray | None:
        """Return pleasant minus unpleasant expressions of each row, -1..1, float (rows,).

        It is derived: the share of happiness minus the shares of sadness, anger, disgust, fear and contempt, a rough
        stand-in for valence. No network was trained for it. None where the model does not know both sides.
        """
        words = [canonical_label(label) for label in self.labels]
        sides = np.array([(word in PLEASANT) - 1.0 * (word in UNPLEASANT) for word in words])
        if not (sides > 0).any() or not (sides < 0).any():
            return None
        shares = self.probabilities / np.maximum(self.probabilities.sum(axis=1, keepdims=True), 1e-12)
        return shares @ sides

    def tone_of(self, person: int) -> float | None:
        """Return a person's mean tone over the time in view."""
        if self.tone is None:
            return None
        own = self.persons == person
        weights = self.lasted[self.places[own]] + 1e-9
        return float(np.average(self.tone[own], weights=weights))

    def rows_at(self, seconds: float) -> np.ndarray:
        """Return the rows of the frame that is shown at a moment, int (faces,)."""
        if not len(self.frame_seconds):
            return np.array([], int)
        place = max(int(np.searchsorted(self.frame_seconds, seconds + 1e-6)) - 1, 0)
        return np.arange(np.searchsorted(self.places, place), np.searchsorted(self.places, place + 1))


@dataclass
class Recorder:
    """Takes in frame after frame; 34 bytes a face and 4 for each of its probabilities, however long the video is."""

    labels: tuple[str, ...]
    _frame_numbers: "array[int]" = field(default_factory=lambda: array("q"))
    _frame_seconds: "array[float]" = field(default_factory=lambda: array("d"))
    _places: "array[int]" = field(default_factory=lambda: array("q"))
    _persons: "array[int]" = field(default_factory=lambda: array("i"))
    _held: "array[int]" = field(default_factory=lambda: array("h"))
    _boxes: "array[float]" = field(default_factory=lambda: array("f"))
    _scores: "array[float]" = field(default_factory=lambda: array("f"))
    _probabilities: "array[float]" = field(default_factory=lambda: array("f"))

    def add(self, number: int, seconds: float, faces: Sequence[TrackedFace], scale: float) -> None:
        """Take in a frame that was looked at.

        Args:
            number: of the frame in the file.
            seconds: when it is shown; must not go back.
            faces: in it.
            scale: what their boxes are multiplied with.
        """
        for face in faces:
            self._places.append(len(self._frame_numbers))
            self._persons.append(face.track_id or 0)
            self._held.append(face.held)
            self._boxes.extend(value * scale for value in face.box.xyxy)
            self._scores.append(face.score)
            self._probabilities.extend(face.probabilities)
        self._frame_numbers.append(number)
        self._frame_seconds.append(seconds)

    @property
    def frames(self) -> int:
        """How many were looked at."""
        return len(self._frame_numbers)

    def result(
        self,
        name: str,
        size_wh: tuple[int, int],
        ends: float,
        peaks: Sequence[Moment],
        complete: bool,
        problem: str,
    ) -> ClipResult:
        """Return all of it, see `ClipResult`."""
        return ClipResult(
            name,
            size_wh,
            self.labels,
            self._frame_seconds[0] if self._frame_seconds else ends,
            ends,
            np.array(self._frame_numbers),
            np.array(self._frame_seconds),
            np.array(self._places),
            np.array(self._persons),
            np.array(self._held),
            np.array(self._boxes, np.float32).reshape(-1, 4),
            np.array(self._scores),
            np.array(self._probabilities, np.float32).reshape(-1, len(self.labels)),
            tuple(peaks),
            complete,
            problem,
        )
