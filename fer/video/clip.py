"""Video files: every frame is looked at before the next one, and the results are the same each time."""

from dataclasses import replace

from fer.recognition.recognizer import Recognizer
from fer.video.live import AtOnce, LiveAnalyzer, LiveEngine, LiveSettings, Observation


class ClipAnalyzer(LiveAnalyzer):
    """A live analyzer without the hurry: the times of the frames decide when the model runs, not those of the clock."""

    def __init__(self, recognizer: Recognizer, settings: LiveSettings | None = None) -> None:
        """Start with nobody in view."""
        super().__init__(LiveEngine(recognizer, AtOnce()), settings)

    def _look(self, search: bool, settings: LiveSettings) -> Observation:
        # A live analyzer searches less often where the detector is slow, so that results would depend on the machine.
        return replace(super()._look(search, settings), detector_seconds=0.0)
