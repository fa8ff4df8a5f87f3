"""The timeline of a video, from any source: who showed which expression when, and figures derived from that."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from fer.faces import HUMAN_FROM, UNSURE_BELOW, Box
from fer.labels import canonical_label
from fer.video.hindsight import held_label
from fer.video.neutral import Baseline
from fer.video.tracking import TrackedFace

VALENCE = "happiness minus the strongest of sadness, anger, fear and disgust, from -1 to 1"
"""Definition of `Timeline.valence` for pages and files."""
_PLEASANT, _UNPLEASANT = ("happiness",), ("sadness", "anger", "fear", "disgust")
LONGEST_GAP_SECONDS = 0.5
"""A frame lasts until the next one, but no longer than this, because nothing is known about pauses. If frames usually
come more slowly, as in a slide show, the limit is 1.5 times the usual step. A longer absence ends a person's span."""
SHORTEST_MOMENT_SECONDS = 0.3
"""An expression shown for less than this in total has no key moment: it would be missed in the video, too."""
MOST_MOMENTS = 12
BRIEF_SECONDS, BRIEF_SHARE = 1.0, 0.05
"""People in view for less than this, in seconds and, for a short video, as a share of it, have no key moments."""
LIES_IN_SHARE = 0.5
"""A box lies in another if they share this much of the smaller one's area. The detector itself allows 0.7; the boxes of
two people side by side share less."""


@dataclass(frozen=True)
class Span:
    """A time in which one person showed one expression."""

    person: int
    label: str
    start: float
    """In seconds of the video."""
    end: float
    peak_seconds: float
    """Time of the highest confidence."""
    confidence: float
    """The highest confidence, 0..1."""

    @property
    def seconds(self) -> float:
        """Length of the span."""
        return self.end - self.start


@dataclass(frozen=True)
class Transition:
    """A person's change from one expression to another."""

    person: int
    seconds: float
    before: str
    after: str


@dataclass(frozen=True)
class Marker:
    """A visitor's text at a moment of the video."""

    seconds: float
    """In seconds of the video."""
    text: str
    """One line, not empty."""


@dataclass(frozen=True)
class Correction:
    """The label that a visitor gave a person in a frame; it may confirm the model's."""

    frame: int
    person: int
    label: str


@dataclass(frozen=True, eq=False)
class Moment:
    """The moment when a person showed an expression with the highest confidence."""

    person: int
    label: str
    seconds: float
    confidence: float
    thumbnail: bytes
    """The face as JPEG."""


def row_type(labels: int) -> np.dtype[np.void]:
    """Return the type of a timeline's rows, for this number of labels."""
    return np.dtype(
        [
            ("seconds", np.float64),  # of the video
            ("lasted", np.float64),  # seconds that the row stands for
            ("frame", np.int32),  # the number of the first frame, from 0
            ("person", np.int32),  # from 1
            ("held", np.int16),  # index of the label that is shown
            ("score", np.float32),  # of the detector
            ("score_again", np.float32),  # of the detector when the person came into view; NaN if unknown
            ("box", np.float32, (4,)),  # x1, y1, x2, y2
            ("landmarks", np.float32, (5, 2)),  # NaN if unknown
            ("probabilities", np.float32, (labels,)),  # averaged over time
            ("opinions", np.float32, (2, labels)),  # of both heads, averaged likewise; NaN if the model has one
        ]
    )


@dataclass(frozen=True, eq=False)
class Timeline:
    """The readings of a video, or of the part of it that was analyzed."""

    labels: tuple[str, ...]
    rows: np.ndarray
    """One per person and frame or, for a camera or a stream, per person and time in which the label did not change; of
    `row_type`, ordered by time. These are the raw readings, without subtracting own neutrals."""
    starts: float
    """Time of the first analyzed frame, in seconds of the video; the annotated video starts there."""
    ends: float
    """When the last analyzed frame ends, in seconds of the video."""
    frames: int
    """Number of frames analyzed."""
    name: str = ""
    """Name of the file; a camera has none."""
    size_wh: tuple[int, int] = (0, 0)
    """Size of a file's pictures when upright with square pixels; boxes are in these pixels."""
    peaks: tuple[Moment, ...] = ()
    """The peak of each person and label in a file."""
    complete: bool = True
    """Whether the file was analyzed up to its end, or up to the chosen end."""
    problem: str = ""
    """What is wrong with the file."""
    neutral: tuple[float, ...] = ()
    """The model's average neutral face, `Reading.neutral`; if empty, no own neutral can be subtracted."""
    baselines: dict[int, Baseline] = field(default_factory=dict)
    """Person → the own neutral to subtract from their readings."""
    names: dict[int, str] = field(default_factory=dict)
    """Person → name, for people with a name."""
    markers: tuple[Marker, ...] = ()
    """Ordered by time."""
    corrections: tuple[Correction, ...] = ()
    unsure_below: float = UNSURE_BELOW
    """A reading with less confidence is unsure, 0..1."""

    @cached_property
    def shown(self) -> np.ndarray:
        """The rows as they are shown, with own neutrals subtracted, which happens only here."""
        if not self.baselines:
            return self.rows
        shown = self.rows.copy()
        for person, baseline in self.baselines.items():
            own = self.of(person)
            probabilities = baseline.off(self.rows["probabilities"][own])
            shown["probabilities"][own] = probabilities
            starts, lasted = self.rows["seconds"][own], self.rows["lasted"][own]
            held, until = 0, -np.inf
            for place, row, start, end in zip(own, probabilities, starts, starts + lasted, strict=True):
                held = held_label(row, held if start - until <= LONGEST_GAP_SECONDS else None)
                shown["held"][place], until = held, end
        return shown

    @property
    def raw(self) -> "Timeline":
        """The timeline without subtracting own neutrals."""
        return replace(self, baselines={}) if self.baselines else self

    @property
    def seconds(self) -> float:
        """Length of the analyzed part."""
        return max(self.ends - self.starts, 0.0)

    @cached_property
    def people(self) -> list[int]:
        """The numbers of all people."""
        return [int(person) for person in np.unique(self.rows["person"])]

    @cached_property
    def confidences(self) -> np.ndarray:
        """The probability of each row's shown label, 0..1, float32 (rows,)."""
        return self.shown["probabilities"][np.arange(len(self.shown)), self.shown["held"]]

    def name_of(self, person: int) -> str:
        """Return a person's name, or "person 1"."""
        return self.names.get(person) or f"person {person}"

    def of(self, person: int) -> np.ndarray:
        """Return the indices of a person's rows, int (n,)."""
        return np.flatnonzero(self.rows["person"] == person)

    @cached_property
    def corrected(self) -> dict[int, str]:
        """Index of each corrected or confirmed row → the visitor's label."""
        found = {}
        for one in self.corrections:
            first, end = np.searchsorted(self.rows["frame"], (one.frame, one.frame + 1))
            for place in first + np.flatnonzero(self.rows["person"][first:end] == one.person):
                found[int(place)] = one.label
        return found

    @cached_property
    def spans(self) -> list[Span]:
        """Who showed what from when to when, ordered by person and time."""
        return [span for person in self.people for span in self._spans_of(person)]

    def _spans_of(self, person: int) -> list[Span]:
        rows = self.of(person)
        starts, held = self.rows["seconds"][rows], self.shown["held"][rows]
        ends = starts + self.rows["lasted"][rows]
        new = (np.diff(held) != 0) | (starts[1:] - ends[:-1] > LONGEST_GAP_SECONDS)
        spans = []
        for own in np.split(np.arange(len(rows)), np.flatnonzero(new) + 1):
            peak = own[self.confidences[rows[own]].argmax()]
            times = float(starts[own[0]]), float(ends[own[-1]]), float(starts[peak])
            spans.append(Span(person, self.labels[held[peak]], *times, float(self.confidences[rows[peak]])))
        return spans

    def summary(self) -> dict[int, dict[str, float]]:
        """Return person → label → seconds, longest first."""
        totals = {}
        for person in self.people:
            rows = self.shown[self.of(person)]
            seconds = np.bincount(rows["held"], rows["lasted"], len(self.labels))
            longest = sorted(np.unique(rows["held"]).tolist(), key=lambda held: -seconds[held])
            totals[person] = {self.labels[held]: float(seconds[held]) for held in longest}
        return totals

    def transitions(self) -> list[Transition]:
        """Return all changes from one expression to another, ordered by time."""
        changes = [
            Transition(after.person, after.start, before.label, after.label)
            for before, after in pairwise(self.spans)
            if before.person == after.person
            and before.label != after.label
            and after.start - before.end <= LONGEST_GAP_SECONDS
        ]
        return sorted(changes, key=lambda change: (change.seconds, change.person))

    @cached_property
    def ghosts(self) -> list[int]:
        """People who are probably detection errors: seen only briefly, or a second box on somebody else's face.

        The latter means that in at least half of their frames, their box and the box of somebody who was in view for
        longer lie in each other.
        """
        lasted = {person: float(self.rows["lasted"][self.of(person)].sum()) for person in self.people}
        brief = min(BRIEF_SECONDS, BRIEF_SHARE * self.seconds)
        # Whoever has a name was recognized by a visitor.
        return [
            person
            for person in self.people
            if person not in self.names
            and (lasted[person] < brief or 2 * len(self._within_longer(person, lasted)) >= len(self.of(person)))
        ]

    @cached_property
    def doubted(self) -> list[int]:
        """People who may not be human faces: `looks_human` is false for most of their time in view."""
        doubtful = np.where(self.rows["score_again"] < HUMAN_FROM, 1.0, -1.0) * self.rows["lasted"]
        return [person for person in self.people if doubtful[self.of(person)].sum() > 0]

    def _within_longer(self, person: int, lasted: dict[int, float]) -> np.ndarray:
        """Return the frames where a person's box and that of somebody seen for longer lie in each other."""
        own = np.sort(self.rows[self.of(person)], order="frame")
        longer = [other for other in self.people if (lasted[other], -other) > (lasted[person], -person)]
        others = self.rows[np.isin(self.rows["person"], longer) & np.isin(self.rows["frame"], own["frame"])]
        mine = own["box"][np.searchsorted(own["frame"], others["frame"])]
        shared = _area(np.maximum(mine, others["box"])[:, :2], np.minimum(mine, others["box"])[:, 2:])
        smaller = np.minimum(*(_area(boxes[:, :2], boxes[:, 2:]) for boxes in (mine, others["box"])))
        return np.unique(others["frame"][shared >= LIES_IN_SHARE * np.maximum(smaller, 1e-9)])

    def key_moments(self) -> list[Moment]:
        """Return the peaks of the expressions that were shown the longest, ordered by time, without ghosts."""
        shown = {(person, label): seconds for person, own in self.summary().items() for label, seconds in own.items()}
        peaks = self._peaks_as_shown() if self.baselines else list(self.peaks)
        peaks = [peak for peak in peaks if peak.person not in self.ghosts]
        worth = [peak for peak in peaks if shown.get((peak.person, peak.label), 0.0) >= SHORTEST_MOMENT_SECONDS]
        longest = sorted(worth, key=lambda peak: -shown[peak.person, peak.label])[:MOST_MOMENTS]
        return sorted(longest, key=lambda peak: (peak.seconds, peak.person))

    def _peaks_as_shown(self) -> list[Moment]:
        """Return the recorded peaks, each with the label shown at that moment after subtracting own neutrals."""
        best: dict[tuple[int, str], Moment] = {}
        for peak in self.peaks:
            for face in self.faces_at(peak.seconds):
                key = face.track_id or 0, face.label
                if key[0] == peak.person and (key not in best or face.confidence > best[key].confidence):
                    best[key] = replace(peak, label=face.label, confidence=face.confidence)
        return list(best.values())

    @cached_property
    def valence(self) -> np.ndarray | None:
        """Happiness minus the strongest of sadness, anger, fear and disgust, -1..1, float (rows,).

        FaceReader's definition (Noldus, reference manual), computed from the probabilities: no network was trained for
        it. None if the model lacks the label happiness, or all of the others.
        """
        words = [canonical_label(label) for label in self.labels]
        sides = [np.isin(words, side) for side in (_PLEASANT, _UNPLEASANT)]
        if not all(side.any() for side in sides):
            return None
        pleasant, unpleasant = (self.shown["probabilities"][:, side].max(axis=1) for side in sides)
        return pleasant - unpleasant

    def valence_of(self, person: int) -> float | None:
        """Return a person's mean valence over the time in view."""
        if self.valence is None:
            return None
        own = self.of(person)
        return float(np.average(self.valence[own], weights=self.rows["lasted"][own] + 1e-9))

    def places_at(self, seconds: float) -> list[int]:
        """Return the indices of the rows shown at this time; after the end, those of the last moment."""
        starts, now = self.rows["seconds"], min(seconds, self.ends - 1e-3) + 1e-6
        places: list[int] = np.flatnonzero((starts <= now) & (now < starts + self.rows["lasted"])).tolist()
        return places

    def faces_at(self, seconds: float) -> list[TrackedFace]:
        """Return the faces shown at this time, in pixels of the video; see `places_at`."""
        return self.faces(self.places_at(seconds))

    def faces(self, places: Sequence[int] | np.ndarray) -> list[TrackedFace]:
        """Return rows as faces, with the raw reading if an own neutral is subtracted."""
        faces = []
        for place in places:
            face = _face(self.shown[place], self.labels)
            raw = _face(self.rows[place], self.labels) if face.track_id in self.baselines else None
            faces.append(replace(face, raw=raw) if raw else face)
        return faces


def _area(top_left: np.ndarray, bottom_right: np.ndarray) -> np.ndarray:
    """Return the areas between corners, each float (n, 2); 0 if they are crossed."""
    return np.prod(np.maximum(bottom_right - top_left, 0), axis=1)


def _face(row: np.void, labels: tuple[str, ...]) -> TrackedFace:
    landmarks, (raters, label) = row["landmarks"].tolist(), row["opinions"].tolist()
    return TrackedFace(
        Box(*row["box"].tolist()),
        () if np.isnan(row["landmarks"]).any() else tuple((x, y) for x, y in landmarks),
        float(row["score"]),
        score_again=None if np.isnan(row["score_again"]) else float(row["score_again"]),
        labels=labels,
        probabilities=tuple(row["probabilities"].tolist()),
        track_id=int(row["person"]),
        opinions=None if np.isnan(row["opinions"]).any() else (tuple(raters), tuple(label)),
        held=int(row["held"]),
    )
