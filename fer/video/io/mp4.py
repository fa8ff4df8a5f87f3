"""Write MP4 with PyAV: OpenCV's files (mp4v) do not play in browsers, and their frame rate is constant."""

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
"""Half the time of preset veryfast, and 2 to 10 % more bytes at the same PSNR. Lookahead, which superfast omits, saves
bytes; small partitions, chosen this quickly, cost some."""
_BT601 = 6
"""The matrix of `yuv_frame`, as numbered in ITU-T H.273."""


def yuv_frame(image: np.ndarray) -> av.VideoFrame:
    """Convert RGB uint8 (H, W, 3) with even sides for encoders: yuv420p, the matrix of BT.601, 16..235.

    OpenCV takes a tenth of FFmpeg's time. Four pixels share the color of the upper left one.
    """
    planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), np.uint8)
    # PyAV's `from_numpy_buffer` would copy nothing, but needs a height that is a multiple of four.
    return av.VideoFrame.from_ndarray(planes, format="yuv420p")


class Mp4Writer:
    """Writes frames as H.264 in MP4, which every browser and player shows, with their own times.

    The file has a temporary name until it is complete, so an incomplete file is never found under the final name. Use
    it in a `with` statement: leaving it finishes the file, or removes it after an exception.

    In parts, the file has its final name from the first frame, and after any failure all but the last two seconds play.
    """

    def __init__(
        self,
        path: Path,
        sound: Sound | None = None,
        size_wh: tuple[int, int] | None = None,
        in_parts: bool = False,
    ) -> None:
        """Check that the file can be written; nothing is written before the first frame.

        Args:
            path: the file.
            sound: the sound of the video that the frames are from; closed with the file.
            size_wh: width and height of the video, to which all pictures are scaled; by default those of the first.
            in_parts: whether to write parts of two seconds, each of which plays without the next (fragmented MP4);
                browsers do not know the length of such a video until they have loaded all of it.

        Raises:
            VideoError: the name does not end with .mp4, or the folder is missing or not writable.
        """
        if path.suffix.lower() != ".mp4":
            raise VideoError(f"expected --output to end with .mp4, got {path}. Give a name that ends with .mp4.")
        if path.is_dir():
            raise VideoError(f"expected a file name for the video, found the folder {path}. Give another --output.")
        if not path.parent.is_dir():
            raise VideoError(f"expected a folder for {path.name}, found none at {path.parent}. Make it first.")
        if not os.access(path.parent, os.W_OK):
            raise VideoError(f"expected a writable folder, but {path.parent} is not. Give another --output.")
        self.path = path
        self.frames = 0
        self._in_parts = in_parts
        self._partial = path if in_parts else path.with_name(path.name + ".part")
        self._file: _H264File | None = None
        self._sound, self._size_wh = sound, size_wh

    def write(self, image: np.ndarray, seconds: float) -> None:
        """Add a frame.

        Args:
            image: RGB uint8 (H, W, 3), scaled to the video's size; an odd side gets one more pixel, because H.264
                halves the resolution of colors.
            seconds: the frame's time; the video starts at that of the first.

        Raises:
            VideoError: the file cannot be written, for example because the disk is full.
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
        """Complete and rename the file; without a frame there is none.

        Raises:
            VideoError: the file cannot be written.
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
                self._partial.unlink(missing_ok=True)  # exists only if it was not finished
            if self._sound:
                self._sound.close()

    def _failed(self, error: Exception) -> VideoError:
        return VideoError(f"cannot write {self.path}: {reason(error)}. Free up space, or give another --output.")


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
        # With the index in front, browsers start to play before they have loaded everything.
        parts = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "flush_packets": "1"}
        options = parts if in_parts else {"movflags": "faststart"}
        self._container = av.open(str(path), "w", format="mp4", options=options)
        self._stream = self._container.add_stream("libx264", rate=30, options=_X264)
        context = self._stream.codec_context
        context.width, context.height = width_px + width_px % 2, height_px + height_px % 2
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, _TICKS_PER_SECOND)
        context.gop_size = 60  # two seconds: players can only jump to key frames
        context.colorspace, context.color_range = _BT601, ColorRange.MPEG  # otherwise players guess from the size
        context.color_primaries = context.color_trc = 1  # BT.709, as in sRGB
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
        """Add the sound up to this picture."""
        if self._sound:
            for frame in self._sound.until(ticks / _TICKS_PER_SECOND):
                self._container.mux(self._audio.encode(frame))

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            packet.duration = self._step_ticks  # matters for the last one, which has no successor
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
        with contextlib.suppress(av.FFmpegError, OSError, ValueError):  # the file is removed anyway
            self._container.close()
