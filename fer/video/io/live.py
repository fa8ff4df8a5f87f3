"""Read cameras and streams: the newest frame counts, frames that arrived meanwhile are dropped.

Streams are read with PyAV; cameras with OpenCV, which numbers them on every system, while PyAV's names differ between
systems. A lost stream is reopened, with growing pauses.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from functools import partial

import av
import cv2
import numpy as np
from av.container import InputContainer

from fer.errors import VideoError, without_secrets
from fer.video.io.decoding import USUAL_STEP_SECONDS, Decoder, FrameClock, largest_step, picture_stream, reason
from fer.video.io.files import TimedFrame

SILENCE_SECONDS = 15.0
"""If no frame arrives for this long, a camera is given up, and a stream is reopened."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
"""Pauses before a lost stream is reopened; each is twice as long as the one before."""
PATIENCE_SECONDS = 600.0
"""If no frame arrives for this long, a stream is given up, however often it was reopened."""
_LOOK_SECONDS = 0.03
_CLOSING_SECONDS = 0.5
"""How long to wait for a camera to close; FFmpeg cannot be interrupted while it waits for a network."""


class LiveSource:
    """A camera or a stream, read by its own thread; only the newest frame is kept."""

    def __init__(
        self,
        source: int | str,
        silence_seconds: float = SILENCE_SECONDS,
        patience_seconds: float = PATIENCE_SECONDS,
        tell: Callable[[str], object] = lambda line: None,
    ) -> None:
        """Open it and wait for the first frame.

        Args:
            source: a camera's number, from 0, or a URL that FFmpeg supports: rtsp, http, rtmp, udp, ….
            silence_seconds: how long to wait for a frame, including the first.
            patience_seconds: how long to try to reopen a lost stream.
            tell: called with a message when a stream is lost, from the thread that reads it.

        Raises:
            VideoError: no frame arrives.
        """
        self.name = f"camera {source}" if isinstance(source, int) else without_secrets(source)
        self.problem = ""
        """Why reading ended, if unexpectedly."""
        self.ended = False
        """Whether the source has ended."""
        self._silence_seconds = silence_seconds
        self._newest: tuple[np.ndarray, float] | None = None
        self._changed = threading.Condition()
        self._wanted = threading.Event()
        self._closed = threading.Event()
        self._over = False
        if isinstance(source, int):
            images, self._patience_seconds = _camera_images(source), silence_seconds
        else:
            stream = _Stream(source, silence_seconds, patience_seconds, self._wanted, self._closed, tell)
            images, self._patience_seconds = stream.images(), patience_seconds + 2 * silence_seconds
        # A daemon: a read that never returns must not keep the program from exiting.
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
                raise VideoError(self.problem or f"expected pictures from {self.name}, found none. Is it switched on?")

    def _read(self, images: Generator[np.ndarray]) -> None:
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
        except Exception as error:  # otherwise the thread would end silently
            problem = without_secrets(f"{self.name} cannot be read: {type(error).__name__}: {error}")
        finally:
            images.close()  # closes the device, in the thread that opened it
            with self._changed:
                self.problem, self._over = self.problem or problem, True
                self._changed.notify()

    def frames(self) -> Iterator[TimedFrame | None]:
        """Yield the newest frame each time, or None while there is none, so that the caller can do other work."""
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
                image, last = newest[0], max(newest[1], asked)  # the first may have waited until the model was loaded
                began = last if began is None else began
                yield TimedFrame(partial(lambda shown: shown, image), last - began)
            elif over:
                self.ended = True
                return
            elif time.monotonic() - last > self._patience_seconds:
                self.problem = f"no picture from {self.name} for {self._patience_seconds:.0f} seconds"
                return
            else:
                yield None

    def close(self) -> None:
        """Stop reading."""
        self._closed.set()
        self._wanted.set()
        self._thread.join(_CLOSING_SECONDS)


def _camera_images(number: int) -> Generator[np.ndarray]:
    """Yield RGB uint8 (H, W, 3) as long as the camera delivers pictures."""
    cv2.utils.logging.setLogLevel(0)  # otherwise OpenCV logs pages about each driver it tries
    capture = cv2.VideoCapture(number)
    try:
        if not capture.isOpened():
            raise VideoError(
                f"expected a camera with number {number}, found none. Connect one, close other programs that use it, "
                "give this program permission, or try another number with --source."
            )
        while True:
            there, bgr = capture.read()
            if not there:
                raise VideoError(f"expected pictures from camera {number}, found none. Was it disconnected?")
            yield cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
    finally:
        capture.release()


class _Stream:
    """A stream, or a file at a URL, which is reopened when it is lost."""

    def __init__(
        self,
        url: str,
        silence_seconds: float,
        patience_seconds: float,
        wanted: threading.Event,
        closed: threading.Event,
        tell: Callable[[str], object],
    ) -> None:
        self._url, self._name = url, without_secrets(url)
        self._silence_seconds, self._patience_seconds = silence_seconds, patience_seconds
        self._wanted, self._closed, self._tell = wanted, closed, tell
        self._shape_wh: tuple[int, int] | None = None
        self._at: float | None = None
        """Time of the latest picture of a file, in the file's time."""

    def images(self) -> Generator[np.ndarray]:
        """Yield RGB uint8 (H, W, 3), each when it is due, across lost connections.

        Raises:
            VideoError: no picture arrives, or the stream is lost for good.
        """
        pause, seen, was_file = FIRST_PAUSE_SECONDS, 0.0, False
        while True:
            try:
                with closing(self._opened()) as container:
                    is_file = _is_file(container)
                    if seen and is_file and not was_file:
                        return  # the live stream has ended and is now available as a file
                    was_file = is_file
                    for image in self._pictures(container, is_file):
                        yield image
                        pause, seen = FIRST_PAUSE_SECONDS, time.monotonic()
                    if is_file or not seen:
                        return
                lost = f"{self._name} has ended."  # or the camera restarts and closes the connection first
            except _LostError as error:
                if not seen or time.monotonic() - seen > self._patience_seconds:
                    raise
                lost = str(error)
            if self._closed.is_set():
                return
            self._tell(f"{lost} Trying again in {pause:g} s.")
            self._closed.wait(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def _opened(self) -> InputContainer:
        try:
            # Over UDP, FFmpeg's default, lost packets tear pictures.
            options = {"rtsp_transport": "tcp"}
            return av.open(self._url, timeout=self._silence_seconds, options=options, metadata_errors="replace")
        except (av.FFmpegError, OSError, ValueError) as error:
            raise _LostError(
                f"expected a video at {self._name}, but it cannot be opened ({reason(error)}). "
                "Check the address and the network."
            ) from error

    def _pictures(self, container: InputContainer, is_file: bool) -> Iterator[np.ndarray]:
        """Yield the pictures of a connection, each when it is due: a file at a URL would arrive all at once.

        Such a file waits after its first frame until `frames` is called; a live stream continues meanwhile. A file that
        was lost continues after its latest picture.
        """
        stream = picture_stream(container)
        if stream is None:
            raise _LostError(f"expected a video at {self._name}, found no video stream. Check the address.")
        after = self._at if is_file else None
        if after is not None:
            self._go_to(container, after)
        decoder = Decoder(container, stream, shape_wh=self._shape_wh)
        clock, began = FrameClock(USUAL_STEP_SECONDS, largest_step(container)), 0.0
        for picture in decoder.frames():
            if after is not None and picture.seconds is not None and picture.seconds <= after:
                continue
            self._shape_wh, self._at = decoder.shape_wh, picture.seconds
            due = clock.place(picture.seconds, picture.lasts)
            began = began or time.monotonic()
            if due and is_file and not self._wanted.is_set():
                self._wanted.wait()
                began = time.monotonic() - due
            if self._closed.wait(max(began + due - time.monotonic(), 0)):
                return
            yield picture.image()
        if decoder.damage and (decoder.broke_off or is_file):
            lost = _LostError if decoder.broke_off else VideoError
            raise lost(f"the video from {self._name} was interrupted ({decoder.damage}). Check the network.")

    def _go_to(self, container: InputContainer, seconds: float) -> None:
        try:
            container.seek(round(seconds * 1e6))
        except (av.FFmpegError, OSError) as error:
            raise _LostError(f"{self._name} cannot continue where it was lost ({reason(error)}).") from error


def _is_file(container: InputContainer) -> bool:
    """Whether this is a file rather than a live stream; the size of a playlist says nothing about that."""
    return bool(container.duration) or (container.size > 0 and "hls" not in container.format.name)


class _LostError(VideoError):
    """A stream was lost, but may return."""
