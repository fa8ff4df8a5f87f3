"""Decoding with PyAV: pictures as they are to be seen, their times, and what is damaged."""

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
"""Between two frames of a file that says nothing about time."""
LARGEST_STEP_BACK_SECONDS = 1.0
"""Times that go back further begin anew, as where recordings were joined; smaller steps are mistakes."""
LARGEST_STEP_SECONDS, LARGEST_STEP_WITH_JUMPS_SECONDS = 30 * 3600.0, 10.0
"""Times that go on further begin anew, too: FFmpeg's limits (`-dts_error_threshold`, `-dts_delta_threshold`), the
second one for formats whose times may jump, as MPEG-TS."""


def largest_step(container: InputContainer) -> float:
    """Return after how many seconds the next frame of a file may be shown, rather than its times begin anew."""
    jumps = av.format.Flags.ts_discont in av.format.Flags(container.format.flags)
    return LARGEST_STEP_WITH_JUMPS_SECONDS if jumps else LARGEST_STEP_SECONDS


class FrameClock:
    """Turns a file's timestamps into seconds since its first frame that never go back."""

    def __init__(self, step_seconds: float, largest_step_seconds: float = LARGEST_STEP_SECONDS) -> None:
        self._step, self._largest_step = step_seconds, largest_step_seconds
        self._offset: float | None = None
        self._last = self.ends = 0.0
        """When the latest frame is shown, and until when: as long as it says, or else as the one before."""

    def place(self, stamp: float | None, lasts: float = 0.0) -> float:
        """Return when a frame is shown.

        Args:
            stamp: the file's own time, in seconds; without one the frame follows the one before.
            lasts: for how many seconds it is shown; 0 where that is not known.
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
    """Chooses the time of each frame, as FFmpeg does (guess_correct_pts): formats such as AVI know but one."""

    def __init__(self, time_base: float) -> None:
        self._time_base = time_base  # the last frames of what broke off come without one
        self._last = dict.fromkeys(("pts", "dts"), -math.inf)
        self._faults = dict.fromkeys(self._last, 0)

    def seconds(self, frame: av.VideoFrame) -> float | None:
        """Return when a frame is shown, or else when it was decoded, where that goes back less often."""
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
    """How a frame is to be shown, one of eight: what is done to it, in this order."""

    swapped: bool = False
    """Rows become columns."""
    top_bottom: bool = False
    """Top and bottom change places."""
    left_right: bool = False


@dataclass(frozen=True)
class Picture:
    """A decoded frame, and how it is to be seen."""

    frame: av.VideoFrame
    seconds: float | None
    """When it is shown, in the file's own time."""
    lasts: float
    """For how long it is shown, in seconds; 0 where that is not known."""
    orientation: Orientation
    pixel_ratio: float
    """Width of a pixel by its height."""
    shape_wh: tuple[int, int] | None
    """Of the video's first picture, which this one is shown in the shape of; None: it is the first."""
    max_side_px: float

    @property
    def size_wh(self) -> tuple[int, int]:
        """Its size as it is to be seen: with square pixels, upright, not shrunk."""
        width, height = max(round(self.frame.width * self.pixel_ratio), 1), self.frame.height
        return (height, width) if self.orientation.swapped else (width, height)

    def image(self) -> np.ndarray:
        """Return it as it is to be seen, RGB uint8 (H, W, 3): square pixels, upright, in the shape of the first one.

        Where the size changes inside a video a picture keeps its own pixels, as far as it is not longer than it was or
        the first one is, and is given black bars: its pixels times (the first one's width / its width) are the first
        one's.
        """
        own_wh = self.size_wh
        shape_wh = self.shape_wh or own_wh
        around = max(own / side for own, side in zip(own_wh, shape_wh, strict=True))  # so large the shape is to be
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
    """The pictures of a container's video, and whether anything could not be read."""

    def __init__(
        self,
        container: InputContainer,
        stream: VideoStream,
        max_side_px: int | None = None,
        shape_wh: tuple[int, int] | None = None,
    ) -> None:
        """Read a stream from where its container is.

        Args:
            container: an open file.
            stream: of it.
            max_side_px: longer pictures are shrunk to this; nothing is shrunk if not given.
            shape_wh: that all pictures are shown in; the first one's if not given.
        """
        stream.thread_type = "AUTO"  # several cores
        self._container, self._stream = container, stream
        self._max_side_px = max_side_px or math.inf
        self._time_base = float(stream.time_base or 0)
        self._stamps, self._orientation = _Stamps(self._time_base), Orientation()
        says, codec_says = stream.sample_aspect_ratio, stream.codec_context.sample_aspect_ratio
        self._file_ratio = says if says != codec_says else None  # what the file says goes before what its codec says
        self._ratio = 0.0
        self.shape_wh = shape_wh
        """Width and height that all pictures are shown in the shape of, known from the first one on."""
        self.damage = ""
        self.broke_off = False
        """Whether no more could be got, though what was got is no nonsense: a network, a disk."""

    def frames(self) -> Iterator[Picture]:
        """Yield all that can be decoded."""
        packets = self._container.demux(self._stream)
        cut = False
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                self.damage, self.broke_off = reason(error), not isinstance(error, av.InvalidDataError)
                yield from self._decoded(None)  # those that still wait for others
                return
            if packet is None:
                break
            if packet.size:  # the last one, which has nothing, asks the decoder for what it still holds
                cut = packet.is_corrupt
            yield from self._decoded(packet)
        if cut:  # elsewhere the mark is no damage: joined recordings have it at each seam
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
            # What the codec itself says holds from a key frame to the next one.
            if matrix is not None or frame.key_frame:
                self._orientation = _orientation(matrix)
            if not self._ratio or frame.key_frame:
                self._ratio = float(self._file_ratio or self._stream.codec_context.sample_aspect_ratio or 1)
            times = self._stamps.seconds(frame), frame.duration * self._time_base
            picture = Picture(frame, *times, self._orientation, self._ratio, self.shape_wh, self._max_side_px)
            self.shape_wh = self.shape_wh or picture.size_wh
            yield picture


def _display_matrix(frame: av.VideoFrame) -> np.ndarray | None:
    """Return ((a, b), (c, d)) of FFmpeg's display.h: x' = a x + c y, y' = b x + d y. Float (2, 2), or None."""
    try:
        data = frame.side_data.get("DISPLAYMATRIX")
    except ValueError:  # PyAV does not know all that may lie beside it, as EXIF; then it tells the angle alone
        turn = math.radians(frame.rotation)
        return np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    if data is None:
        return None
    numbers = np.frombuffer(data, np.int32)  # type: ignore[call-overload]  # PyAV does not say that it can be
    return np.asarray(numbers.reshape(3, 3)[:2, :2].astype(float))


def _orientation(matrix: np.ndarray | None) -> Orientation:
    """Return the nearest of the eight; a matrix that is near to none of them, as all zeros or askew, counts as none."""
    if matrix is None:
        return Orientation()
    matrix = np.rint(matrix / np.maximum(np.hypot(*matrix), 1e-9))
    if not all((np.abs(matrix).sum(axis=axis) == 1).all() for axis in (0, 1)):
        return Orientation()
    left_right, top_bottom = (matrix.sum(axis=0) < 0).tolist()
    return Orientation(not matrix[0, 0], top_bottom, left_right)


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Return the first stream of moving pictures that can be decoded; the cover of a song is none, nor is a text."""
    if container.format.name == "tty":  # FFmpeg plays texts as a terminal would show them
        return None
    cover = av.stream.Disposition.attached_pic
    streams = (stream for stream in container.streams.video if stream.codec_context)  # None: of an unknown codec
    return next((stream for stream in streams if not stream.disposition & cover), None)


def said_end(container: InputContainer, stream: VideoStream) -> float | None:
    """Return when the pictures end, in seconds, if a Matroska file says so: "00:01:02.500000000"."""
    parts = stream.metadata.get("DURATION", "").split(":")
    with contextlib.suppress(ValueError):
        if len(parts) == 3:
            return float(parts[0]) * 3600 + float(parts[1]) * 60 + float(parts[2])
    if "matroska" in container.format.name and len(container.streams) == 1 and container.duration:
        return container.duration / 1e6
    return None


def length(end: float | None, starts: float) -> float | None:
    """Return how long pictures last, in seconds.

    Args:
        end: what the file says, which is when they end in its own time, or, as some programs have it, how long they
            last already.
        starts: when the first is shown, in the file's own time.
    """
    return end - starts if end and end > starts else end


def duration(container: InputContainer, stream: VideoStream, starts: float) -> float | None:
    """Return how long the pictures last, in seconds, as far as the file says; else how long all of it lasts."""
    if stream.duration and stream.duration > 0 and stream.time_base:
        late = starts - float((stream.start_time or 0) * stream.time_base)  # what comes before it cannot be decoded
        return float(stream.duration * stream.time_base) - late
    return length(said_end(container, stream) or (container.duration / 1e6 if container.duration else None), starts)


def frame_count(stream: VideoStream, seconds: float | None) -> int | None:
    """Return how many pictures there are, as far as the file says, which may be a little wrong.

    Args:
        stream: of the file.
        seconds: how long they last, if that is known.
    """
    if stream.frames:
        return stream.frames
    return round(seconds * stream.average_rate) if seconds and stream.average_rate else None


def reason(error: Exception) -> str:
    """Return what FFmpeg says, without its number and the path, which stand in the message already."""
    if isinstance(error, av.error.ExitError):  # "Immediate exit requested": by us, as nothing came
        return "nothing came in time"
    return str(getattr(error, "strerror", None) or error)
