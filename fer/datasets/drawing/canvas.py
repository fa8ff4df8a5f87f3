"""A canvas in face units, with curves and colors."""

import math

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
"""RGB, (H, W, 3)."""
Points = npt.NDArray[np.float64]
"""(n, 2), x and y in face units."""
Color = tuple[float, float, float]
"""RGB, 0..255."""

ALONG = np.linspace(0, 1, 13)[:, None]
"""Position of each point of an `arc` along its curve, (13, 1), 0..1."""
# Weights of an arc's three points in each of its 13.
_PARABOLA = np.hstack([(1 - ALONG) * (1 - 2 * ALONG), 4 * ALONG * (1 - ALONG), ALONG * (2 * ALONG - 1)])
_FLIP = np.array([-1.0, 1.0])
_ANGLE = np.linspace(0, 2 * math.pi, 40, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLE), np.sin(_ANGLE)], axis=1)


class Canvas:
    """A picture to paint on in face units; pixel = linear @ point + offset."""

    def __init__(self, image: Image, linear: Points, offset: Points) -> None:
        self.image = image
        self._linear_16, self._offset_16 = 16 * linear.T, 16 * offset
        self._unit_px = math.hypot(*linear[0].tolist())

    def coarse_sheet(self, color: Color) -> "Canvas":
        """Return an empty canvas of half the resolution: enough for soft paint, at a quarter of the cost."""
        image = np.empty_like(self.image[::2, ::2], order="C")
        cv2.rectangle(image, (0, 0), image.shape[1::-1], color, cv2.FILLED)
        return Canvas(image, self._linear_16.T / 32, self._offset_16 / 32)

    def fill(self, points: Points, color: Color) -> None:
        """Fill a polygon, (n, 2) face units."""
        cv2.fillPoly(self.image, [self._fixed(points)], color, cv2.LINE_AA, 4)

    def stroke(self, points: Points, color: Color, width: float) -> None:
        """Draw an open line, (n, 2) face units, `width` face units wide."""
        thickness = max(1, round(width * self._unit_px))
        cv2.polylines(self.image, [self._fixed(points)], False, color, thickness, cv2.LINE_AA, 4)

    def tint(self, shapes: list[tuple[Points, float]], color: Color, blur: float, width: float = 0.0) -> None:
        """Blend soft shapes of (points, opacity 0..1) into the picture; with a width they are lines, not areas."""
        drawn = [(self._fixed(points), 255 * min(opacity, 1.0)) for points, opacity in shapes if opacity > 0.02]
        if not drawn:
            return
        thickness = max(1, round(width * self._unit_px))
        reach = 3 * blur * self._unit_px + thickness + 1  # blur and blend only the window that changes
        corners = np.concatenate([points for points, _ in drawn]) / 16
        left, top = np.maximum(corners.min(axis=0) - reach, 0).astype(int).tolist()
        right, bottom = np.maximum(corners.max(axis=0) + reach, 0).astype(int).tolist()
        window = self.image[top:bottom, left:right]
        if not window.size:
            return
        mask = np.zeros(window.shape[:2], dtype=np.uint8)
        for points, level in drawn:
            if width:
                cv2.polylines(mask, [points - (16 * left, 16 * top)], False, level, thickness, cv2.LINE_AA, 4)
            else:
                cv2.fillPoly(mask, [points - (16 * left, 16 * top)], level, cv2.LINE_AA, 4)
        # Two box blurs approximate a Gaussian of the same variance, 2 (n² - 1) / 12, and are several times as fast.
        box = 2 * round((math.sqrt(6 * (blur * self._unit_px) ** 2 + 1) - 1) / 2) + 1
        soft = cv2.blur(cv2.blur(mask, (box, box)), (box, box))
        share = cv2.merge([soft, soft, soft])
        paint = cv2.multiply(share, np.array([*color, 0.0]), scale=1 / 255)
        window[:] = cv2.add(paint, cv2.multiply(window, 255 - share, scale=1 / 255))

    def paste(self, other: "Canvas", outline: Points) -> None:
        """Copy the part of another canvas of any resolution inside an outline, (n, 2) face units."""
        mask = np.zeros(self.image.shape[:2], dtype=np.uint8)
        cv2.fillPoly(mask, [self._fixed(outline)], 255, cv2.LINE_8, 4)
        cv2.copyTo(cv2.resize(other.image, mask.shape[::-1]), mask, self.image)

    def _fixed(self, points: Points) -> npt.NDArray[np.int32]:
        """Return pixels in fixed point with four fractional bits, as OpenCV's `shift` expects."""
        return (points @ self._linear_16 + self._offset_16).astype(np.int32)


def mix(first: Color, second: Color, share: float) -> Color:
    """Return `first` mixed with a share (0..1) of `second`."""
    red, green, blue = ((1 - share) * one + share * other for one, other in zip(first, second, strict=True))
    return (red, green, blue)


def arc(start: tuple[float, float], middle: tuple[float, float], end: tuple[float, float]) -> Points:
    """Return the parabola through three points, (13, 2)."""
    points: Points = _PARABOLA @ np.array((start, middle, end), dtype=np.float64)
    return points


def ellipse(x: float, y: float, radius_x: float, radius_y: float, roundness: float = 1.0) -> Points:
    """Return an ellipse, (40, 2); a roundness below 1 makes it squarer."""
    circle = _CIRCLE if roundness == 1 else np.sign(_CIRCLE) * np.abs(_CIRCLE) ** roundness
    points: Points = circle * (radius_x, radius_y) + (x, y)
    return points


def between(points: Points, upper: Points, lower: Points) -> Points:
    """Return the points clamped vertically between two lines that run from left to right."""
    x, y = points.T
    top, bottom = (np.interp(x, line[:, 0], line[:, 1]) for line in (upper, lower))
    return np.stack([x, np.minimum(np.maximum(y, top), bottom)], axis=1)


def mirror(points: Points, side: float) -> Points:
    """Return the points for the right half of the picture (side 1) or mirrored for the left one (side -1)."""
    return points if side == 1 else points * _FLIP
