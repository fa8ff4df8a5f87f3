"""From a face in a picture to the numbers that the network sees; the same in training and in prediction.

Three steps, so that pages can show what happens between them:

    crop      picture + detection → upright square around the face, full resolution, RGB
    shrink    square picture      → uint8 (channels, size, size)
    normalize batch of those      → float32 around 0

A data set of ready crops enters at `shrink`.
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
"""Networks for larger pictures of a face, or with more around it, are not known; memory grows with the square."""
LYING_DEGREES = 65
"""A face that is tilted more lies on its side, or stands on its head; one in an upright picture seldom has 45."""


@dataclass(frozen=True)
class Preprocessing:
    """How faces are cropped and scaled. Stored in every checkpoint, since another crop costs 5 to 15 points.

    The defaults reproduce the crops of FER2013, measured on its own pictures: a square of 0.95 × the height of the
    MTCNN box around the centre of the box, gray, 48 pixels.
    """

    size_px: int = 48
    """Width and height of the network's input."""
    channels: int = 1
    """1: gray (ITU-R 601 luma). 3: RGB."""
    mean: float = 0.5
    """Subtracted from the values, which are 0..1 before."""
    std: float = 0.25
    """The values are divided by it after that."""
    crop_ratio: float = 0.95
    """Side of the square crop as a share of the height of the detector's box."""
    upright: bool = True
    """Whether faces are turned until their eyes are level."""

    def __post_init__(self) -> None:
        if not 16 <= self.size_px <= MOST_PX:
            raise ValueError(f"size_px must be from 16 to {MOST_PX}, got {self.size_px}")
        if self.channels not in (1, 3):
            raise ValueError(f"channels must be 1 (gray) or 3 (RGB), got {self.channels}")
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std > 0):
            raise ValueError(f"mean and std must be numbers, std a positive one, got {self.mean} and {self.std}")
        if not 0 < self.crop_ratio <= MOST_CROP_RATIO:  # in this form NaN is refused, too
            raise ValueError(f"crop_ratio must be positive, and at most {MOST_CROP_RATIO:g}, got {self.crop_ratio}")

    def crop(self, image: np.ndarray, detection: Detection) -> np.ndarray:
        """Cut out the square around a face, turned upright.

        Args:
            image: RGB uint8 (H, W, 3).
            detection: the face; only its box and its two eyes are used.

        Returns:
            RGB uint8 (side, side, 3). What lies outside the picture repeats its border.
        """
        side_px, angle = self._side_and_angle(detection)
        center_x, center_y = detection.box.center
        # Only the surroundings are handed to OpenCV, whose warping refuses pictures over 32,767 pixels long.
        reach = side_px + 2  # more than half the diagonal
        left, top = max(int(center_x) - reach, 0), max(int(center_y) - reach, 0)
        image = image[top : int(center_y) + reach, left : int(center_x) + reach]
        center_x, center_y = center_x - left, center_y - top
        matrix = cv2.getRotationMatrix2D((center_x, center_y), angle, 1.0)
        # Pixel centres lie at whole numbers for OpenCV, edges do for boxes: hence the half pixels.
        matrix[:, 2] += (matrix[:, :2].sum(axis=1) - 1) / 2 + side_px / 2 - (center_x, center_y)
        return cv2.warpAffine(
            image, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def landmarks_in_crop(self, detection: Detection) -> np.ndarray:
        """Return where a face's landmarks lie in its crop: float (n, 2), x and y as shares of the side, 0..1."""
        side_px, angle = self._side_and_angle(detection)
        rotation = cv2.getRotationMatrix2D((0, 0), angle, 1.0)[:, :2]
        return 0.5 + (np.reshape(detection.landmarks, (-1, 2)) - detection.box.center) @ rotation.T / side_px

    def _side_and_angle(self, detection: Detection) -> tuple[int, float]:
        """Return the side of the crop in pixels, and by how many degrees the picture is turned for it."""
        angle = roll_degrees(detection) if self.upright else 0.0
        height = (
            detection.box.width if LYING_DEGREES < abs(angle) < 180 - LYING_DEGREES else detection.box.height
        )  # of the face, which may lie
        return max(round(height * self.crop_ratio), 2), angle

    def shrink(self, image: np.ndarray) -> np.ndarray:
        """Turn a picture of a face into the network's size and colours.

        Args:
            image: RGB uint8 (H, W, 3); if it is not square, its central square counts.

        Returns:
            uint8 (channels, size_px, size_px), its own memory, resized with antialiasing.
        """
        height, width = image.shape[:2]
        side = min(height, width)
        top, left = (height - side) // 2, (width - side) // 2
        picture = Image.fromarray(image[top : top + side, left : left + side])
        if self.channels == 1:
            picture = picture.convert("L")
        if side != self.size_px:
            picture = picture.resize((self.size_px, self.size_px), Image.Resampling.BILINEAR)
        pixels = np.array(picture)  # a copy: torch warns of Pillow's read-only memory
        return pixels[None] if self.channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))

    def normalize(self, pixels: "torch.Tensor") -> "torch.Tensor":
        """Scale a batch for the network: values 0..255, uint8 or float (n, C, H, W) → float32 around 0."""
        return pixels.float().div(255).sub(self.mean).div(self.std)


def roll_degrees(detection: Detection) -> float:
    """Return how far the head is tilted in the picture, in degrees; positive when the right eye is the lower one.

    0 where the eyes say nothing: in a profile they nearly coincide, and their line would be noise.
    """
    if len(detection.landmarks) < 2:
        return 0.0
    (left_x, left_y), (right_x, right_y) = detection.landmarks[:2]
    across, down = right_x - left_x, right_y - left_y
    if math.hypot(across, down) < 0.15 * detection.box.width:
        return 0.0
    return math.degrees(math.atan2(down, across))
