"""Process the frames of a video connection."""

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
    """Current figures of a stream."""

    frames: int
    """Processed since the start."""
    dropped: int
    """Dropped since the start because newer ones had arrived."""
    frames_per_second: float
    detections_per_second: float
    updates_per_second: float
    frame_ms: float
    """Median time to process a frame."""
    delay_ms: float
    """Age of the frame with the latest readings."""
    faces: int
    """Number of faces in view."""
    size_wh: tuple[int, int]
    errors: int
    last_error: str


class Keep(Protocol):
    """Keeps frames; must be fast and must not raise."""

    def take(self, image: np.ndarray, drawn: np.ndarray, faces: Sequence[TrackedFace]) -> object:
        """Take a frame that was just recorded, as it arrived and as it is shown, RGB uint8 (H, W, 3)."""


class LiveStream:
    """Draws faces on the frames of one viewer's camera; no error ends the stream."""

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
        """The faces in view, as last drawn; replaced as a whole."""
        self._size_wh = (0, 0)

    async def on_frames(self, frames: list[av.VideoFrame]) -> list[av.VideoFrame]:
        """Process the newest of the queued frames and drop the others (for streamlit-webrtc)."""
        now = self._clock()
        if now - self._last_seconds < self.analyzer.frame_pause:
            self._dropped += len(frames)
            return []  # the last one stays on the screen
        self._last_seconds = now
        self._dropped += len(frames) - 1
        return [self.on_frame(frames[-1])]

    def on_frame(self, frame: av.VideoFrame) -> av.VideoFrame:
        """Return the annotated frame, or the original if something failed."""
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
        except Exception as error:  # if raised, it would freeze the picture without a message
            self._errors += 1
            self._last_error = f"{type(error).__name__}: {error}"
            return frame
        self._frame_times.append(self._clock() - began)
        return shown

    def figures(self) -> StreamFigures:
        """Return the current figures; thread-safe."""
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
