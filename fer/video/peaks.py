"""The most confident moment of each person and expression, with a small picture of the face."""

from collections.abc import Sequence

import cv2
import numpy as np

from fer.images import shrink_to_fit
from fer.video.timeline import Moment
from fer.video.tracking import TrackedFace

THUMBNAIL_PX = 144
_STEP = 0.02
"""A picture is replaced when the confidence has grown by this: making one takes half a millisecond."""


class Peaks:
    """Collects peaks frame by frame, from one thread; any thread may read them."""

    def __init__(self, most: int | None = None) -> None:
        """Start empty; if there would be more than `most`, the oldest are dropped."""
        self._most = most
        self._noted: dict[tuple[int, str], Moment] = {}  # replaced as a whole, so readers never see it half-changed

    def note(self, image: np.ndarray, seconds: float, faces: Sequence[TrackedFace]) -> None:
        """Add the faces in an image, RGB uint8 (H, W, 3), in its pixels, at this second of the video."""
        for face in faces:
            key = face.track_id or 0, face.label
            before = self._noted.get(key)
            if before is not None and face.confidence <= before.confidence + _STEP:
                continue
            if thumbnail := _thumbnail(image, face):
                noted = {**self._noted, key: Moment(*key, seconds, face.confidence, thumbnail)}
                if self._most is not None and len(noted) > self._most:
                    del noted[next(iter(noted))]
                self._noted = noted

    @property
    def moments(self) -> tuple[Moment, ...]:
        """Return the peaks so far."""
        return tuple(self._noted.values())


def _thumbnail(image: np.ndarray, face: TrackedFace) -> bytes:
    """Return a square of 1.5 × the face's height, cropped to the picture, as JPEG; b"" if it is outside."""
    (x, y), half = face.box.center, 0.75 * face.box.height
    part = image[max(round(y - half), 0) : round(y + half), max(round(x - half), 0) : round(x + half)]
    if not part.size:
        return b""
    small = shrink_to_fit(np.ascontiguousarray(part), THUMBNAIL_PX)
    _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return data.tobytes()
