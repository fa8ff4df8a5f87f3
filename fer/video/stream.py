"""What a video connection calls for each frame."""

import math
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Protocol

import av
import numpy as np

from fer.video.follow import Draw
from fer.video.io.mp4 import yuv_frame
from fer.video.live import LiveAnalyzer
from fer.video.tracking import TrackedFace


@dataclass(frozen=True)
class StreamFigures:
    """How a stream does at the moment."""

    frames: int
    """Processed since the start."""
    dropped: int
    """Left out since the start, as newer ones had come."""
    frames_per_second: float
    detections_per_second: float
    updates_per_second: float
    frame_ms: float
    """Median time that a frame took."""
    delay_ms: float
    """How old the frame was that the shown expressions were seen in."""
    faces: int
    """In view."""
    size_wh: tuple[int, int]
    errors: int
    last_error: str


class Keep(Protocol):
    """Keeps what was seen; must not take long, and not raise."""

    def take(self, image: np.ndarray, drawn: np.ndarray, faces: Sequence[TrackedFace]) -> object:
        """Take in a frame that was just recorded, as it came and as it is shown, RGB uint8 (H, W, 3)."""


class LiveStream:
    """Turns the frames of one viewer's camera into frames with faces drawn on them; no error ends it."""

    def __init__(
        self,
        analyzer: LiveAnalyzer,
        draw: Draw,
        clock: Callable[[], float] = time.monotonic,
        keep: Keep | None = None,
    ) -> None:
        self.analyzer = analyzer
        self._draw, self._keep = draw, keep
        self._clock = clock
        self._frame_times: deque[float] = deque(maxlen=60)
        self._dropped = 0
        self._last_seconds = -math.inf
        self._errors = 0
        self._last_error = ""
        self.faces: list[TrackedFace] = []
        """In view, as they were drawn last; replaced as a whole."""
        self._size_wh = (0, 0)

    async def on_frames(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Process the newest of the frames that have queued up and drop the others (for streamlit-webrtc)."""
        now = self._clock()
        if now - self._last_seconds < self.analyzer.frame_pause:
            self._dropped += len(frames)
            return []  # the last one is shown on
        self._last_seconds = now
        self._dropped += len(frames) - 1
        return [self.on_frame(frames[-1])]

    def on_frame(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the frame with what was seen in it, or as it came if something failed."""
        began = self._clock()
        try:
            image = frame.to_ndarray(format="rgb24")
            faces = self.analyzer.process(image, began)
            drawn = self._draw(image, faces, self.analyzer.settings)
            odd = drawn.shape[0] % 2 or drawn.shape[1] % 2
            shown = av.VideoFrame.from_ndarray(drawn, format="rgb24") if odd else yuv_frame(drawn)
            if self._keep:
                self._keep.take(image, drawn, faces)
            self.faces, self._size_wh = faces, (image.shape[1], image.shape[0])
        except Exception as error:  # raised, it would freeze the picture without a word
            self._errors += 1
            self._last_error = f"{type(error).__name__}: {error}"
            return frame
        self._frame_times.append(self._clock() - began)
        return shown

    def figures(self) -> StreamFigures:
        """Return how it does now; may be called by any thread."""
        now = self._clock()
        times = list(self._frame_times)
        return StreamFigures(
            frames=self.analyzer.frames.total,
            dropped=self._dropped,
            frames_per_second=self.analyzer.frames.per_second(now),
            detections_per_second=self.analyzer.detections.per_second(now),
            updates_per_second=self.analyzer.updates.per_second(now),
            frame_ms=1000 * median(times) if times else 0.0,
            delay_ms=1000 * self.analyzer.delay_seconds,
            faces=len(self.faces),
            size_wh=self._size_wh,
            errors=self._errors,
            last_error=self._last_error,
        )
