"""Ctrl-C and SIGTERM for commands that have something to finish."""

import signal
from types import FrameType


class Stop:
    """Ctrl-C and SIGTERM: they end the program at once, or become a question that it asks now and then."""

    def __init__(self, gently: bool = False, patient: bool = False) -> None:
        """Nothing is asked yet.

        Args:
            gently: whether there is something to finish; may be set later.
            patient: whether to go on finishing even where it is asked again.
        """
        self.asked = False
        self.gently, self.patient = gently, patient

    def __enter__(self) -> "Stop":
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if not self.gently or (self.asked and not self.patient):
            raise KeyboardInterrupt
        self.asked = True
