"""Steady expressions where the future is known: a moment is averaged with those before it and those after it.

A live video can only look back, so that what it shows lags behind wherever a change is not plain. Of a file both sides
are there, and the average has no lag (forward and backward filtering, Gustafsson 1996).
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fer.video.tracking import TrackedFace

AVERAGE_SECONDS = 0.2
"""Time constant on both sides. A clear expression that lasts half a second is shown, one look that is wrong is not."""
SWITCH_MARGIN = 0.1
"""Another label takes over when its averaged probability is ahead by this much: half of what a live video needs."""
AHEAD_SECONDS = 0.5
"""As far is looked ahead and back."""


@dataclass
class _Person:
    looks: deque[tuple[float, np.ndarray]] = field(default_factory=deque)
    """Moments, and float (1, K): the probabilities; (3, K) where there are two opinions, below them."""
    held: int | None = None


class Hindsight:
    """Takes in faces as they are seen, and gives them back, half a second later, as they are to be shown."""

    def __init__(self) -> None:
        self._people: dict[int, _Person] = {}

    def see(self, faces: Sequence[TrackedFace], seconds: float) -> None:
        """Take in a frame; moments must not go back."""
        for face in faces:
            person = self._people.setdefault(face.track_id or 0, _Person())
            person.looks.append((seconds, np.array([face.probabilities, *(face.opinions or ())])))

    def shown(self, faces: Sequence[TrackedFace], seconds: float) -> list[TrackedFace]:
        """Return faces of a frame that was taken in, averaged; frames must be asked for in their order."""
        return [self._shown(face, self._people[face.track_id or 0], seconds) for face in faces]

    def _shown(self, face: TrackedFace, person: _Person, seconds: float) -> TrackedFace:
        looks = person.looks
        while looks[0][0] < seconds - AHEAD_SECONDS:
            looks.popleft()
            if looks[0][0] >= seconds:  # away for a while: what was shown before is past
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
    """Return the label that is shown of probabilities (K,): the one before, until another is clearly ahead.

    Args:
        probabilities: averaged, 0..1.
        before: what was shown until now; None where the person was away.
    """
    leader = int(probabilities.argmax())
    if before is None or probabilities[leader] - probabilities[before] > SWITCH_MARGIN:
        return leader
    return before
