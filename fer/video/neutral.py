"""A person's own neutral in a video: subtracted from the readings that are shown, never from those recorded.

    read → averaged over time → recorded (`Timeline.rows`) → own neutral subtracted → shown (`Timeline.shown`)

It is subtracted after averaging, so that it can be set, changed and undone long after the video, and one column of an
export can be computed from the other. It is also measured on averaged readings; before averaging, the result would
differ only while an expression changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer.errors import VideoError
from fer.recognition.baseline import STRENGTH, median_shift_of, shift_of, without_shift

SECONDS, MEDIAN = "seconds", "median"
"""How an own neutral is found: somebody says when a face is neutral, or the person's median face is used."""
NEUTRAL_SECONDS = 3.0
"""How long a neutral face is measured."""
LEAST_SECONDS = 2.0
"""How long a person must be seen in that time, or in the whole video for the median face."""


@dataclass(frozen=True)
class Baseline:
    """How a person's own neutral differs from the average neutral face, and how it was measured."""

    shift: tuple[float, ...]
    """One number per label, see `fer.recognition.baseline`."""
    how: str
    """`SECONDS` or `MEDIAN`."""
    starts: float
    ends: float
    """The measured part, in seconds of the video."""
    readings: int
    """Number of rows of the timeline it was measured on."""
    strength: float = STRENGTH
    """Share of the shift that is subtracted, 0..1."""

    def off(self, probabilities: np.ndarray) -> np.ndarray:
        """Subtract the shift from the person's probabilities, float (…, K)."""
        return without_shift(probabilities, self.shift, self.strength)


def neutral_moment(rows: np.ndarray, person: int, usual: Sequence[float], starts: float) -> Baseline:
    """Return the own neutral of a person who looks neutral for three seconds.

    Args:
        rows: of a timeline.
        person: the person's number.
        usual: the model's average neutral face, `Timeline.neutral`.
        starts: when the three seconds start, in seconds of the video.

    Raises:
        VideoError: the person is not visible for long enough.
    """
    ends = starts + NEUTRAL_SECONDS
    own = rows[(rows["person"] == person) & (starts <= rows["seconds"]) & (rows["seconds"] < ends)]
    if (seen := float(own["lasted"].sum())) < LEAST_SECONDS:
        raise VideoError(
            f"expected person {person} to be visible for at least {LEAST_SECONDS:g} of the {NEUTRAL_SECONDS:g} seconds "
            f"after {starts:.1f} s, found {seen:.1f}. Try again, and keep the face in view all the time."
        )
    return Baseline(shift_of(own["probabilities"], usual), SECONDS, starts, ends, len(own))


def median_baselines(rows: np.ndarray, usual: Sequence[float]) -> dict[int, Baseline]:
    """Return each person's own neutral, taking their median face for it; people seen too briefly have none."""
    found = {}
    for person in np.unique(rows["person"]).tolist():
        own = rows[rows["person"] == person]
        if own["lasted"].sum() >= LEAST_SECONDS:
            ends = float(own["seconds"][-1] + own["lasted"][-1])
            shift = median_shift_of(own["probabilities"], usual)
            found[person] = Baseline(shift, MEDIAN, float(own["seconds"][0]), ends, len(own))
    return found
