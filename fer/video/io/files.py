"""Read video files: every frame in order, with the file's times, counted from the first frame."""

import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av
import numpy as np

from fer.errors import VideoError
from fer.video.io.decoding import (
    LARGEST_STEP_SECONDS,
    USUAL_STEP_SECONDS,
    Decoder,
    FrameClock,
    duration,
    frame_count,
    largest_step,
    length,
    picture_stream,
    reason,
    said_end,
)

MISSING_SECONDS = 0.5
"""A file is truncated if its pictures end this much, and 5 %, earlier than it says."""
_ROUNDING_SECONDS = 1e-3
"""Matroska and WebM store times in whole milliseconds."""


@dataclass(frozen=True)
class TimedFrame:
    """A picture of a video and its time."""

    make_image: Callable[[], np.ndarray]
    seconds: float
    """Since the first frame; never decreases from frame to frame."""

    @cached_property
    def image(self) -> np.ndarray:
        """RGB uint8 (H, W, 3), as it should be shown; made on demand, because that takes longer than decoding."""
        return self.make_image()


class VideoFile:
    """A video file, which can be read once."""

    def __init__(self, path: str | os.PathLike[str], max_side_px: int | None = None) -> None:
        """Open the file and read its first frame.

        Args:
            path: the file.
            max_side_px: longer pictures are shrunk to this; by default none are shrunk.

        Raises:
            VideoError: there is no file, or it is not a video, or no frame can be read.
        """
        self.path = Path(path)
        if not self.path.is_file():
            found = "a folder" if self.path.is_dir() else "nothing"
            raise VideoError(f"expected a video file, found {found} at {self.path}. Give a file, a URL or a number.")
        expected = f"expected a video, such as MP4, MOV, MKV, WebM or AVI, in {self.path}"
        try:
            self._container = av.open(str(self.path), metadata_errors="replace")
        except (av.FFmpegError, OSError) as error:
            raise VideoError(
                f"{expected}, found a file that cannot be read as a video ({reason(error)}). "
                "It may be incomplete: copy or record it again."
            ) from error
        self.problem = ""
        """What is wrong with the file; known after all frames were read."""
        self.note = ""
        """A note that the picture size changes; known after that frame was read."""
        try:
            stream = picture_stream(self._container)
            if stream is None:
                raise VideoError(f"{expected}, found no video stream that can be decoded. Give another file.")
            self.frames_per_second = float(stream.average_rate or 0) or 1 / USUAL_STEP_SECONDS
            self._decoder = Decoder(self._container, stream, max_side_px)
            self._pictures = self._decoder.frames()
            self._first = next(self._pictures, None)
            if self._first is None:
                raise VideoError(f"{expected}, found no readable frame. The file is damaged: copy or record it again.")
            self.first_image = self._first.image()
            """RGB uint8 (H, W, 3)."""
            self.size_wh = self._first.size_wh
            """Width and height of the first picture, upright with square pixels, before shrinking."""
            self.shown_wh = self.first_image.shape[1], self.first_image.shape[0]
            """Width and height of the first picture after shrinking."""
            begins = float((stream.start_time or 0) * (stream.time_base or 0))
            self.starts = begins if self._first.seconds is None else self._first.seconds
            """The first picture's time in the file, in seconds, to synchronize the sound."""
            self.seconds_expected = duration(self._container, stream, self.starts)
            """Length according to the file; None if unknown."""
            self.frames_expected = frame_count(stream, self.seconds_expected)
            """Number of frames according to the file, which may be slightly wrong; None if unknown."""
            self._said_seconds = length(said_end(self._container, stream), self.starts)
            self._clock = FrameClock(1 / self.frames_per_second, largest_step(self._container))
        except BaseException:
            self._container.close()
            raise

    @property
    def ends(self) -> float:
        """When the last frame read ends, in seconds since the first."""
        return self._clock.ends

    def frames(self) -> Iterator[TimedFrame]:
        """Yield all frames, once; damaged parts are skipped and reported in `problem`."""
        if self._first is None:
            return
        read, clock = 0, self._clock
        first, self._first = self._first, None
        for picture in itertools.chain([first], self._pictures):
            read += 1
            seconds = clock.place(picture.seconds, picture.lasts)
            if picture.size_wh != self.size_wh and not self.note:
                own, wanted = ("{} × {}".format(*size_wh) for size_wh in (picture.size_wh, self.size_wh))
                self.note = f"the picture size changes to {own} at {seconds:.1f} s: all are fitted into {wanted} pixels"
            yield TimedFrame(picture.image, seconds)
        damage = self._decoder.damage
        # A truncated MP4 fails while reading; Matroska just ends.
        if not damage and self._said_seconds and clock.ends < 0.95 * self._said_seconds - MISSING_SECONDS:
            damage = f"it ends after {clock.ends:.1f} of {self._said_seconds:.1f} seconds"
        if damage:
            of = f" of {self.frames_expected}" if (self.frames_expected or 0) > read else ""
            self.problem = f"{self.path} is damaged ({damage}): {read}{of} frames could be read"

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def picture_at(path: str | os.PathLike[str], seconds: float) -> np.ndarray:
    """Return the picture that a video shows at this time.

    Args:
        path: the video.
        seconds: since its first frame, like `TimedFrame.seconds`; after the end, the last frame is returned.

    Returns:
        RGB uint8 (H, W, 3), see `Picture.image`.

    Raises:
        VideoError: the file cannot be read.
    """
    with closing(VideoFile(path)) as file:
        starts, size_wh = file.starts, file.size_wh
    if (image := _sought(path, starts + seconds, size_wh)) is not None:
        return image
    with closing(VideoFile(path)) as file:
        shown = None
        for frame in file.frames():
            if shown and frame.seconds > seconds + _ROUNDING_SECONDS:
                break
            shown = frame
        return shown.image if shown else file.first_image


def _sought(path: str | os.PathLike[str], moment: float, size_wh: tuple[int, int]) -> np.ndarray | None:
    """Jump to a time, in the file's time, and return its picture in the shape of `size_wh`.

    None if that may be another picture.
    """
    shown = None
    with suppress(av.FFmpegError, OSError), av.open(os.fspath(path), metadata_errors="replace") as container:
        stream = picture_stream(container)
        if stream is None or largest_step(container) < LARGEST_STEP_SECONDS:  # times may restart within the file
            return None
        container.seek(round(moment * 1e6))
        for picture in Decoder(container, stream, shape_wh=size_wh).frames():
            if picture.seconds is None or picture.seconds > moment + _ROUNDING_SECONDS:
                break
            shown = picture
        return shown.image() if shown else None
    return None
