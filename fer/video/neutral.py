"""A person's own neutral in a video: taken off what is shown, never off what is recorded.

    what is read → averaged over time → recorded (`Timeline.rows`) → own neutral taken off → shown (`Timeline.shown`)

It comes after the average: so it can be set, changed and undone when the video is long over, and whoever has an export
can compute one column from the other. It is measured in what it is taken off, averaged readings; before the average it
would differ only while an expression changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer.errors import VideoError
from fer.recognition.baseline import STRENGTH, median_shift_of, shift_of, without_shift

SECONDS, MEDIAN = "seconds", "median"
"""How a baseline is found: somebody says when a face is neutral, or the person's median face is taken for it."""
NEUTRAL_SECONDS = 3.0
"""So long is looked at a face that somebody calls neutral."""
LEAST_SECONDS = 2.0
"""Whoever was seen for less of them, or for less in the whole video, gets no baseline."""


@dataclass(frozen=True)
class Baseline:
    """How a person's neutral differs from the average one, and how that was found."""

    shift: tuple[float, ...]
    """For each label, see `fer.recognition.baseline`."""
    how: str
    """`SECONDS` or `MEDIAN`."""
    starts: float
    ends: float
    """From when to when was looked, in seconds of the video."""
    readings: int
    """How many rows of the timeline it is from."""
    strength: float = STRENGTH
    """So much of the shift is taken off, 0..1."""

    def off(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the person's probabilities, float (…, K), without the shift."""
        return without_shift(probabilities, self.shift, self.strength)


def neutral_moment(rows: np.ndarray, person: int, usual: Sequence[float], starts: float) -> Baseline:
    """Return the baseline of a person who is neutral for three seconds.

    Args:
        rows: of a timeline.
        person: the number.
        usual: the model's average neutral, `Timeline.neutral`.
        starts: when the three seconds begin, in seconds of the video.

    Raises:
        VideoError: the person is not seen for long enough in them.
    """
    ends = starts + NEUTRAL_SECONDS
    own = rows[(rows["person"] == person) & (starts <= rows["seconds"]) & (rows["seconds"] < ends)]
    if (seen := float(own["lasted"].sum())) < LEAST_SECONDS:
        raise VideoError(
            f"expected to see person {person} for at least {LEAST_SECONDS:g} of the {NEUTRAL_SECONDS:g} seconds from "
            f"{starts:.1f} s on, found {seen:.1f}. Nothing has changed; try again, with the face in view all the time."
        )
    return Baseline(shift_of(own["probabilities"], usual), SECONDS, starts, ends, len(own))


def median_baselines(rows: np.ndarray, usual: Sequence[float]) -> dict[int, Baseline]:
    """Return the baseline of each person whose median face is neutral; who was seen too briefly has none."""
    found = {}
    for person in np.unique(rows["person"]).tolist():
        own = rows[rows["person"] == person]
        if own["lasted"].sum() >= LEAST_SECONDS:
            ends = float(own["seconds"][-1] + own["lasted"][-1])
            shift = median_shift_of(own["probabilities"], usual)
            found[person] = Baseline(shift, MEDIAN, float(own["seconds"][0]), ends, len(own))
    return found
