"""Reading cameras, streams and files.

    VideoFile    every frame of a file in order, at the times that the file gives
    LiveSource   the newest frame of a camera or a stream; what came meanwhile is left out

Files and streams are read with PyAV, cameras with OpenCV. PyAV gives each frame's own timestamp, so that a variable
rate keeps its speed, says how the picture is turned and how wide its pixels are, and tells a damaged file from one that
ends; OpenCV says "no more frames" for both. OpenCV knows cameras by a number on every system; for PyAV they have names
that differ between systems.
"""

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import av
import cv2
import numpy as np

from fer.errors import VideoError
from fer.video.io.decoding import (
    USUAL_STEP_SECONDS,
    Decoder,
    FrameClock,
    duration,
    frame_count,
    picture_stream,
    reason,
    tagged_duration,
)

SILENCE_SECONDS = 15.0
"""A camera or a stream without a new frame for this long is given up."""
MISSING_SECONDS = 0.5
"""A file whose pictures end so much earlier than it says, and by a twentieth, is cut off."""
_LOOK_SECONDS = 0.03


@dataclass(frozen=True)
class TimedFrame:
    """A picture of a video, as it is to be seen."""

    make_image: Callable[[], np.ndarray]
    seconds: float
    """Since the first frame; never less than that of the frame before."""

    @cached_property
    def image(self) -> np.ndarray:
        """RGB uint8 (H, W, 3); made when it is asked for, as that takes longer than decoding."""
        return self.make_image()


class VideoFile:
    """A video file, to be read once."""

    def __init__(self, path: str | os.PathLike[str], max_side_px: int | None = None) -> None:
        """Open the file and read its first frame.

        Args:
            path: the file.
            max_side_px: longer pictures are shrunk to this; nothing is shrunk if not given.

        Raises:
            VideoError: there is no file, or it is no video, or nothing of it can be read.
        """
        self.path = Path(path)
        if not self.path.is_file():
            found = "a folder" if self.path.is_dir() else "nothing"
            raise VideoError(f"expected a video file, found {found} at {self.path}. Give a file, a URL or a number.")
        expected = f"expected a video, such as MP4, MOV, MKV, WebM or AVI, in {self.path}"
        try:
            self._container = av.open(str(self.path))
        except (av.FFmpegError, OSError) as error:
            raise VideoError(
                f"{expected}, found what cannot be read as one ({reason(error)}). "
                "It may be cut off: copy or record it again."
            ) from error
        self.problem = ""
        """What was wrong with the file, known when all frames were read."""
        try:
            stream = picture_stream(self._container)
            if stream is None:
                raise VideoError(f"{expected}, found no moving pictures in it. Give another file.")
            self.frames_expected: int | None = frame_count(self._container, stream)
            """What the file says, which may be a little wrong; None if it does not."""
            self.frames_per_second = float(stream.average_rate or 0) or 1 / USUAL_STEP_SECONDS
            self._tagged_seconds = tagged_duration(stream)
            self.seconds_expected: float | None = duration(self._container, stream)
            """What the file says; None if it does not."""
            self._decoder = Decoder(self._container, stream, max_side_px)
            self._pictures = self._decoder.frames()
            self._first = next(self._pictures, None)
            if self._first is None:
                raise VideoError(f"{expected}, found no frame that can be read. It is damaged or incomplete.")
            self.first_image = self._decoder.image(self._first)
            """RGB uint8 (H, W, 3)."""
            self.size_wh = self._decoder.size_wh(self._first)
            """Of the first picture as it is to be seen, in pixels, before it was shrunk."""
            self.starts = self._first.time or 0.0
            """The first picture's own time in the file, in seconds, which its sound's times are compared with."""
        except BaseException:
            self._container.close()
            raise

    def frames(self) -> Iterator[TimedFrame]:
        """Yield all frames, once; damaged places are left out and told of in `problem`."""
        if self._first is None:
            return
        read, clock = 0, FrameClock(1 / self.frames_per_second)
        first, self._first = self._first, None
        for picture in itertools.chain([first], self._pictures):
            read += 1
            yield TimedFrame(partial(self._decoder.image, picture), clock.place(picture.time))
        damage = self._decoder.damage
        # A cut off MP4 fails on the way; Matroska just ends.
        if not damage and self._tagged_seconds and clock.ends < 0.95 * self._tagged_seconds - MISSING_SECONDS:
            damage = f"it ends after {clock.ends:.1f} of {self._tagged_seconds:.1f} seconds"
        if damage:
            of = f" of {self.frames_expected}" if (self.frames_expected or 0) > read else ""
            self.problem = f"{self.path} is damaged ({damage}): {read}{of} frames could be read"

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def picture_at(path: str | os.PathLike[str], seconds: float) -> np.ndarray:
    """Return the picture that is shown at a moment of a video with an index, as `Mp4Writer` writes it.

    Args:
        path: of the video.
        seconds: since its first frame; after its end the last frame is shown.

    Returns:
        RGB uint8 (H, W, 3).

    Raises:
        VideoError: the file cannot be read.
    """
    try:
        with av.open(os.fspath(path)) as container:
            stream = container.streams.video[0]
            container.seek(max(round(seconds * 1e6), 0))
            decoder, shown = Decoder(container, stream), None
            for frame in container.decode(stream):
                if shown is not None and (frame.time or 0.0) > seconds + 1e-3:
                    break
                shown = frame
    except (av.FFmpegError, OSError, IndexError) as error:
        raise VideoError(f"expected a video in {path}, but it cannot be read ({reason(error)}).") from error
    if shown is None:
        raise VideoError(f"expected a picture at {seconds:g} s of {path}, found none.")
    return decoder.image(shown)


class LiveSource:
    """A camera or a stream, read by a thread of its own, of which the newest frame counts."""

    def __init__(self, source: int | str, silence_seconds: float = SILENCE_SECONDS) -> None:
        """Open it and wait for the first frame.

        Args:
            source: a camera's number, from 0, or a URL that FFmpeg knows: rtsp, http, rtmp, udp, ….
            silence_seconds: how long to wait for a frame, the first one as well.

        Raises:
            VideoError: nothing comes from there.
        """
        self.name = f"camera {source}" if isinstance(source, int) else source
        self.problem = ""
        """Why it ended, if that was not to be expected."""
        self.ended = False
        """Whether there is nothing more to come."""
        self._silence_seconds = silence_seconds
        self._newest: tuple[np.ndarray, float] | None = None
        self._changed = threading.Condition()
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._over = False
        if isinstance(source, int):
            images = _camera_images(source)
        else:
            images = _stream_images(source, self._wanted, self._closed)
        # A daemon: a read that never comes back must not keep the program from ending.
        self._thread = threading.Thread(target=self._read, args=(images,), name="live-source", daemon=True)
        self._thread.start()
        try:
            self._wait_for_first()
        except BaseException:
            self.close()
            raise

    def _wait_for_first(self) -> None:
        deadline = time.monotonic() + self._silence_seconds
        with self._changed:
            while self._newest is None and not self._over and time.monotonic() < deadline:
                self._changed.wait(_LOOK_SECONDS)
            if self._newest is None:
                raise VideoError(self.problem or f"expected pictures from {self.name}, found none. Check it.")

    def _read(self, images: Iterator[np.ndarray]) -> None:
        problem = ""
        try:
            for image in images:
                with self._changed:
                    self._newest = (image, time.monotonic())
                    self._changed.notify()
                if self._closed.is_set():
                    return
        except VideoError as error:
            problem = str(error)
        except Exception as error:  # otherwise the thread would end without a word
            problem = f"{self.name} cannot be read: {type(error).__name__}: {error}"
        finally:
            images.close()  # type: ignore[attr-defined]  # a generator: closes the device, in the thread that opened it
            with self._changed:
                self.problem, self._over = self.problem or problem, True
                self._changed.notify()

    def frames(self) -> Iterator[TimedFrame | None]:
        """Yield the newest frame each time, or None while there is no new one, so that the caller can look around."""
        self._wanted.set()
        began: float | None = None
        last = asked = time.monotonic()
        while True:
            with self._changed:
                if self._newest is None and not self._over:
                    self._changed.wait(_LOOK_SECONDS)
                newest, self._newest = self._newest, None
                over = self._over
            if newest is not None:
                image, last = newest[0], max(newest[1], asked)  # the first may have waited for the model to be loaded
                began = last if began is None else began
                yield TimedFrame(partial(lambda shown: shown, image), last - began)
            elif over:
                self.ended = True
                return
            elif time.monotonic() - last > self._silence_seconds:
                self.problem = f"no picture from {self.name} for {self._silence_seconds:.0f} seconds"
                return
            else:
                yield None

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()
        self._wanted.set()
        self._thread.join(2)


def _camera_images(number: int) -> Iterator[np.ndarray]:
    """Yield RGB uint8 (H, W, 3) as long as the camera gives any."""
    cv2.utils.logging.setLogLevel(0)  # else it writes pages about each driver that it tries
    capture = cv2.VideoCapture(number)
    try:
        if not capture.isOpened():
            raise VideoError(
                f"expected a camera with number {number}, found none. Connect one, close other programs that use it, "
                "allow this one to use it, or try another number with --source."
            )
        while True:
            there, bgr = capture.read()
            if not there:
                raise VideoError(f"expected pictures from camera {number}, but it gives none. Was it disconnected?")
            yield cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


def _stream_images(url: str, wanted: threading.Event, closed: threading.Event) -> Iterator[np.ndarray]:
    """Yield RGB uint8 (H, W, 3), each when it is due: a file behind a URL would come all at once.

    Such a file waits after its first frame until it is wanted; what is live goes on meanwhile.
    """
    try:
        # Over UDP, FFmpeg's choice, pictures come torn where packets are lost.
        container = av.open(url, timeout=SILENCE_SECONDS, options={"rtsp_transport": "tcp"})
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(
            f"expected a video at {url}, but it cannot be opened ({reason(error)}). Check the address and the network."
        ) from error
    with closing(container):
        stream = picture_stream(container)
        if stream is None:
            raise VideoError(f"expected a video at {url}, found no moving pictures. Check the address.")
        decoder, clock, began = Decoder(container, stream), FrameClock(USUAL_STEP_SECONDS), 0.0
        for picture in decoder.frames():
            due = clock.place(picture.time)
            began = began or time.monotonic()
            if due and container.duration and not wanted.is_set():
                wanted.wait()
                began = time.monotonic() - due
            if closed.wait(max(began + due - time.monotonic(), 0)):
                return
            yield decoder.image(picture)
        if decoder.damage:
            raise VideoError(f"the video from {url} broke off ({decoder.damage}). Check the network.")
