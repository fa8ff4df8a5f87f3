"""How often something happens."""

from collections import deque


class RateMeter:
    """Counts events and says how many there were a second, over the last few seconds."""

    def __init__(self, window_seconds: float = 2.0) -> None:
        """Start at nothing."""
        self.total = 0
        self._window_seconds = window_seconds
        self._times: deque[float] = deque(maxlen=1000)

    def count(self, seconds: float) -> None:
        """Count an event at a moment; moments must not go back."""
        self.total += 1
        self._times.append(seconds)

    def per_second(self, seconds: float) -> float:
        """Return the rate at a moment, over the window or since the first event."""
        recent = [time for time in list(self._times) if time > seconds - self._window_seconds]
        elapsed = min(self._window_seconds, seconds - self._times[0]) if recent else 0.0
        return len(recent) / max(elapsed, 0.5)
