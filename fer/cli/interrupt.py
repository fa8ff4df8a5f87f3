"""Ctrl-C and SIGTERM for commands that take frame after frame."""

import signal
from types import FrameType


class Stop:
    """Ctrl-C and SIGTERM: they end the program at once, or with the next frame when frames are taken."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.asked = False
        self.gently = False
        """Whether there is something to finish; set when frames are taken."""
        self.patient = False
        """Whether to be asked twice changes nothing."""

    def __enter__(self) -> "Stop":
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if not self.gently or (self.asked and not self.patient):
            raise KeyboardInterrupt  # nothing to finish, or asked twice: at once
        self.asked = True
