"""Finding faces: MTCNN (Zhang et al. 2016, arXiv:1604.02878) as facenet-pytorch ships it, weights included."""

import numpy as np
import torch
from facenet_pytorch import MTCNN

from fer.errors import ImageError
from fer.faces import Box, Detection
from fer.images import check_rgb, shrink_to_fit

MIN_FACE_PX = 24
"""Smallest face that is looked for in pictures of up to `MAX_SIDE_PX`; fewer pixels show no expression anyway. The time
taken falls with its square."""
MAX_SIDE_PX = 1280
"""Longer pictures are shrunk to this for detection only. A face of a fiftieth of the picture is still found."""
SEARCHED_FACE_PX = 30
"""Where the smallest face is given as a share of the picture, the picture is shrunk until that face has this size."""
MIN_SCORE = 0.9
"""Below this MTCNN's faces are often none."""


class FaceDetector:
    """Finds faces in RGB pictures. Not safe to call from two threads at once."""

    def __init__(self, device: str = "cpu") -> None:
        """Load the three networks, and move them to `device`."""
        self.mtcnn = MTCNN(keep_all=True, select_largest=False, device=device)
        for network in (self.mtcnn.pnet, self.mtcnn.rnet, self.mtcnn.onet):
            # Max-pooling of the default layout is not vectorized on CPUs and took half of the whole time.
            network.to(memory_format=torch.channels_last)

    def detect(self, image: np.ndarray, smallest_face: float | None = None) -> list[Detection]:
        """Find the faces, ordered from left to right; an empty list where there is none.

        Args:
            image: RGB uint8 (H, W, 3).
            smallest_face: height of the smallest face to look for, as a share of the picture's shorter side, 0..1;
                instead of `MIN_FACE_PX` and `MAX_SIDE_PX`. 0.125 suits a webcam.

        Raises:
            ImageError: the array is no RGB picture, or the detector fails on it.
        """
        check_rgb(image)
        height, width = image.shape[:2]
        min_face_px, max_side_px = MIN_FACE_PX, MAX_SIDE_PX
        if smallest_face is not None:
            smallest_px = max(smallest_face * min(height, width), MIN_FACE_PX)
            shrunk = min(SEARCHED_FACE_PX / smallest_px, 1.0)
            min_face_px, max_side_px = round(smallest_px * shrunk), round(max(height, width) * shrunk)
        searched = shrink_to_fit(image, max_side_px)
        if min(searched.shape[:2]) < min_face_px:  # MTCNN fails where no face fits
            return []
        self.mtcnn.min_face_size = min_face_px
        try:
            with torch.inference_mode():
                boxes, scores, landmarks = self.mtcnn.detect(searched, landmarks=True)
        except (RuntimeError, IndexError, ValueError) as error:  # MTCNN loses count of candidates of no width
            raise ImageError(f"the face detector failed on a picture of {width}x{height} pixels: {error}") from error
        if boxes is None:
            return []
        scale_xy = np.array([width / searched.shape[1], height / searched.shape[0]])
        corners = np.clip(boxes.astype(float).reshape(-1, 2, 2) * scale_xy, 0, (width, height)).reshape(-1, 4)
        points = landmarks.astype(float) * scale_xy
        found = [
            Detection(Box(*box), tuple((x, y) for x, y in five), float(score))
            for box, five, score in zip(corners.tolist(), points.tolist(), scores, strict=True)
            # Of some that leave the picture nothing remains inside.
            if score >= MIN_SCORE and box[2] - box[0] >= 1 and box[3] - box[1] >= 1
        ]
        return sorted(found, key=lambda face: face.box.center)
