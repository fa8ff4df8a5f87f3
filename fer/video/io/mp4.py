"""Writing MP4, with PyAV: what OpenCV writes (mp4v) does not play in browsers, and all its frames last as long."""

import contextlib
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange

from fer.errors import VideoError
from fer.video.io.decoding import USUAL_STEP_SECONDS, reason
from fer.video.io.sound import RATE, Sound

_TICKS_PER_SECOND = 90_000
_X264 = {"preset": "superfast", "crf": "21", "mbtree": "1", "rc-lookahead": "10", "partitions": "none"}
"""Half of the preset veryfast's time, 2 to 10 % more bytes at the same PSNR. It is the look ahead that saves bytes, and
that superfast alone does without; small partitions, chosen this fast, cost some."""
_BT601 = 6
"""ITU-T H.273 calls it so: the matrix of `yuv_frame`."""


def yuv_frame(image: np.ndarray) -> av.VideoFrame:
    """Return RGB uint8 (H, W, 3) with even sides as encoders take it, yuv420p with the matrix of BT.601, 16..235.

    OpenCV does that in a tenth of FFmpeg's time. A colour is that of the left upper one of four pixels.
    """
    planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), np.uint8)
    # PyAV's `from_numpy_buffer`, which copies nothing, takes the height for a multiple of four.
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


class Mp4Writer:
    """Writes frames as H.264 in MP4, which every browser and player shows, at the speed that they came with.

    Until it is complete the file has another name, so nothing half-written is ever found under its own. Used in a
    `with`: leaving it finishes the file, or removes what was written if there was an exception.

    In parts, it has its own name from the first frame on, and whatever ends it, all but the last two seconds play.
    """

    def __init__(
        self,
        path: Path,
        sound: Sound | None = None,
        size_wh: tuple[int, int] | None = None,
        in_parts: bool = False,
    ) -> None:
        """Make sure that a file can be written there; nothing is made before the first frame.

        Args:
            path: of the file.
            sound: what is heard in the time that the frames are from; closed with the file.
            size_wh: of the video, which all pictures are scaled to; the first one's if not given.
            in_parts: whether it is written in parts of two seconds, each of which plays without the next
                (fragmented MP4); browsers do not know how long such a video is before they have all of it.

        Raises:
            VideoError: the name does not end with .mp4, or its folder is missing or cannot be written to.
        """
        if path.suffix.lower() != ".mp4":
            raise VideoError(f"expected --output to end with .mp4, got {path}. Videos are written as MP4 files.")
        if path.is_dir():
            raise VideoError(f"expected a file to write the video to, found the folder {path}. Give another --output.")
        if not path.parent.is_dir():
            raise VideoError(f"expected a folder for {path.name}, found none at {path.parent}. Make it first.")
        if not os.access(path.parent, os.W_OK):
            raise VideoError(f"expected to be allowed to write to {path.parent}, but it is not. Give another --output.")
        self.path = path
        self.frames = 0
        self._in_parts = in_parts
        self._partial = path if in_parts else path.with_name(path.name + ".part")
        self._file: _H264File | None = None
        self._sound, self._size_wh = sound, size_wh

    def write(self, image: np.ndarray, seconds: float) -> None:
        """Add a frame.

        Args:
            image: RGB uint8 (H, W, 3), scaled to the video's size; an odd side gets one more pixel, as H.264 halves
                the colours' resolution.
            seconds: when it is shown; the video begins with the first.

        Raises:
            VideoError: it cannot be written, as when the disk is full.
        """
        try:
            if self._file is None:
                width_px, height_px = self._size_wh or image.shape[1::-1]
                self._file = _H264File(self._partial, width_px, height_px, seconds, self._sound, self._in_parts)
            self._file.write(image, seconds)
        except (av.FFmpegError, OSError) as error:
            raise self._failed(error) from error
        self.frames += 1

    def __enter__(self) -> "Mp4Writer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        """Complete the file and give it its name; without a frame there is none.

        Raises:
            VideoError: it cannot be written.
        """
        try:
            if self._file and kind and not self._in_parts:
                self._file.abandon()
            elif self._file:
                self._file.finish()
                self._partial.replace(self.path)
        except (av.FFmpegError, OSError) as problem:
            raise self._failed(problem) from problem
        finally:
            if self._file and not self._in_parts:
                self._partial.unlink(missing_ok=True)  # is there only if it was not finished
            if self._sound:
                self._sound.close()

    def _failed(self, error: Exception) -> VideoError:
        return VideoError(f"cannot write {self.path}: {reason(error)}. Make room, or give another --output.")


class _H264File:
    def __init__(
        self,
        path: Path,
        width_px: int,
        height_px: int,
        began_seconds: float,
        sound: Sound | None,
        in_parts: bool,
    ) -> None:
        self._size_wh = width_px, height_px
        self._began = began_seconds
        self._last_ticks, self._step_ticks = -1, round(USUAL_STEP_SECONDS * _TICKS_PER_SECOND)
        # With the index in front a browser starts to play before it has everything.
        parts = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
        options = parts if in_parts else {"movflags": "faststart"}
        self._container = av.open(str(path), "w", format="mp4", options=options)
        self._stream = self._container.add_stream("libx264", rate=30, options=_X264)
        context = self._stream.codec_context
        context.width, context.height = width_px + width_px % 2, height_px + height_px % 2
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, _TICKS_PER_SECOND)
        context.gop_size = 60  # two seconds: players jump to such places only
        context.colorspace, context.color_range = _BT601, ColorRange.MPEG  # unsaid, players guess by the size
        context.color_primaries = context.color_trc = 1  # BT.709, as sRGB has them
        self._sound = sound
        if sound:
            sound.begin(began_seconds)
            self._audio = self._container.add_stream("aac", rate=RATE, layout=sound.layout)

    def write(self, image: np.ndarray, seconds: float) -> None:
        if image.shape[1::-1] != self._size_wh:
            image = cv2.resize(image, self._size_wh, interpolation=cv2.INTER_AREA)
        height, width = image.shape[:2]
        if height % 2 or width % 2:
            image = cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        frame = yuv_frame(image)
        ticks = max(round((seconds - self._began) * _TICKS_PER_SECOND), self._last_ticks + 1)
        if self._last_ticks >= 0:
            self._step_ticks = ticks - self._last_ticks
        frame.pts, self._last_ticks = ticks, ticks
        frame.time_base = Fraction(1, _TICKS_PER_SECOND)
        self._mux(frame)
        self._mux_sound(ticks)

    def _mux_sound(self, ticks: int) -> None:
        """Add the sound up to a picture."""
        if self._sound:
            for frame in self._sound.until(ticks / _TICKS_PER_SECOND):
                self._container.mux(self._audio.encode(frame))

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._step_ticks  # matters for the last one, which no other follows
            self._container.mux(packet)

    def finish(self) -> None:
        try:
            self._mux(None)
            if self._sound:
                self._mux_sound(self._last_ticks + self._step_ticks)
                self._container.mux(self._audio.encode(None))
        finally:
            self._container.close()

    def abandon(self) -> None:
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):  # it is removed anyway
            self._container.close()
