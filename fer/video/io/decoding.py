"""Decode with PyAV: pictures as they should be shown, their times, and damage."""

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import av
import cv2
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

USUAL_STEP_SECONDS = 1 / 30
"""Time between two frames of a file without timestamps."""
LARGEST_STEP_BACK_SECONDS = 1.0
"""If times go back further, they restart, as in joined recordings; smaller steps are errors."""
LARGEST_STEP_SECONDS, LARGEST_STEP_WITH_JUMPS_SECONDS = 30 * 3600.0, 10.0
"""If times go forward further, they also restart: FFmpeg's limits (`-dts_error_threshold`, `-dts_delta_threshold`), the
second one for formats whose times may jump, such as MPEG-TS."""


def largest_step(container: InputContainer) -> float:
    """Return the longest plausible time between two frames of a file, in seconds; beyond it, times restart."""
    jumps = av.format.Flags.ts_discont in av.format.Flags(container.format.flags)
    return LARGEST_STEP_WITH_JUMPS_SECONDS if jumps else LARGEST_STEP_SECONDS


class FrameClock:
    """Turns a file's timestamps into seconds since its first frame, which never go back."""

    def __init__(self, step_seconds: float, largest_step_seconds: float = LARGEST_STEP_SECONDS) -> None:
        self._step, self._largest_step = step_seconds, largest_step_seconds
        self._offset: float | None = None
        self._last = self.ends = 0.0
        """When the latest frame starts and ends; without a duration it lasts as long as the one before."""

    def place(self, stamp: float | None, lasts: float = 0.0) -> float:
        """Return when a frame is shown, in seconds.

        Args:
            stamp: the time in the file, in seconds; a frame without one follows the one before.
            lasts: the frame's duration in seconds; 0 if unknown.
        """
        now = self.ends
        if stamp is not None:
            step = stamp + (self._offset or 0.0) - self._last
            if self._offset is None or not -LARGEST_STEP_BACK_SECONDS <= step <= self._largest_step:
                self._offset = now - stamp
            now = max(stamp + self._offset, self._last)
        self._step = now - self._last or self._step
        self._last, self.ends = now, now + (lasts or self._step)
        return now


class _Stamps:
    """Chooses the timestamp of each frame like FFmpeg (guess_correct_pts): formats such as AVI have only one."""

    def __init__(self, time_base: float) -> None:
        self._time_base = time_base  # the last frames of a truncated file have none
        self._last = dict.fromkeys(("pts", "dts"), -math.inf)
        self._faults = dict.fromkeys(self._last, 0)

    def seconds(self, frame: av.VideoFrame) -> float | None:
        """Return a frame's presentation time, or its decoding time if that goes back less often."""
        stamps = {"pts": frame.pts, "dts": frame.dts}
        for name, stamp in stamps.items():
            if stamp is not None:
                self._faults[name] += stamp <= self._last[name]
                self._last[name] = stamp
        shown, decoded = stamps.values()
        wanted = decoded if shown is None or self._faults["pts"] > self._faults["dts"] else shown
        wanted = shown if wanted is None else wanted
        return wanted * self._time_base if wanted is not None and self._time_base else None


class Orientation(NamedTuple):
    """How to turn a frame, one of eight ways, in this order."""

    swapped: bool = False
    """Swap rows and columns."""
    top_bottom: bool = False
    """Swap top and bottom."""
    left_right: bool = False


@dataclass(frozen=True)
class Picture:
    """A decoded frame, and how to show it."""

    frame: av.VideoFrame
    seconds: float | None
    """When it is shown, in the file's time."""
    lasts: float
    """Duration in seconds; 0 if unknown."""
    orientation: Orientation
    pixel_ratio: float
    """Width of a pixel divided by its height."""
    shape_wh: tuple[int, int] | None
    """Size of the video's first picture, whose shape this one gets; None: this is the first."""
    max_side_px: float

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height upright, with square pixels, not shrunk."""
        width, height = max(round(self.frame.width * self.pixel_ratio), 1), self.frame.height
        return (height, width) if self.orientation.swapped else (width, height)

    def image(self) -> np.ndarray:
        """Return the picture upright, with square pixels and the first picture's shape, RGB uint8 (H, W, 3).

        If the size changes within a video, the picture keeps its resolution, unless it would become longer than both
        itself and the first picture, and gets black bars: its pixels times (first width / its width) are pixels of the
        first picture.
        """
        own_wh = self.size_wh
        shape_wh = self.shape_wh or own_wh
        around = max(own / side for own, side in zip(own_wh, shape_wh, strict=True))  # scale of the whole shape
        scale = min(min(self.max_side_px, max(*own_wh, *shape_wh)) / (around * max(shape_wh)), 1.0)
        width, height = (max(round(scale * own), 1) for own in own_wh)
        swapped, *turned = self.orientation
        lying_wh = (height, width) if swapped else (width, height)
        lying = self.frame.reformat(format="rgb24", width=lying_wh[0], height=lying_wh[1]).to_ndarray()
        upright = lying.transpose(1, 0, 2) if swapped else lying
        image: np.ndarray = np.ascontiguousarray(
            upright[tuple(slice(None, None, -1 if back else 1) for back in turned)]
        )
        beside, below = (max(round(scale * around * side), 1) for side in shape_wh)
        beside, below = max(beside - width, 0), max(below - height, 0)
        if not (beside or below):
            return image
        left, above = beside // 2, below // 2
        return cv2.copyMakeBorder(image, above, below - above, left, beside - left, cv2.BORDER_CONSTANT)


class Decoder:
    """Decodes the pictures of a container's video, and notes damage."""

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        max_side_px: int | None = None,
        shape_wh: tuple[int, int] | None = None,
    ) -> None:
        """Read a stream from the container's current position.

        Args:
            container: an open file.
            stream: one of its video streams.
            max_side_px: longer pictures are shrunk to this; by default none are shrunk.
            shape_wh: the shape of all pictures; by default that of the first.
        """
        stream.thread_type = "AUTO"  # several cores
        self._container, self._stream = container, stream
        self._max_side_px = max_side_px or math.inf
        self._time_base = float(stream.time_base or 0)
        self._stamps, self._orientation = _Stamps(self._time_base), Orientation()
        says, codec_says = stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio
        self._file_ratio = says if says != codec_says else None  # the file takes precedence over the codec
        self._ratio = 0.0
        self.shape_wh = shape_wh
        """Width and height that give all pictures their shape; known after the first."""
        self.damage = ""
        self.broke_off = False
        """Whether reading failed without damaged data, for example because of the network or the disk."""

    def frames(self) -> Iterator[Picture]:
        """Yield all pictures that can be decoded."""
        packets = self._container.demux(self._stream)
        cut = False
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                self.damage, self.broke_off = reason(error), not isinstance(error, av.InvalidDataError)
                yield from self._decoded(None)  # those still in the decoder
                return
            if packet is None:
                break
            if packet.size:  # the last packet is empty, and flushes the decoder
                cut = packet.is_corrupt
            yield from self._decoded(packet)
        if cut:  # earlier packets may be marked without damage: joined recordings have marks at each seam
            self.damage = "it is cut off"

    def _decoded(self, packet: "av.Packet[VideoStream] | None") -> Iterator[Picture]:
        try:
            frames = self._stream.decode(packet)
        except av.FFmpegError as error:
            if not isinstance(error, av.error.EOFError):
                self.damage = reason(error)
            return
        for frame in frames:
            matrix = _display_matrix(frame)
            # The codec's values apply from one key frame to the next.
            if matrix is not None or frame.key_frame:
                self._orientation = _orientation(matrix)
            if not self._ratio or frame.key_frame:
                self._ratio = float(self._file_ratio or self._stream.codec_context.sample_aspect_ratio or 1)
            times = self._stamps.seconds(frame), frame.duration * self._time_base
            picture = Picture(frame, *times, self._orientation, self._ratio, self.shape_wh, self._max_side_px)
            self.shape_wh = self.shape_wh or picture.size_wh
            yield picture


def _display_matrix(frame: av.VideoFrame) -> np.ndarray | None:
    """Return ((a, b), (c, d)) from FFmpeg's display.h: x' = a x + c y, y' = b x + d y. Float (2, 2), or None."""
    try:
        data = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know all kinds of side data, such as EXIF; then only the angle is available
        turn = math.radians(frame.rotation)
        return np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    if data is None:
        return None
    numbers = np.frombuffer(data, np.int32)  # type: ignore[call-overload]  # PyAV's types lack the buffer protocol
    return np.asarray(numbers.reshape(3, 3)[:2, :2].astype(float))


def _orientation(matrix: np.ndarray | None) -> Orientation:
    """Return the nearest of the eight orientations; a matrix near none of them, zero or skewed, is ignored."""
    if matrix is None:
        return Orientation()
    matrix = np.rint(matrix / np.maximum(np.hypot(*matrix), 1e-9))
    if not all((np.abs(matrix).sum(axis=axis) == 1).all() for axis in (0, 1)):
        return Orientation()
    left_right, top_bottom = (matrix.sum(axis=0) < 0).tolist()
    return Orientation(not matrix[0, 0], top_bottom, left_right)


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Return the first video stream that can be decoded; neither a song's cover nor a text file counts as one."""
    if container.format.name == "tty":  # FFmpeg plays text files as a terminal would show them
        return None
    cover = av.stream.Disposition.attached_pic
    streams = (stream for stream in container.streams.video if stream.codec_context)  # None: unknown codec
    return next((stream for stream in streams if not stream.disposition & cover), None)


def said_end(container: InputContainer, stream: VideoStream) -> float | None:
    """Return when the pictures end, in seconds, if it is a Matroska file with that tag: "00:01:02.500000000"."""
    parts = stream.metadata.get("DURATION", "").split(":")
    with contextlib.suppress(ValueError):
        if len(parts) == 3:
            return float(parts[0]) * 3600 + float(parts[1]) * 60 + float(parts[2])
    if "matroska" in container.format.name and len(container.streams) == 1 and container.duration:
        return container.duration / 1e6
    return None


def length(end: float | None, starts: float) -> float | None:
    """Return the length of the pictures in seconds.

    Args:
        end: the time from the file: the end in the file's time or, from some programs, already the length.
        starts: when the first picture is shown, in the file's time.
    """
    return end - starts if end and end > starts else end


def duration(container: InputContainer, stream: VideoStream, starts: float) -> float | None:
    """Return the length of the pictures in seconds, or else of the whole file; None if the file has neither."""
    if stream.duration and stream.duration > 0 and stream.time_base:
        late = starts - float((stream.start_time or 0) * stream.time_base)  # anything earlier cannot be decoded
        return float(stream.duration * stream.time_base) - late
    return length(said_end(container, stream) or (container.duration / 1e6 if container.duration else None), starts)


def frame_count(stream: VideoStream, seconds: float | None) -> int | None:
    """Return the number of pictures according to the file, which may be slightly wrong; None if unknown.

    Args:
        stream: the file's video stream.
        seconds: the length of the pictures, if known.
    """
    if stream.frames:
        return stream.frames
    return round(seconds * stream.average_rate) if seconds and stream.average_rate else None


def reason(error: Exception) -> str:
    """Return FFmpeg's message without its number and the path, which our messages contain already."""
    if isinstance(error, av.error.ExitError):  # "Immediate exit requested" by our timeout
        return "nothing arrived in time"
    return str(getattr(error, "strerror", None) or error)
