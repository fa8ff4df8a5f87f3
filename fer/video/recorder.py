"""Record the readings of a video frame by frame, and make a timeline of them."""

import threading
from collections import deque
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np

from fer.video.neutral import Baseline
from fer.video.timeline import LONGEST_GAP_SECONDS, Timeline, row_type
from fer.video.tracking import TrackedFace

RECENT_SECONDS = 60.0


class Recorder:
    """Collects frame by frame, from one thread; any thread may read everything meanwhile."""

    def __init__(
        self,
        labels: tuple[str, ...],
        sample_seconds: float = 0.0,
        most_rows: int | None = None,
        neutral: tuple[float, ...] = (),
    ) -> None:
        """Start empty.

        Args:
            labels: the model's labels.
            sample_seconds: how often a reading is recorded; changes of the label always are. 0: in every frame.
            most_rows: if there would be more, neighboring rows of the same person and label are merged, except those of
                the last minute, so that memory is bounded however long the video is.
            neutral: see `Timeline`.
        """
        self.labels, self.neutral = labels, neutral
        self.baselines: dict[int, Baseline] = {}
        """See `Timeline`; replaced as a whole, so that readers never see it half-changed."""
        self.frames = 0
        """Number of frames added."""
        self._sample_seconds, self._most_rows = sample_seconds, most_rows
        self._rows = np.empty(256, row_type(len(labels)))
        self._count = 0
        self._open: dict[int, int] = {}
        """Person → index of the row that stands for the newest frame."""
        self._starts = self._last = 0.0
        self._steps: deque[float] = deque(maxlen=31)
        self._lock = threading.Lock()

    @property
    def seconds(self) -> float:
        """Time of the newest frame."""
        return self._last

    def add(self, number: int, seconds: float, faces: Sequence[TrackedFace]) -> None:
        """Add a frame.

        Args:
            number: the frame's number in the video.
            seconds: its time; must not go back.
            faces: the faces in it, in pixels of the video.
        """
        with self._lock:
            if self.frames:
                self._steps.append(seconds - self._last)
                self._rows["lasted"][list(self._open.values())] += self._stands_for(seconds)
            else:
                self._starts = seconds
            if self._most_rows and self._count + len(faces) > self._most_rows:
                self._thin(seconds, self._most_rows)
            before, self._open = self._open, {}
            for face in faces:
                person, row = face.track_id or 0, before.get(face.track_id or 0)
                if row is None or not self._goes_on(row, face.held, seconds):
                    row = self._append(number, seconds, face)
                self._open[person] = row
            self.frames += 1
            self._last = seconds

    def _stands_for(self, until: float) -> float:
        """Return how long the newest frame lasts if the next one comes, or the video ends, at this time."""
        usual = median(self._steps) if self._steps else 0.0
        return min(until - self._last, max(LONGEST_GAP_SECONDS, 1.5 * usual))

    def _goes_on(self, row: int, held: int, seconds: float) -> bool:
        known = self._rows[row]
        return bool(
            known["held"] == held
            and seconds - known["seconds"] < self._sample_seconds
            and seconds - known["seconds"] - known["lasted"] < 1e-6  # no pause
        )

    def _append(self, number: int, seconds: float, face: TrackedFace) -> int:
        if self._count == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows)])
        self._rows[self._count] = (
            seconds, 0.0, number, face.track_id or 0, face.held, face.score,
            np.nan if face.score_again is None else face.score_again, face.box.xyxy, face.landmarks or np.nan,
            face.probabilities, face.opinions or np.nan,
        )  # fmt: skip
        self._count += 1
        return self._count - 1

    def _thin(self, seconds: float, most_rows: int) -> None:
        rows = self._rows[: self._count]
        first = int(np.searchsorted(rows["seconds"], seconds - RECENT_SECONDS))
        old, recent = rows[:first], rows[first:]
        while len(old) + len(recent) > 0.75 * most_rows:
            joined = _joined(old)
            if len(joined) > 0.75 * len(old) or not len(old):
                # A passing crowd leaves one row each, with nothing to merge: then the oldest quarter is dropped.
                kept = np.concatenate([joined, recent])[(len(joined) + len(recent)) // 4 :]
                break
            old = joined
        else:
            kept = np.concatenate([old, recent])
        self._rows, self._count, self._open = kept, len(kept), {}

    def timeline(self, ends: float | None = None, **about: Any) -> Timeline:
        """Return the timeline so far.

        Args:
            ends: when the newest frame ends; by default the time when it is shown.
            **about: other fields of `Timeline`.
        """
        with self._lock:
            rows = self._rows[: self._count].copy()
            if ends is not None:
                rows["lasted"][list(self._open.values())] += max(self._stands_for(ends), 0.0)
            ends = self._last if ends is None else ends
            starts = self._starts if self.frames else ends
            return Timeline(self.labels, rows, starts, ends, self.frames, **self._own(), **about)

    def recent(self) -> Timeline:
        """Return the last minute at the full rate; times are relative to now, -60..0."""
        with self._lock:
            first = int(np.searchsorted(self._rows["seconds"][: self._count], self._last - RECENT_SECONDS))
            rows = self._rows[first : self._count].copy()
            rows["seconds"] -= self._last
            return Timeline(self.labels, rows, -RECENT_SECONDS, 0.0, self.frames, **self._own())

    def _own(self) -> dict[str, Any]:
        return {"neutral": self.neutral, "baselines": self.baselines}


def _joined(rows: np.ndarray) -> np.ndarray:
    """Merge each two neighboring rows of the same person and label; the total time stays the same."""
    keys = rows["person"].astype(np.int64) * 2**16 + rows["held"]
    order = np.argsort(keys, kind="stable")
    places = np.arange(len(rows))
    first = np.concatenate([[True], np.diff(keys[order]) != 0])[: len(rows)]
    second = (places - np.maximum.accumulate(np.where(first, places, 0))) % 2 == 1
    into, gone = order[np.flatnonzero(second) - 1], order[second]
    both = rows["lasted"][into] + rows["lasted"][gone]
    share = np.where(both > 0, rows["lasted"][gone] / np.maximum(both, 1e-12), 0.5)[:, None]
    joined = rows.copy()
    joined["probabilities"][into] += share * (rows["probabilities"][gone] - rows["probabilities"][into])
    joined["opinions"][into] += share[..., None] * (rows["opinions"][gone] - rows["opinions"][into])
    joined["lasted"][into] = both
    return np.delete(joined, gone)
