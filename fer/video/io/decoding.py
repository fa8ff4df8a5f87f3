"""Decoding with PyAV: pictures as they are to be seen, their times, and what is damaged."""

import contextlib
import math
from collections.abc import Iterator

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

USUAL_STEP_SECONDS = 1 / 30
"""Between two frames of a file that says nothing about time."""
LARGEST_STEP_BACK_SECONDS = 1.0
"""Times that go back further begin anew, as where recordings were joined; smaller steps are mistakes."""


class FrameClock:
    """Turns a file's timestamps into seconds since its first frame that never go back."""

    def __init__(self, step_seconds: float) -> None:
        self._step = step_seconds
        self._offset = 0.0
        self._last: float | None = None
        self._latest_step = step_seconds

    @property
    def ends(self) -> float:
        """When the latest frame ends, if it is shown as long as the one before."""
        return (self._last or 0.0) + self._latest_step

    def place(self, stamp: float | None) -> float:
        """Return when a frame is shown; without a timestamp, a step after the one before."""
        if self._last is None:
            self._offset, self._last = -(stamp or 0.0), 0.0
            return 0.0
        now = self._last + self._step if stamp is None else stamp + self._offset
        if stamp is not None and now < self._last - LARGEST_STEP_BACK_SECONDS:
            now = self._last + self._step
            self._offset = now - stamp
        self._latest_step = max(now - self._last, 0.0)
        self._last = max(self._last, now)
        return self._last


class Decoder:
    """The pictures of a container's video, and whether anything could not be read."""

    def __init__(self, container: InputContainer, stream: VideoStream, max_side_px: int | None = None) -> None:
        stream.thread_type = "AUTO"  # several cores
        self._container, self._stream = container, stream
        self._max_side_px = max_side_px or math.inf
        self._pixel_ratio = stream.sample_aspect_ratio or 1  # noted: a stream must not be asked when its file is closed
        self.damage = ""

    def size_wh(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Return a frame's size as it is to be seen: with square pixels, upright, not shrunk."""
        width, height = self._lying_wh(frame)
        return (height, width) if _turns(frame) % 2 else (width, height)

    def image(self, frame: av.VideoFrame) -> np.ndarray:
        """Return a frame as it is to be seen: square pixels, turned as the file says; RGB uint8 (H, W, 3)."""
        width, height = self._lying_wh(frame)
        scale = min(self._max_side_px / max(width, height), 1.0)
        width, height = max(round(scale * width), 1), max(round(scale * height), 1)
        image = frame.reformat(format="rgb24", width=width, height=height).to_ndarray()
        return np.ascontiguousarray(np.rot90(image, _turns(frame))) if _turns(frame) else image

    def _lying_wh(self, frame: av.VideoFrame) -> tuple[int, int]:
        return max(round(frame.width * self._pixel_ratio), 1), frame.height

    def frames(self) -> Iterator[av.VideoFrame]:
        """Yield all that can be decoded."""
        packets = self._container.demux(self._stream)
        cut = False
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                self.damage = reason(error)
                yield from self._decoded(None)  # those that still wait for others
                return
            if packet is None:
                break
            if packet.size:  # the last one, which has nothing, asks the decoder for what it still holds
                cut = packet.is_corrupt
            yield from self._decoded(packet)
        if cut:  # elsewhere the mark is no damage: joined recordings have it at each seam
            self.damage = "it is cut off"

    def _decoded(self, packet: "av.Packet[VideoStream] | None") -> "list[av.VideoFrame]":
        try:
            frames = self._stream.decode(packet)
            self._pixel_ratio = self._stream.sample_aspect_ratio or 1
            return frames
        except av.FFmpegError as error:
            if not isinstance(error, av.error.EOFError):
                self.damage = reason(error)
            return []


def _turns(frame: av.VideoFrame) -> int:
    """Return how many quarters of a turn to the left a frame is to be turned."""
    return round(frame.rotation / 90) % 4


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Return the first stream of moving pictures; the cover of a song is none, nor is a text."""
    if container.format.name == "tty":  # FFmpeg plays texts as a terminal would show them
        return None
    cover = av.stream.Disposition.attached_pic
    return next((stream for stream in container.streams.video if not stream.disposition & cover), None)


def tagged_duration(stream: VideoStream) -> float | None:
    """Return how long the pictures last, in seconds, if a Matroska file says so: "00:01:02.500000000"."""
    parts = stream.metadata.get("DURATION", "").split(":")
    with contextlib.suppress(ValueError):
        return float(parts[0]) * 3600 + float(parts[1]) * 60 + float(parts[2]) if len(parts) == 3 else None
    return None


def duration(container: InputContainer, stream: VideoStream) -> float | None:
    """Return how long the pictures last, in seconds, as far as the file says; else how long all of it lasts."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return tagged_duration(stream) or (container.duration / 1e6 if container.duration else None)


def frame_count(container: InputContainer, stream: VideoStream) -> int | None:
    """Return how many pictures there are, as far as the file says, which may be a little wrong."""
    if stream.frames:
        return stream.frames
    if container.duration and stream.average_rate:
        return round(container.duration / 1e6 * stream.average_rate)
    return None


def reason(error: Exception) -> str:
    """Return what FFmpeg says, without its number and the path, which stand in the message already."""
    return str(getattr(error, "strerror", None) or error)
