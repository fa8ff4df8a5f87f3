"""Probabilities over time, and a label that stays until another one is clearly ahead.

An average calms what is shown. Where a moment is plainly different the average begins anew with it, so that a real
change is shown at once and not after the time constant.
"""

import math
from collections.abc import Sequence

SWITCH_MARGIN = 0.2
"""Another label takes over when its averaged probability is ahead by this much."""
PLAIN_MARGIN = 0.75
"""A moment is plainly different when another label is ahead in it by this much. Both were chosen on 24 drawn people
in a noisy video: the fewest changes among those that are right as often as without smoothing."""


class ExpressionSmoother:
    """Averages one face's probabilities and holds its label.

    The average is exponential in time, not in frames, so it does not depend on the frame rate; the label is taken from
    the average, with hysteresis.
    """

    def __init__(self) -> None:
        self.probabilities: tuple[float, ...] = ()
        """Averaged; empty until the first update."""
        self.held = 0
        """Index of the label that is shown."""
        self._seconds = 0.0

    def update(self, probabilities: Sequence[float], seconds: float, time_constant_seconds: float) -> None:
        """Take in what was seen.

        Args:
            probabilities: of this moment, one for each label.
            seconds: the moment.
            time_constant_seconds: after this time an old impression counts 1/e, 37 %; at 0 nothing is averaged or held.
        """
        elapsed, self._seconds = seconds - self._seconds, seconds
        leader = _leader(probabilities)
        if (
            not self.probabilities
            or time_constant_seconds <= 0
            or probabilities[leader] - probabilities[self.held] > PLAIN_MARGIN
        ):
            self.probabilities, self.held = tuple(probabilities), leader
            return
        kept = math.exp(-max(elapsed, 0.0) / time_constant_seconds)
        averaged = (kept * a + (1 - kept) * b for a, b in zip(self.probabilities, probabilities, strict=True))
        self.probabilities = tuple(averaged)
        leader = _leader(self.probabilities)
        if self.probabilities[leader] - self.probabilities[self.held] > SWITCH_MARGIN:
            self.held = leader


def _leader(probabilities: Sequence[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)
