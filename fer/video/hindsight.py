"""Smooth the expressions in a file: each moment is averaged with those before and after it.

A live video knows only the past, so that the display lags behind all but obvious changes. In a file both sides are
known, and the average has no lag (forward and backward filtering, Gustafsson 1996).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fer.video.tracking import TrackedFace

AVERAGE_SECONDS = 0.2
"""Time constant on both sides. A clear expression of half a second is shown, a single wrong reading is not."""
SWITCH_MARGIN = 0.1
"""Another label takes over when its averaged probability leads by this much: half of what a live video needs."""
AHEAD_SECONDS = 0.5
"""How far the average reaches ahead and back."""


@dataclass
class _Person:
    looks: deque[tuple[float, np.ndarray]] = field(default_factory=deque)
    """Seconds, and float (1, K): the probabilities; (3, K) with those of both heads below, if there are two."""
    held: int | None = None


class Hindsight:
    """Collects faces as they are read, and returns them smoothed, half a second later."""

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}

    def see(self, faces: Sequence[TrackedFace], seconds: float) -> None:
        """Add the faces of a frame; times must not go back."""
        for face in faces:
            person = self._people.setdefault(face.track_id or 0, _Person())
            person.looks.append((seconds, np.array([face.probabilities, *(face.opinions or ())])))

    def shown(self, faces: Sequence[TrackedFace], seconds: float) -> list[TrackedFace]:
        """Return the faces of a frame that was added, averaged; frames must be requested in order."""
        return [self._shown(face, self._people[face.track_id or 0], seconds) for face in faces]

    def _shown(self, face: TrackedFace, person: _Person, seconds: float) -> TrackedFace:
        looks = person.looks
        while looks[0][0] < seconds - AHEAD_SECONDS:
            looks.popleft()
            if looks[0][0] >= seconds:  # the person was away, so the earlier label no longer counts
                person.held = None
        near = [(moment, row) for moment, row in looks if moment <= seconds + AHEAD_SECONDS]
        weights = np.exp([-abs(moment - seconds) / AVERAGE_SECONDS for moment, _ in near])
        averaged, *opinions = np.tensordot(weights / weights.sum(), np.array([rows for _, rows in near]), 1)
        person.held = held_label(averaged, person.held)
        return replace(
            face,
            probabilities=tuple(averaged.tolist()),
            held=person.held,
            opinions=(tuple(opinions[0].tolist()), tuple(opinions[1].tolist())) if opinions else None,
        )


def held_label(probabilities: np.ndarray, before: int | None) -> int:
    """Return the index of the label to show: the one before, until another clearly leads.

    Args:
        probabilities: averaged, float (K,), 0..1.
        before: the index shown until now; None if the person was away.
    """
    leader = int(probabilities.argmax())
    if before is None or probabilities[leader] - probabilities[before] > SWITCH_MARGIN:
        return leader
    return before
