"""Average probabilities over time, and hold a label until another clearly leads.

The average steadies the display. It restarts at a moment that is clearly different, so that a real change is shown at
once and not after the time constant.
"""

import math
from collections.abc import Sequence

from fer.faces import Opinions

SWITCH_MARGIN = 0.2
"""Another label takes over when its averaged probability leads by this much."""
PLAIN_MARGIN = 0.75
"""A moment is clearly different when another label leads in it by this much. Both margins were chosen on 24 drawn
people in a noisy video: the fewest changes among those that are right as often as without smoothing."""


class ExpressionSmoother:
    """Averages one face's probabilities and holds its label.

    The average is exponential in time, not in frames, so it does not depend on the frame rate; the label follows the
    average with hysteresis.
    """

    def __init__(self) -> None:
        self.probabilities: tuple[float, ...] = ()
        """Averaged; empty until the first update."""
        self.held = 0
        """Index of the label that is shown."""
        self.opinions: Opinions | None = None
        """The probabilities of both heads, averaged likewise; None for a model with one head."""
        self._seconds = 0.0

    def update(
        self,
        probabilities: Sequence[float],
        seconds: float,
        time_constant_seconds: float,
        opinions: Opinions | None = None,
    ) -> None:
        """Add a reading.

        Args:
            probabilities: one for each label, 0..1.
            seconds: the time of the reading.
            time_constant_seconds: after this time a reading counts 1/e, 37 %; 0: nothing is averaged or held.
            opinions: the probabilities of both heads, if the model has two.
        """
        elapsed, self._seconds = seconds - self._seconds, seconds
        leader = _leader(probabilities)
        if (
            not self.probabilities
            or time_constant_seconds <= 0
            or probabilities[leader] - probabilities[self.held] > PLAIN_MARGIN
        ):
            self.probabilities, self.held, self.opinions = tuple(probabilities), leader, opinions
            return
        kept = math.exp(-max(elapsed, 0.0) / time_constant_seconds)
        self.probabilities = _mixed(self.probabilities, probabilities, kept)
        if self.opinions and opinions:
            (raters, label), (raters_now, label_now) = self.opinions, opinions
            opinions = _mixed(raters, raters_now, kept), _mixed(label, label_now, kept)
        self.opinions = opinions
        leader = _leader(self.probabilities)
        if self.probabilities[leader] - self.probabilities[self.held] > SWITCH_MARGIN:
            self.held = leader


def _mixed(old: Sequence[float], new: Sequence[float], kept: float) -> tuple[float, ...]:
    return tuple(kept * a + (1 - kept) * b for a, b in zip(old, new, strict=True))


def _leader(probabilities: Sequence[float]) -> int:
    return max(range(len(probabilities)), key=probabilities.__getitem__)
