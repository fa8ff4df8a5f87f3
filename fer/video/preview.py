"""The latest picture of a video that is being analyzed."""

import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from fer.errors import VideoError
from fer.files import file_errors, write_atomically
from fer.images import shrink_to_fit

PREVIEW_PX, JPEG_QUALITY = 480, 80
EVERY_SECONDS = 1.0


class Preview:
    """Saves a small copy of the current picture about once per second; readers see it whole or not at all."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = path, clock
        self._next = clock()

    def show(self, image: np.ndarray) -> None:
        """Save this picture, RGB uint8 (H, W, 3), if it is time.

        Raises:
            VideoError: the file cannot be written.
        """
        if self._clock() < self._next:
            return
        small = cv2.cvtColor(shrink_to_fit(image, PREVIEW_PX), cv2.COLOR_RGB2BGR)
        _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        with file_errors("the preview cannot be saved", VideoError):
            write_atomically(self._path, data.tobytes(), durable=False)
        self._next = self._clock() + EVERY_SECONDS

    def forget(self) -> None:
        """Remove the file.

        Raises:
            VideoError: the file cannot be removed.
        """
        with file_errors("the preview cannot be removed", VideoError):
            self._path.unlink(missing_ok=True)
