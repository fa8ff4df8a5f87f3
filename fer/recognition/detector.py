"""Detect faces with MTCNN (Zhang et al. 2016, arXiv:1604.02878) and the weights of facenet-pytorch."""

from dataclasses import replace
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from fer.faces import Box, Detection, moved, reading_order, turned
from fer.images import check_rgb
from fer.recognition.mtcnn import Candidates, Mtcnn, suppress

MIN_FACE_PX = 24
"""Smallest face searched for in pictures of up to `MAX_SIDE_PX`; fewer pixels show no expression anyway. The time taken
falls with its square."""
MAX_SIDE_PX = 1280
"""Longer pictures are shrunk to this for detection only. A face of a fiftieth of the picture is still found."""
SEARCHED_FACE_PX = 30
"""If the smallest face is given as a share of the picture, the picture is shrunk until that face has this size."""
MIN_SCORE = 0.9
"""Below this, MTCNN's detections are often not faces."""
LONGEST = 3
"""Long pictures, with a larger aspect ratio, are searched in parts of this ratio: shrunk as a whole, their faces would
be too small."""
TURNED_SMALLEST_FACE, TURNED_MIN_SCORE = 0.1, 0.99
"""For sideways and upside-down faces, searched only if there are no upright ones. The size is a share of the picture's
shorter side, which makes three more searches affordable."""


class Finder(Protocol):
    """Finds faces at one scale of a picture: `Mtcnn`, `FacenetMtcnn`, or a fake in tests."""

    def find(self, image: npt.NDArray[np.uint8], min_face_px: float) -> Candidates:
        """Find faces of at least `min_face_px` in RGB uint8 (H, W, 3)."""

    def look_again(self, image: npt.NDArray[np.uint8], boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return the scores of faces (n, 4) on a second look: (n,), 0..1."""


class FaceDetector:
    """Detects faces in RGB pictures. Not thread-safe on a GPU."""

    def __init__(self, device: str = "cpu", threads: int = 1, mtcnn: Finder | None = None) -> None:
        """Load the three networks.

        Args:
            device: where they run: "cpu" uses ONNX Runtime, other devices facenet-pytorch, which needs torch.
            threads: number of CPU threads.
            mtcnn: the face finder, instead of the one for `device`.
        """
        if mtcnn is None and device != "cpu":
            from fer.recognition.facenet import FacenetMtcnn

            mtcnn = FacenetMtcnn(device)
        self.mtcnn = mtcnn or Mtcnn(threads)

    def detect(self, image: np.ndarray, smallest_face: float | None = None) -> list[Detection]:
        """Detect faces, in reading order (`reading_order`); returns an empty list if there are none.

        A long picture is searched in parts, and one without upright faces in the three other orientations. Each face is
        looked at again, see `Detection.score_again`. All this is skipped if `smallest_face` is given, as for videos,
        which must be fast and call `look_again` for the faces that are new.

        Args:
            image: RGB uint8 (H, W, 3).
            smallest_face: height of the smallest face to find, as a share of the picture's shorter side, 0..1; replaces
                `MIN_FACE_PX` and `MAX_SIDE_PX`. 0.125 suits a webcam.

        Raises:
            ImageError: the array is not an RGB picture.
        """
        check_rgb(image)
        if smallest_face is None:
            return reading_order(self._in_parts(image)) or self._turned(image)
        return reading_order(self._search(image, smallest_face, twice=False))

    def look_again(self, image: npt.NDArray[np.uint8], face: Detection) -> Detection:
        """Return a face of an RGB picture, uint8 (H, W, 3), with its `score_again`."""
        (score,) = self.mtcnn.look_again(image, np.array([face.box.xyxy], np.float32)).tolist()
        return replace(face, score_again=score)

    def _in_parts(self, image: npt.NDArray[np.uint8]) -> list[Detection]:
        """Search a picture, in parts if it is long; they overlap by its shorter side, so no face is cut in all."""
        height, width = image.shape[:2]
        shorter, longer = sorted((height, width))
        part_px = max(MAX_SIDE_PX, LONGEST * shorter)
        if shorter < MIN_FACE_PX or longer <= part_px:
            return self._search(image)
        across = width > height
        found = []
        for start in np.linspace(
            0, longer - part_px, -(-(longer - shorter) // (part_px - shorter)), dtype=int
        ).tolist():
            rows_or_columns = slice(start, start + part_px)
            part = image[:, rows_or_columns] if across else image[rows_or_columns]
            right, down = (start, 0) if across else (0, start)
            # The lambda is called within the loop, with this part's right and down.
            found += [moved(face, lambda x, y: (x + right, y + down)) for face in self._search(part)]  # noqa: B023
        boxes = np.array([face.box.xyxy for face in found], np.float32).reshape(-1, 4)
        scores = np.array([face.score for face in found], np.float32)
        return [found[index] for index in suppress(boxes, scores, 0.5, of_smaller=True)]

    def _turned(self, image: npt.NDArray[np.uint8]) -> list[Detection]:
        """Find faces in a picture that is sideways or upside down, in the coordinates of that picture.

        They are in the reading order of the upright picture.
        """
        ways: list[list[Detection]] = []
        for turns in (1, 3, 2):
            upright = np.rot90(image, turns)
            size_wh = upright.shape[1], upright.shape[0]
            sure = (face for face in self._search(upright, TURNED_SMALLEST_FACE) if face.score >= TURNED_MIN_SCORE)
            ways.append([turned(face, -turns, size_wh) for face in reading_order(sure)])
        return max(ways, key=lambda faces: sum(face.score for face in faces))

    def _search(
        self, image: npt.NDArray[np.uint8], smallest_face: float | None = None, twice: bool = True
    ) -> list[Detection]:
        height, width = image.shape[:2]
        min_face_px, max_side_px = MIN_FACE_PX, MAX_SIDE_PX
        if smallest_face is not None:
            smallest_px = max(smallest_face * min(height, width), MIN_FACE_PX)
            shrunk = min(SEARCHED_FACE_PX / smallest_px, 1.0)
            min_face_px, max_side_px = round(smallest_px * shrunk), round(max(height, width) * shrunk)
        searched = _shrunk(image, max_side_px / max(height, width))
        scale_xy = np.divide(image.shape[1::-1], searched.shape[1::-1])
        found = self.mtcnn.find(searched, min_face_px)
        corners = np.clip(found.boxes.reshape(-1, 2, 2) * scale_xy, 0, (width, height)).reshape(-1, 4)
        landmarks = found.landmarks * scale_xy
        scores = found.scores.tolist()
        again = self.mtcnn.look_again(searched, found.boxes).tolist() if twice else [None] * len(scores)
        return [
            Detection(Box(*box), tuple((x, y) for x, y in points), score, score_again=second)
            for box, points, score, second in zip(corners.tolist(), landmarks.tolist(), scores, again, strict=True)
            # Boxes outside the picture have nothing left inside it.
            if score >= MIN_SCORE and box[2] - box[0] >= 1 and box[3] - box[1] >= 1
        ]


def _shrunk(image: npt.NDArray[np.uint8], scale: float) -> npt.NDArray[np.uint8]:
    """Shrink RGB uint8 (H, W, 3), several times faster than `images.shrink_to_fit`; a scale of 1 or more is ignored."""
    image = np.ascontiguousarray(image)
    if scale >= 1:
        return image
    size_wh = [max(round(length * scale), 1) for length in image.shape[1::-1]]
    return np.asarray(cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA), np.uint8)
