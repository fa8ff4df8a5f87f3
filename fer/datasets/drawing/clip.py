"""A drawn video: a person whose expression changes at known times, with a tone."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np

from fer.datasets.drawing import draw_portrait

RATE = 48_000
"""Audio samples per second."""
FRAMES_PER_SECOND = 30
TIMELINE = ((0.0, "neutral"), (2.0, "happiness"), (4.5, "surprise"), (6.0, "neutral"), (8.0, "surprise"))
"""The time in seconds at which each expression starts."""
TIMELINE_SECONDS = 10.0
KNOWN_PERSON = 6
"""A drawn person whose expressions the built-in model reads correctly."""


def write_clip(path: Path, frames: Iterator[np.ndarray], sound: bool = True) -> Path:
    """Write frames of one size at 30 per second, with a tone of the same length, as H.264 and AAC."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options={"preset": "ultrafast", "crf": "18"})
        audio = container.add_stream("aac", rate=RATE, layout="mono") if sound else None
        written = 0
        for number, image in enumerate(frames):
            if not number:
                video.width, video.height, video.pix_fmt = image.shape[1], image.shape[0], "yuv420p"
            container.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            while audio and written < (number + 1) * RATE / FRAMES_PER_SECOND:
                container.mux(audio.encode(_tone(written)))
                written += 1024
        container.mux(video.encode(None))
        if audio:
            container.mux(audio.encode(None))
    return path


def _tone(first: int) -> av.AudioFrame:
    """Return 1024 samples of a tone of 440 Hz."""
    wave = 0.1 * np.sin(2 * np.pi * 440 / RATE * np.arange(first, first + 1024))
    frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = RATE, first
    return frame


def known_frames(
    timeline: Sequence[tuple[float, str]] = TIMELINE, seconds: float = TIMELINE_SECONDS, person: int = KNOWN_PERSON
) -> Iterator[np.ndarray]:
    """Yield a drawn person who changes expression at known times and moves a little; RGB uint8 (480, 640, 3)."""
    size = {"width_px": 720, "height_px": 520, "face_height_px": 210}
    pictures = {label: draw_portrait(label, np.random.default_rng(person), **size)[0] for _, label in timeline}
    for number in range(round(seconds * FRAMES_PER_SECOND)):
        now = number / FRAMES_PER_SECOND
        label = next(label for start, label in reversed(timeline) if start <= now + 1e-6)
        x, y = 40 + round(30 * np.sin(now)), 20 + round(15 * np.cos(2 * now))
        yield np.ascontiguousarray(pictures[label][y : y + 480, x : x + 640])
