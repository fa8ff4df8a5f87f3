"""Shrinking many parts of one picture at once: means over rectangles, from sums that are added up once (Crow 1984).

The means are those of `torch.nn.functional.interpolate(…, mode="area")`, which MTCNN's weights expect: bin i of n is
the pixels from ⌊i·length/n⌋ to ⌈(i + 1)·length/n⌉, whole ones, so that bins may share a pixel. OpenCV's area
interpolation divides pixels instead, which moves the corners of some faces by 4 % of their side; and it is slower.
"""

import cv2
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


class IntegralImage:
    """A picture of which parts are wanted in other sizes, as the networks take them: (mean - 127.5) / 128."""

    def __init__(self, image: npt.NDArray[np.uint8]) -> None:
        """Add up.

        Args:
            image: RGB uint8 (H, W, 3).
        """
        self.height, self.width = image.shape[:2]
        # Sums of more than 8 million pixels overflow, but their differences are right where those of a bin do not.
        sums = cv2.integral(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), sdepth=cv2.CV_32S)
        self._sums = sums.view(np.complex128).ravel()  # of four int32 each, which numpy then takes in one go

    def resized(self, size_hw: tuple[int, int], rows: slice, columns: slice) -> Floats:
        """Return a part of the whole picture in another size.

        Args:
            size_hw: of the whole picture, resized.
            rows: of that, which are wanted, from start to stop.
            columns: likewise.

        Returns:
            float32 (1, 3, rows, columns).
        """
        top, bottom = _bins(self.height, size_hw[0], np.arange(rows.start, rows.stop))
        left, right = _bins(self.width, size_hw[1], np.arange(columns.start, columns.stop))
        return self._means(top[None], bottom[None], left[None], right[None])

    def crops(self, boxes: Integers, size_px: int) -> Floats:
        """Cut out rectangles and resize each one to a square.

        Args:
            boxes: (n, 4), x1, y1, x2, y2 in pixels, inside the picture, with x1 < x2 and y1 < y2.
            size_px: side of the squares.

        Returns:
            float32 (n, 3, size, size).
        """
        x1, y1, x2, y2 = boxes.T[..., None]
        left, right = _bins(x2 - x1, size_px, np.arange(size_px))
        top, bottom = _bins(y2 - y1, size_px, np.arange(size_px))
        return self._means(y1 + top, y1 + bottom, x1 + left, x1 + right)

    def _means(self, top: Integers, bottom: Integers, left: Integers, right: Integers) -> Floats:
        """Return float32 (n, 3, R, C) for bins between rows (n, R) and columns (n, C)."""
        above, below = (rows[..., None] * (self.width + 1) for rows in (top, bottom))
        before, after = left[:, None], right[:, None]
        sums = self._at(below + after)
        sums -= self._at(below + before)
        sums -= self._at(above + after)
        sums += self._at(above + before)
        channels_first = sums.reshape(len(top), top.shape[1], left.shape[1], 4).transpose(0, 3, 1, 2)[:, :3]
        by_height, by_width = (1 / (128 * (bottom - top)), 1 / (right - left))
        factors = by_height[:, None, :, None].astype(np.float32) * by_width[:, None, None].astype(np.float32)
        means = np.multiply(channels_first, factors, dtype=np.float32, casting="unsafe", order="C")
        means -= np.float32(127.5 / 128)
        return means

    def _at(self, corners: Integers) -> npt.NDArray[np.int32]:
        return self._sums.take(corners, mode="clip").view(np.int32)  # nothing is clipped, but it is twice as fast


def _bins(length: "int | Integers", count: int, which: Integers) -> tuple[Integers, Integers]:
    """Return where some of `count` bins of a length begin and end."""
    return which * length // count, -(-(which + 1) * length // count)
