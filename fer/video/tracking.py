"""Track people from frame to frame.

Detected faces are assigned to known people so that the sum of distances is smallest (Kuhn 1955; as in SORT, Bewley et
al. 2016, arXiv:1602.00763). Between detections, people move with the optical flow; people who are occluded keep their
velocity, and are forgotten after `MEMORY_SECONDS`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from fer.faces import HUMAN_FROM, Box, Detection, Face, Point
from fer.video.assignment import assign
from fer.video.flow import follow, placed
from fer.video.smoothing import ExpressionSmoother

MEMORY_SECONDS = 1.0
"""Somebody who is occluded for longer than this returns as a new person."""
MISSES_SHOWN = 1
"""A face missed by this many detections in a row is still shown where the flow follows it."""
NEAR = 0.8
"""Largest distance of a detected face from where a person is expected, in units of the face's size."""
NEAR_PER_SECOND = 1.5
"""Added to that distance for each second that the person was occluded."""
MAX_SIZE_RATIO = 2.0
"""Largest change of a face's size from one detection to the next."""
CONTESTED_OVERLAP = 0.35
"""If two people's boxes overlap more than this (intersection over union), too little of either is left to follow."""
LOOKS_AGAIN = 3
"""How often the detector looks again at somebody new, until they look human: who enters the picture is half a face at
first. `scripts/nonhuman.py` measures how many are flagged after each look."""
_VELOCITY_SECONDS = 0.15
"""Time constant of the averaged velocity."""


@dataclass(frozen=True)
class TrackedFace(Face):
    """A face in a video, with probabilities averaged over time and a label that does not flicker."""

    held: int = field(default=0, kw_only=True)
    """Index of the shown label; another label may be slightly more probable."""
    raw: "TrackedFace | None" = field(default=None, kw_only=True)
    """The raw reading, if the person's own neutral is subtracted in this one."""

    @property
    def label(self) -> str:
        """The shown label."""
        return self.labels[self.held]

    @property
    def confidence(self) -> float:
        """The averaged probability of `label`, 0..1."""
        return self.probabilities[self.held]

    def ranked(self) -> list[tuple[str, float]]:
        """All (label, probability), the shown label first, then the most probable."""
        return sorted(super().ranked(), key=lambda pair: pair[0] != self.label)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, lists and strings for JSON; with "raw" readings if an own neutral is subtracted."""
        if self.raw is None:
            return super().to_dict()
        raw = self.raw.to_dict()
        return super().to_dict() | {"raw": {name: raw[name] for name in ("label", "confidence", "probabilities")}}


def within(faces: Sequence[TrackedFace], own_wh: tuple[int, ...], wh: tuple[int, ...]) -> list[TrackedFace]:
    """Convert faces to pixels of another picture, in which theirs is shown whole, undistorted and centered.

    Args:
        faces: in pixels of their own picture.
        own_wh: width and height of their own picture.
        wh: width and height of the other picture.
    """
    scale = min(whole / own for own, whole in zip(own_wh, wh, strict=True))
    left, above = ((whole - scale * own) / 2 for own, whole in zip(own_wh, wh, strict=True))
    if own_wh == wh:
        return list(faces)
    return [
        replace(
            face,
            box=Box(*(scale * value + shift for value, shift in zip(face.box.xyxy, (left, above) * 2, strict=True))),
            landmarks=tuple((scale * x + left, scale * y + above) for x, y in face.landmarks),
        )
        for face in faces
    ]


@dataclass
class _Person:
    number: int
    place: Detection
    seen_seconds: float
    """When this person was last detected, or followed by the flow after a detection."""
    velocity: Point = (0.0, 0.0)
    """Pixels per second."""
    misses: int = 0
    lost: bool = False
    """Whether the flow lost the face since it was last detected."""
    smoother: ExpressionSmoother = field(default_factory=ExpressionSmoother)
    score_again: float | None = None
    """The highest `Detection.score_again`."""
    looks: int = 0
    """How often the detector has looked again."""

    @property
    def is_known(self) -> bool:
        """Whether the detector need not look again."""
        return self.looks >= LOOKS_AGAIN or (self.score_again or 0.0) >= HUMAN_FROM

    def looked_at(self, score_again: float) -> None:
        self.score_again = max(score_again, self.score_again or 0.0)
        self.looks += 1

    @property
    def visible(self) -> bool:
        return not self.misses or (self.misses <= MISSES_SHOWN and not self.lost)


class FaceTracker:
    """Tracks the people in view. Times are seconds of one clock that never goes back. Not thread-safe."""

    def __init__(self) -> None:
        self._people: list[_Person] = []
        self._labels: tuple[str, ...] = ()
        self._last_number = 0
        self._seconds = 0.0

    @property
    def people(self) -> int:
        """Number of different people seen so far."""
        return self._last_number

    def places(self) -> dict[int, Detection]:
        """Return the number of each person in view → their place now; without `score_again` if another look is due."""
        return {
            person.number: replace(person.place, score_again=person.score_again if person.is_known else None)
            for person in self._people
            if person.visible
        }

    def faces(self) -> list[TrackedFace]:
        """Return the people in view who have been read, ordered by number."""
        return [
            TrackedFace(
                person.place.box,
                person.place.landmarks,
                person.place.score,
                score_again=person.score_again,
                labels=self._labels,
                probabilities=person.smoother.probabilities,
                track_id=person.number,
                held=person.smoother.held,
                opinions=person.smoother.opinions,
            )
            for person in self._people
            if person.visible and person.smoother.probabilities
        ]

    def move(self, before: np.ndarray, after: np.ndarray, seconds: float, picture_wh: tuple[int, int]) -> None:
        """Move everybody with the flow from one gray frame (see `small_gray`) to the next."""
        elapsed, self._seconds = seconds - self._seconds, seconds
        contested = self._contested()
        flowing = [p for p in self._people if p.visible and p.number not in contested]
        for person, place in zip(flowing, follow(before, after, [p.place for p in flowing], picture_wh), strict=True):
            person.lost = place is None
            if place is not None:
                _average_velocity(person, place, elapsed)
                person.place = place
                # Otherwise memory would start at the last search, and the next one, if slightly early, would use it up.
                if not person.misses:
                    person.seen_seconds = seconds
        for person in self._people:
            if person not in flowing:
                self._drift(person, elapsed, picture_wh)
        self._forget(seconds)

    def _contested(self) -> set[int]:
        visible = [person for person in self._people if person.visible]
        return {
            person.number
            for index, one in enumerate(visible)
            for other in visible[index + 1 :]
            if overlap(one.place.box, other.place.box) > CONTESTED_OVERLAP
            for person in (one, other)
        }

    def _drift(self, person: _Person, elapsed: float, picture_wh: tuple[int, int]) -> None:
        x, y = person.place.box.center
        center = (x + person.velocity[0] * elapsed, y + person.velocity[1] * elapsed)
        place = placed(person.place, center, 1.0, picture_wh)
        # At the border a box would be cut smaller and smaller, so it stops there.
        if place is not None and place.box.width > 0.9 * person.place.box.width:
            person.place = place

    def found(self, faces: Sequence[Face], seconds: float, smoothing_seconds: float) -> None:
        """Add the faces that were detected and read.

        Args:
            faces: all faces in a frame, at their current places.
            seconds: now.
            smoothing_seconds: see `ExpressionSmoother.update`.
        """
        self._seconds = max(seconds, self._seconds)
        matches = self._assign(faces, seconds)
        for person in self._people:
            if person.number not in matches.values():
                person.misses += 1
        by_number = {person.number: person for person in self._people}
        for index, face in enumerate(faces):
            self._labels = face.labels
            place = Detection(face.box, face.landmarks, face.score)
            if index in matches:
                person = by_number[matches[index]]
                if person.misses or person.lost or overlap(person.place.box, place.box) < 0.5:
                    person.place = place
                else:
                    person.place = _between(person.place, place)
            else:
                self._last_number += 1
                person = _Person(self._last_number, place, seconds)
                self._people.append(person)
            person.seen_seconds, person.misses, person.lost = seconds, 0, False
            if face.score_again is not None:
                person.looked_at(face.score_again)
            person.smoother.update(face.probabilities, seconds, smoothing_seconds, face.opinions)
        self._forget(seconds)

    def named(self, faces: Mapping[int, Face], seconds: float, smoothing_seconds: float) -> None:
        """Add new readings of people in view, by number; people who have left meanwhile are skipped."""
        for person in self._people:
            if person.visible and (face := faces.get(person.number)):
                person.smoother.update(face.probabilities, seconds, smoothing_seconds, face.opinions)

    def rescale(self, scale_x: float, scale_y: float) -> None:
        """Adapt to a change of the video's resolution."""
        for person in self._people:
            box, place = person.place.box, person.place
            person.place = Detection(
                Box(box.x1 * scale_x, box.y1 * scale_y, box.x2 * scale_x, box.y2 * scale_y),
                tuple((x * scale_x, y * scale_y) for x, y in place.landmarks),
                place.score,
            )
            person.velocity = (person.velocity[0] * scale_x, person.velocity[1] * scale_y)

    def _assign(self, faces: Sequence[Face], seconds: float) -> dict[int, int]:
        """Return the index of each face → the number of its person."""
        if not faces or not self._people:
            return {}
        costs = np.array([[_cost(person, face, seconds) for person in self._people] for face in faces])
        pairs = assign(np.minimum(costs, 1e6))
        return {row: self._people[column].number for row, column in pairs if math.isfinite(costs[row, column])}

    def _forget(self, seconds: float) -> None:
        self._people = [p for p in self._people if p.visible or seconds - p.seen_seconds <= MEMORY_SECONDS]


def overlap(a: Box, b: Box) -> float:
    """Return the intersection over the union of two boxes, 0..1."""
    width = min(a.x2, b.x2) - max(a.x1, b.x1)
    height = min(a.y2, b.y2) - max(a.y1, b.y1)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / (a.width * a.height + b.width * b.height - both)


def _cost(person: _Person, face: Face, seconds: float) -> float:
    """Return how badly a detected face fits a person; infinite if it cannot be the same."""
    box, known = face.box, person.place.box
    size = (box.width + box.height + known.width + known.height) / 4
    ratio = (box.width * box.height) / (known.width * known.height)
    distance = math.dist(box.center, known.center) / size
    hidden = seconds - person.seen_seconds if not person.visible else 0.0
    if distance > NEAR + NEAR_PER_SECOND * hidden or not 1 / MAX_SIZE_RATIO**2 < ratio < MAX_SIZE_RATIO**2:
        return math.inf
    return distance + 0.5 * abs(math.log(ratio)) + (0.0 if person.visible else 0.2)


def _average_velocity(person: _Person, place: Detection, elapsed: float) -> None:
    if elapsed <= 0:
        return
    new = 1 - math.exp(-elapsed / _VELOCITY_SECONDS)
    moved = (b - a for a, b in zip(person.place.box.center, place.box.center, strict=True))
    x, y = (old + new * (step / elapsed - old) for old, step in zip(person.velocity, moved, strict=True))
    person.velocity = (x, y)


def _between(followed: Detection, found: Detection) -> Detection:
    """Return the mean of the places given by flow and detector, which halves the detector's jitter."""
    box = Box(*((a + b) / 2 for a, b in zip(followed.box.xyxy, found.box.xyxy, strict=True)))
    return replace(found, box=box)
