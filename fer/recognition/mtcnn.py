"""MTCNN (Zhang et al. 2016, arXiv:1604.02878) in ONNX Runtime, with the weights of facenet-pytorch.

It has three networks, each more accurate and more expensive than the last: P-Net scans the picture at several scales,
R-Net checks P-Net's proposals, O-Net checks what R-Net leaves, and adds five landmarks. The steps between them match
facenet-pytorch's exactly, so the faces are the same; only the computation differs.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from fer.model.onnx_network import session_options

WEIGHTS = Path(__file__).parent / "weights"
"""Made by `scripts/export_detector.py`."""
CELL_PX, STRIDE_PX = 12, 2
"""Side of P-Net's input windows, and their stride."""
PYRAMID_FACTOR = 0.709
"""Scale factor between P-Net's picture sizes: half as many pixels."""
MIN_LOGITS = [math.log(score / (1 - score)) for score in (0.6, 0.7, 0.7)]
"""Score thresholds, 0..1, of P-Net, R-Net and O-Net, as in facenet-pytorch."""
TILE_POSITIONS = (48, 64)
"""Rows and columns of P-Net's output computed at once: intermediate results then fit the cache, and take 5 MB however
large the picture is."""
CROPPED_AT_ONCE, BATCH_CANDIDATES = 32, 4
"""Candidates cropped at once, and batch size of R-Net and O-Net, for the same reason."""
LOOKS_AGAIN = np.array([[0, 0, 1], [0, 0, 0.7], [-0.1, 0, 1], [0.1, 0, 1]], np.float32)
"""Windows for O-Net's second look at a face: offset of the center to the right and down, and side of the square, in
sides of the face. People are found in all of them; false detections often only in one."""
BLOCK_BOXES = 256
"""Number of boxes compared with each other at once."""

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Candidates:
    """Detected faces, highest score first; boxes may extend beyond the picture."""

    boxes: Floats
    """(n, 4): x1, y1, x2, y2 in pixels."""
    scores: Floats
    """(n,), 0..1."""
    landmarks: Floats
    """(n, 5, 2): x and y of both eyes, the nose and both corners of the mouth, in pixels."""


class IntegralImage:
    """A picture prepared for resizing many of its parts to network inputs: (mean - 127.5) / 128.

    The means over rectangles come from a summed-area table (Crow 1984). They match
    `torch.nn.functional.interpolate(…, mode="area")`, which MTCNN's weights expect: bin i of n consists of the whole
    pixels from ⌊i·length/n⌋ to ⌈(i + 1)·length/n⌉, so bins may share a pixel. OpenCV's area interpolation splits pixels
    instead, which moves the corners of some faces by 4 % of their side; it is also slower.
    """

    def __init__(self, image: npt.NDArray[np.uint8]) -> None:
        """Sum up RGB uint8 (H, W, 3)."""
        self.height, self.width = image.shape[:2]
        # Sums over more than 8 million pixels overflow, but differences are correct if those of a bin do not.
        sums = cv2.integral(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), sdepth=cv2.CV_32S)
        self._sums = sums.view(np.complex128).ravel()  # four int32 each, which numpy then takes at once

    def resized(self, size_hw: tuple[int, int], rows: slice, columns: slice) -> Floats:
        """Return some rows and columns of the resized picture: float32 (1, 3, rows, columns)."""
        top, bottom = _bins(self.height, size_hw[0], np.arange(rows.start, rows.stop))
        left, right = _bins(self.width, size_hw[1], np.arange(columns.start, columns.stop))
        return self._means(top[None], bottom[None], left[None], right[None])

    def crops(self, boxes: Integers, size_px: int) -> Floats:
        """Crop rectangles and resize each one to a square: float32 (n, 3, size, size).

        Args:
            boxes: (n, 4), x1, y1, x2, y2 in pixels, inside the picture, with x1 < x2 and y1 < y2.
            size_px: side of the squares.
        """
        x1, y1, x2, y2 = boxes.T[..., None]
        left, right = _bins(x2 - x1, size_px, np.arange(size_px))
        top, bottom = _bins(y2 - y1, size_px, np.arange(size_px))
        return self._means(y1 + top, y1 + bottom, x1 + left, x1 + right)

    def _means(self, top: Integers, bottom: Integers, left: Integers, right: Integers) -> Floats:
        """Return the means of bins between rows (n, R) and columns (n, C), float32 (n, 3, R, C)."""
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
        return self._sums.take(corners, mode="clip").view(np.int32)  # no index is clipped, but this is twice as fast


def _bins(length: "int | Integers", count: int, which: Integers) -> tuple[Integers, Integers]:
    """Return where bins of a length, divided into `count`, start and end."""
    return which * length // count, -(-(which + 1) * length // count)


class Mtcnn:
    """The three networks and the loop around them. Stateless, so safe to share between threads."""

    def __init__(self, threads: int = 1) -> None:
        """Load the three networks, each with this number of threads."""
        options = session_options(threads)
        self._pnet, self._rnet, self._onet = (
            onnxruntime.InferenceSession(WEIGHTS / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
            for name in ("pnet", "rnet", "onet")
        )

    def __deepcopy__(self, memo: object) -> "Mtcnn":
        return self

    def find(self, image: npt.NDArray[np.uint8], min_face_px: float) -> Candidates:
        """Find faces with sides of at least `min_face_px` in RGB uint8 (H, W, 3)."""
        picture = IntegralImage(image)
        boxes = self._propose(picture, min_face_px)
        boxes, outputs = self._look(self._rnet, picture, boxes, 24, MIN_LOGITS[1])
        chosen = suppress(boxes, outputs[:, 0], 0.7)
        boxes = _squares(_corrected(boxes[chosen], outputs[chosen, 1:5]))
        boxes, outputs = self._look(self._onet, picture, boxes, 48, MIN_LOGITS[2])
        x, y = (
            boxes[:, axis, None] - 1 + (boxes[:, 2 + axis] - boxes[:, axis] + 1)[:, None] * shares
            for axis, shares in enumerate((outputs[:, 5:10], outputs[:, 10:15]))
        )
        boxes = _corrected(boxes, outputs[:, 1:5])
        chosen = suppress(boxes, outputs[:, 0], 0.7, of_smaller=True)
        return Candidates(boxes[chosen], _scores(outputs[chosen, 0]), np.stack((x, y), axis=2)[chosen])

    def look_again(self, image: npt.NDArray[np.uint8], boxes: Floats) -> Floats:
        """Return O-Net's score of faces (n, 4) over the windows of `LOOKS_AGAIN`: (n,), 0..1.

        It is the score of the mean logit. Takes 1.4 ms per face on one thread of a busy processor.
        """
        corner, side = np.split(_squares(boxes), 2, axis=1)
        side = (side - corner)[:, None]
        middle = corner[:, None] + side * (0.5 + LOOKS_AGAIN[:, :2])
        reach = side * LOOKS_AGAIN[:, 2:] / 2
        size = np.array(image.shape[1::-1])
        first = np.clip((middle - reach).astype(np.int64), 0, size - 1)
        last = np.clip((middle + reach).astype(np.int64), first + 1, size)
        logits = []
        for starts, ends in zip(first, last, strict=True):
            left, top = corner_px = starts.min(axis=0)
            right, bottom = ends.max(axis=0)
            squares = np.concatenate((starts - corner_px, ends - corner_px), axis=1)
            crops = IntegralImage(image[top:bottom, left:right]).crops(squares, 48)
            logits.append(self._onet.run(None, {"image": crops})[0][:, 0].mean())
        return _scores(np.array(logits, np.float32))

    def _propose(self, picture: IntegralImage, min_face_px: float) -> Floats:
        """Return P-Net's proposals as squares, float32 (n, 4)."""
        found = [np.empty((0, 10), np.float32)]
        for level, scale in enumerate(_scales(min(picture.height, picture.width), min_face_px)):
            size_hw = int(picture.height * scale + 1), int(picture.width * scale + 1)
            for top, left, outputs in self._answers(picture, size_hw):
                rows, columns = np.nonzero(outputs[0] >= MIN_LOGITS[0])
                corners = STRIDE_PX * np.stack((left + columns, top + rows)).astype(np.float32)
                first, last = (np.floor((corners + add) / np.float32(scale)) for add in (1, CELL_PX))
                levels = np.full((1, len(rows)), level, np.float32)
                found.append(np.concatenate((first, last, outputs[:, rows, columns], levels)).T)
        candidates = np.concatenate(found)
        # Suppression runs within each scale first (boxes are moved apart), then across scales.
        apart = candidates[:, :4] + candidates[:, 9:] * (2 * max(picture.height, picture.width))
        candidates = candidates[suppress(apart, candidates[:, 4], 0.5)]
        candidates = candidates[suppress(candidates[:, :4], candidates[:, 4], 0.7)]
        boxes, corrections = candidates[:, :4], candidates[:, 5:9]
        return _squares(boxes + corrections * np.tile(boxes[:, 2:] - boxes[:, :2], 2))

    def _answers(self, picture: IntegralImage, size_hw: tuple[int, int]) -> Iterator[tuple[int, int, Floats]]:
        """Yield P-Net's outputs for the resized picture, in tiles: first row, first column, (5, rows, columns)."""
        pixels: list[list[tuple[int, slice]]] = []
        for size, most in zip(size_hw, TILE_POSITIONS, strict=True):
            positions = (size - 1) // 2 - 4  # a 3×3 convolution, pooling that rounds up, two more convolutions
            starts = np.linspace(0, positions, -(-positions // most) + 1).round().astype(int).tolist()
            stops = [STRIDE_PX * stop + CELL_PX - STRIDE_PX for stop in starts[1:-1]] + [size]
            pixels.append([(start, slice(STRIDE_PX * start, stop)) for start, stop in zip(starts, stops, strict=False)])
        for top, rows in pixels[0]:
            for left, columns in pixels[1]:
                tile = picture.resized(size_hw, rows, columns)
                yield top, left, self._pnet.run(None, {"image": tile})[0][0]

    def _look(
        self, network: onnxruntime.InferenceSession, picture: IntegralImage, boxes: Floats, size_px: int, least: float
    ) -> tuple[Floats, Floats]:
        """Run R-Net or O-Net on candidates (n, 4); return those that pass and the network's outputs."""
        corners = np.trunc(boxes).astype(np.int64)
        corners[:, :2] = np.maximum(corners[:, :2] - 1, 0)
        corners[:, 2:] = np.minimum(corners[:, 2:], (picture.width, picture.height))
        inside = (corners[:, 2:] > corners[:, :2]).all(axis=1)
        boxes, corners = boxes[inside], corners[inside]
        outputs = [np.empty((0, 15), np.float32)[:, : network.get_outputs()[0].shape[1]]]
        for start in range(0, len(corners), CROPPED_AT_ONCE):
            crops = picture.crops(corners[start : start + CROPPED_AT_ONCE], size_px)
            for first in range(0, len(crops), BATCH_CANDIDATES):
                outputs.append(network.run(None, {"image": crops[first : first + BATCH_CANDIDATES]})[0])
        answers = np.concatenate(outputs)
        passed = answers[:, 0] > least
        return boxes[passed], answers[passed]


def _scores(logits: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-logits)), np.float32)


def suppress(boxes: Floats, scores: Floats, most: float, *, of_smaller: bool = False) -> Integers:
    """Keep the best of overlapping boxes: non-maximum suppression.

    Args:
        boxes: (n, 4).
        scores: (n,), any monotonic score.
        most: boxes overlap too much if their intersection exceeds this share of their union, 0..1.
        of_smaller: use the smaller box instead of the union, and count pixels as Matlab does.

    Returns:
        The indices of the boxes to keep, highest score first.
    """
    # Among candidates cut off at the picture's border, which look the same to a network, facenet-pytorch prefers the
    # first one here and the last one there; this matches it.
    waiting = np.argsort(scores, kind="stable")[::-1] if of_smaller else np.argsort(-scores, kind="stable")
    chosen = [waiting[:0]]
    while len(waiting):
        block, waiting = waiting[:BLOCK_BOXES], waiting[BLOCK_BOXES:]
        too_near = _overlaps(boxes[block], boxes[block], of_smaller) > most
        free = np.ones(len(block), bool)
        stay = []
        for index in range(len(block)):
            if free[index]:
                stay.append(index)
                free &= ~too_near[index]
        chosen.append(block[stay])
        if len(waiting):
            waiting = waiting[~(_overlaps(boxes[block[stay]], boxes[waiting], of_smaller) > most).any(axis=0)]
    return np.concatenate(chosen)


def _overlaps(boxes: Floats, others: Floats, of_smaller: bool) -> Floats:
    """Return the intersection of n boxes with m others as a share of the union or the smaller box, (n, m)."""
    edge = int(of_smaller)
    x1, y1, x2, y2 = boxes.T[..., None]
    other_x1, other_y1, other_x2, other_y2 = others.T[:, None]
    width = np.minimum(x2, other_x2) - np.maximum(x1, other_x1) + edge
    height = np.minimum(y2, other_y2) - np.maximum(y1, other_y1) + edge
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area, other_area = (x2 - x1 + edge) * (y2 - y1 + edge), (other_x2 - other_x1 + edge) * (other_y2 - other_y1 + edge)
    whole = np.minimum(area, other_area) if of_smaller else area + other_area - shared
    return shared / np.maximum(whole, np.float32(1e-6))  # a box may have no area


def _scales(shorter_px: int, min_face_px: float) -> Iterator[float]:
    """Yield the scales at which P-Net sees the picture: first the smallest face fits a cell, then larger ones."""
    scale = CELL_PX / min_face_px
    seen_px = shorter_px * scale
    while seen_px >= CELL_PX:
        yield scale
        scale *= PYRAMID_FACTOR
        seen_px *= PYRAMID_FACTOR


def _corrected(boxes: Floats, corrections: Floats) -> Floats:
    """Move the corners (n, 4) by shares of width and height."""
    return boxes + corrections * np.tile(boxes[:, 2:] - boxes[:, :2] + 1, 2)


def _squares(boxes: Floats) -> Floats:
    """Enlarge boxes (n, 4) to squares with the same center."""
    size = boxes[:, 2:] - boxes[:, :2]
    side = size.max(axis=1, keepdims=True)
    start = boxes[:, :2] + size * np.float32(0.5) - side * np.float32(0.5)
    return np.concatenate((start, start + side), axis=1)
