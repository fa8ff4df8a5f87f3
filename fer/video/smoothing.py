"""Probabilities over time, and a label that stays until another one is clearly ahead."""

import math
from collections.abc import Sequence

SWITCH_MARGIN = 0.15
"""Another label takes over when its averaged probability is ahead by this much."""


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
        self._seconds = 0.0

    def update(self, probabilities: Sequence[float], seconds: float, time_constant_seconds: float) -> None:
        """Take in what was seen.

        Args:
            probabilities: of this moment, one for each label, sum 1.
            seconds: the moment.
            time_constant_seconds: after this time an old impression counts 1/e, 37 %; at 0 nothing is averaged or held.
        """
        elapsed, self._seconds = seconds - self._seconds, seconds
        if not self.probabilities or time_constant_seconds <= 0:
            self.probabilities = tuple(probabilities)
            self.held = _leader(self.probabilities)
            return
        kept = math.exp(-max(elapsed, 0.0) / time_constant_seconds)
        self.probabilities = tuple(
            kept * old + (1 - kept) * new for old, new in zip(self.probabilities, probabilities, strict=True)
        )
        leader = _leader(self.probabilities)
        if self.probabilities[leader] - self.probabilities[self.held] > SWITCH_MARGIN:
            self.held = leader


def _leader(probabilities: Sequence[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)
