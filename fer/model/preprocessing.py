"""From a face in a picture to the network's input; the same in training and in prediction.

Three steps, so that pages can show what happens between them:

    crop      picture + detection → upright square around the face, full resolution, RGB
    shrink    square picture      → uint8 (channels, size, size)
    normalize batch of those      → float32 around 0

Data sets of cropped faces start at `shrink`.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from fer.faces import Detection

if TYPE_CHECKING:
    import torch

MOST_PX, MOST_CROP_RATIO = 1024, 4.0
"""Upper limits: networks for larger inputs or wider crops are not known, and memory grows quadratically."""
LYING_DEGREES = 65
"""A face that is tilted more lies on its side, or is upside down; in an upright picture few exceed 45."""


@dataclass(frozen=True)
class Preprocessing:
    """How faces are cropped and scaled. Stored in every model file, since a different crop costs 5 to 15 points.

    The defaults reproduce the crops of FER2013, as measured on its pictures: a square of 0.95 × the height of the MTCNN
    box, centered on the box, gray, 48 pixels.
    """

    size_px: int = 48
    """Width and height of the network's input."""
    channels: int = 1
    """1: gray (ITU-R 601 luma). 3: RGB."""
    mean: float = 0.5
    """Subtracted from the values, which are in 0..1."""
    std: float = 0.25
    """Divides the values after that."""
    crop_ratio: float = 0.95
    """Side of the square crop as a share of the height of the detector's box."""
    upright: bool = True
    """Whether faces are rotated until their eyes are level."""

    def __post_init__(self) -> None:
        if not 16 <= self.size_px <= MOST_PX:
            raise ValueError(f"size_px must be from 16 to {MOST_PX}, got {self.size_px}")
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 (gray) or 3 (RGB), got {self.channels}")
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std > 0):
            raise ValueError(f"mean and std must be numbers, std a positive one, got {self.mean} and {self.std}")
        if not 0 < self.crop_ratio <= MOST_CROP_RATIO:  # written like this, NaN fails, too
            raise ValueError(f"crop_ratio must be positive, and at most {MOST_CROP_RATIO:g}, got {self.crop_ratio}")

    def crop(self, image: np.ndarray, detection: Detection) -> np.ndarray:
        """Crop the square around a face, rotated upright.

        Args:
            image: RGB uint8 (H, W, 3).
            detection: the face; only its box and eyes are used.

        Returns:
            RGB uint8 (side, side, 3). Beyond the picture, its border is repeated.
        """
        side_px, angle = self._side_and_angle(detection)
        center_x, center_y = detection.box.center
        # OpenCV gets only the surroundings, because it cannot warp pictures longer than 32,767 pixels.
        reach = side_px + 2  # more than half the diagonal
        left, top = max(int(center_x) - reach, 0), max(int(center_y) - reach, 0)
        image = image[top : int(center_y) + reach, left : int(center_x) + reach]
        center_x, center_y = center_x - left, center_y - top
        matrix = cv2.getRotationMatrix2D((center_x, center_y), angle, 1.0)
        # OpenCV has pixel centers at integers, boxes have pixel edges there: hence the half pixels.
        matrix[:, 2] += (matrix[:, :2].sum(axis=1) - 1) / 2 + side_px / 2 - (center_x, center_y)
        return cv2.warpAffine(
            image, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def landmarks_in_crop(self, detection: Detection) -> np.ndarray:
        """Return the landmarks' positions in the crop: float (n, 2), x and y as shares of the side, 0..1."""
        side_px, angle = self._side_and_angle(detection)
        rotation = cv2.getRotationMatrix2D((0, 0), angle, 1.0)[:, :2]
        return 0.5 + (np.reshape(detection.landmarks, (-1, 2)) - detection.box.center) @ rotation.T / side_px

    def _side_and_angle(self, detection: Detection) -> tuple[int, float]:
        """Return the side of the crop in pixels, and the rotation of the picture in degrees."""
        angle = roll_degrees(detection) if self.upright else 0.0
        height = (
            detection.box.width if LYING_DEGREES < abs(angle) < 180 - LYING_DEGREES else detection.box.height
        )  # the height of the face, which may lie on its side
        return max(round(height * self.crop_ratio), 2), angle

    def shrink(self, image: np.ndarray) -> np.ndarray:
        """Convert a picture of a face to the network's size and colors.

        Args:
            image: RGB uint8 (H, W, 3); if it is not square, its central square is used.

        Returns:
            uint8 (channels, size_px, size_px), a copy, resized with antialiasing.
        """
        height, width = image.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        picture = Image.fromarray(image[top : top + side, left : left + side])
        if self.channels == 1:
            picture = picture.convert("L")
        if side != self.size_px:
            picture = picture.resize((self.size_px, self.size_px), Image.Resampling.BILINEAR)
        pixels = np.array(picture)  # a copy, since torch warns about Pillow's read-only memory
        return pixels[None] if self.channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def normalize(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """Normalize a batch for the network: values 0..255, uint8 or float (n, C, H, W) → float32 around 0."""
        return pixels.float().div(255).sub(self.mean).div(self.std)


def roll_degrees(detection: Detection) -> float:
    """Return how far the head is tilted in the picture, in degrees; positive if the right eye is lower.

    0 if the eyes are too close together: in a profile they nearly coincide, and the line between them is noise.
    """
    if len(detection.landmarks) < 2:
        return 0.0
    (left_x, left_y), (right_x, right_y) = detection.landmarks[:2]
    across, down = right_x - left_x, right_y - left_y
    if math.hypot(across, down) < 0.15 * detection.box.width:
        return 0.0
    return math.degrees(math.atan2(down, across))
