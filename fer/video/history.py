"""What was seen in a video, in bounded memory."""

import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fer.faces import Face

SAMPLES_PER_SECOND = 5.0
RECENT_SECONDS = 60.0
MAX_SAMPLES = 40_000
"""More than two hours of one person. When it is full, every two samples of a person become one."""
LONGEST_GAP_SECONDS = 0.5
"""A pause in the video longer than this counts for nobody."""


@dataclass(frozen=True)
class Sample:
    """One person for a moment."""

    seconds: float
    """When it began, from the start of the video."""
    lasted: float
    """Seconds that it stands for."""
    person: int
    label: str
    confidence: float
    probabilities: tuple[float, ...]


class History:
    """Keeps samples of a video. Safe to read while another thread adds."""

    def __init__(self, max_samples: int = MAX_SAMPLES) -> None:
        """Start empty."""
        self.labels: tuple[str, ...] = ()
        self._max_samples = max_samples
        self._samples: list[Sample] = []
        self._recent: deque[Sample] = deque(maxlen=int(RECENT_SECONDS * SAMPLES_PER_SECOND) * 10)
        self._open: dict[int, Sample] = {}
        self._began: float | None = None
        self._last = 0.0
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """How long the video has been."""
        return self._last

    def add(self, faces: Sequence[Face], seconds: float) -> None:
        """Take in a frame; moments must not go back."""
        with self._lock:
            if self._began is None:
                self._began = seconds
            now = seconds - self._began
            elapsed = now - self._last
            elapsed = elapsed if elapsed <= LONGEST_GAP_SECONDS else 0.0
            self._last = now
            for face in faces:
                self.labels = face.labels
                person = face.track_id or 0
                open_sample = self._open.get(person)
                if (
                    open_sample
                    and now - open_sample.seconds < 1 / SAMPLES_PER_SECOND
                    and open_sample.label == face.label
                ):
                    self._open[person] = replace(open_sample, lasted=open_sample.lasted + elapsed)
                else:
                    self._close(person)
                    self._open[person] = Sample(
                        now - elapsed, elapsed, person, face.label, face.confidence, face.probabilities
                    )
            for person in self._open.keys() - {face.track_id or 0 for face in faces}:
                self._close(person)

    def _close(self, person: int) -> None:
        sample = self._open.pop(person, None)
        if sample:
            self._samples.append(sample)
            self._recent.append(sample)
            if len(self._samples) > self._max_samples:
                self._samples = _thinned(self._samples)

    def samples(self) -> list[Sample]:
        """Return the whole video, each sample in the order it ended; the running ones last."""
        with self._lock:
            return [*self._samples, *self._open.values()]

    def recent(self) -> list[Sample]:
        """Return the last minute at the full rate."""
        with self._lock:
            start = self._last - RECENT_SECONDS
            return [sample for sample in (*self._recent, *self._open.values()) if sample.seconds >= start]

    def summary(self) -> dict[int, dict[str, float]]:
        """Return person → label → seconds, the longest first."""
        return seconds_by_person(self.samples())


def seconds_by_person(samples: Sequence[Sample]) -> dict[int, dict[str, float]]:
    """Return person → label → seconds, the longest first."""
    totals: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for sample in samples:
        totals[sample.person][sample.label] += sample.lasted
    return {
        person: dict(sorted(seconds.items(), key=lambda pair: -pair[1])) for person, seconds in sorted(totals.items())
    }


def _thinned(samples: list[Sample]) -> list[Sample]:
    """Join every two neighbours of the same person and label, so that the sum of the seconds stays what it was."""
    kept: list[Sample] = []
    waiting: dict[tuple[int, str], int] = {}
    for sample in samples:
        index = waiting.pop((sample.person, sample.label), None)
        if index is None:
            waiting[sample.person, sample.label] = len(kept)
            kept.append(sample)
        else:
            kept[index] = _joined(kept[index], sample)
    # A crowd that passes by leaves one sample each, nothing to join: then the oldest quarter goes.
    return kept if len(kept) <= 0.75 * len(samples) else kept[len(kept) // 4 :]


def _joined(a: Sample, b: Sample) -> Sample:
    share = b.lasted / (a.lasted + b.lasted) if a.lasted + b.lasted else 0.5
    return replace(
        a,
        lasted=a.lasted + b.lasted,
        confidence=(1 - share) * a.confidence + share * b.confidence,
        probabilities=tuple((1 - share) * x + share * y for x, y in zip(a.probabilities, b.probabilities, strict=True)),
    )
