"""Probabilities over time, and a label that stays until another one is clearly ahead.

Two averages are kept. The slow one calms what is shown; where the quick one sees something plainly different, the slow
one takes its place, so that a real change is shown at once and not after the time constant.
"""

import math
from collections.abc import Sequence

SWITCH_MARGIN = 0.15
"""Another label takes over when its averaged probability is ahead by this much."""
QUICK_MARGIN = 0.5
"""The same for the quick average. Both, and the share below, were chosen on drawn faces with noise: the fewest changes
among those that are right as often as without smoothing."""
QUICK_SHARE = 0.1
"""Time constant of the quick average as a share of the slow one's."""


class ExpressionSmoother:
    """Averages one face's probabilities and holds its label.

    The average is exponential in time, not in frames, so it does not depend on the frame rate; the label is taken from
    the average, with hysteresis.
    """

    def __init__(self) -> None:
        """Start with nothing seen."""
        self.probabilities: tuple[float, ...] = ()
        """Averaged; empty until the first update."""
        self.held = 0
        """Index of the label that is shown."""
        self._quick: tuple[float, ...] = ()
        self._seconds = 0.0

    def update(self, probabilities: Sequence[float], seconds: float, time_constant_seconds: float) -> None:
        """Take in what was seen.

        Args:
            probabilities: of this moment, one for each label.
            seconds: the moment.
            time_constant_seconds: after this time an old impression counts 1/e, 37 %; at 0 nothing is averaged or held.
        """
        elapsed, self._seconds = seconds - self._seconds, seconds
        if not self.probabilities or time_constant_seconds <= 0:
            self.probabilities = self._quick = tuple(probabilities)
            self.held = _leader(self.probabilities)
            return
        self.probabilities = _averaged(self.probabilities, probabilities, elapsed / time_constant_seconds)
        self._quick = _averaged(self._quick, probabilities, elapsed / (QUICK_SHARE * time_constant_seconds))
        leader = _leader(self._quick)
        if self._quick[leader] - self._quick[self.held] > QUICK_MARGIN:
            self.probabilities, self.held = self._quick, leader
        leader = _leader(self.probabilities)
        if self.probabilities[leader] - self.probabilities[self.held] > SWITCH_MARGIN:
            self.held = leader


def _averaged(old: Sequence[float], new: Sequence[float], elapsed: float) -> tuple[float, ...]:
    """Return the exponential average; `elapsed` is in time constants."""
    kept = math.exp(-max(elapsed, 0.0))
    return tuple(kept * a + (1 - kept) * b for a, b in zip(old, new, strict=True))


def _leader(probabilities: Sequence[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)
