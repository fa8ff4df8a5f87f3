"""Find duplicates: pictures saved again, cropped a little differently, brighter, or with a watermark.

There are two steps. A perceptual hash of 63 bits (the signs of a picture's lowest frequencies relative to their median,
pHash) finds candidates in one matrix product; the correlation of small versions decides.
"""

import cv2
import numpy as np
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fer.datasets.dataset import FaceDataset, Progress
from fer.errors import ImageError

SMALL_PX = 32
"""Width and height of the small versions that are compared."""
HASH_DISTANCE = 10
"""Two pictures are compared if at most this many of the 63 bits differ."""
CORRELATION = 0.95
"""Two pictures with at least this correlation are duplicates. 160 pairs of FER2013 were inspected: from 0.95 to 0.98
all
were one photo; from 0.90 to 0.94 some showed two people."""
FLAT = 2.0
"""A picture whose gray values have a smaller standard deviation shows nothing, and is no duplicate of anything."""
_FREQUENCIES = 8
_BLOCK = 1024


def small_version(image: np.ndarray) -> np.ndarray:
    """Shrink RGB uint8 (H, W, 3) to gray uint8 (32, 32), with antialiasing; the aspect ratio is lost."""
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(gray, (SMALL_PX, SMALL_PX), interpolation=cv2.INTER_AREA), np.uint8)


def small_versions(dataset: FaceDataset, progress: Progress | None = None) -> np.ndarray:
    """Read all pictures; return uint8 (N, 32, 32), black for broken ones."""
    small = np.zeros((len(dataset), SMALL_PX, SMALL_PX), np.uint8)
    for row, picture in dataset.read(np.arange(len(dataset)), progress):
        if not isinstance(picture, ImageError):  # training and reports name broken pictures
            small[row] = small_version(picture)
    return small


def find_copies(small: np.ndarray) -> np.ndarray:
    """Return the pairs of `small_versions` (N, 32, 32) that are duplicates, int (P, 2), lower index first, sorted."""
    shows_something = np.flatnonzero(small.std(axis=(1, 2)) >= FLAT)
    bits = _hashes(small[shows_something])
    pattern = _normalized(small[shows_something])
    pairs = [np.empty((0, 2), int)]
    for start in range(0, len(bits), _BLOCK):
        # The product of two rows of ±1 is the number of equal bits minus the number of different ones.
        agreement = bits[start : start + _BLOCK] @ bits[start:].T
        first, second = np.nonzero(agreement >= bits.shape[1] - 2 * HASH_DISTANCE)
        first, second = first[second > first] + start, second[second > first] + start
        for part in range(0, len(first), _BLOCK):
            one, other = first[part : part + _BLOCK], second[part : part + _BLOCK]
            alike = np.einsum("ij,ij->i", pattern[one], pattern[other]) >= CORRELATION
            pairs.append(np.stack([one[alike], other[alike]], axis=1))
    return shows_something[np.concatenate(pairs)]


def connected_groups(pairs: np.ndarray, count: int) -> np.ndarray:
    """Return the group of each of `count` pictures, int (count,); the pairs, int (P, 2), link pictures into groups."""
    links = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], int)


def _hashes(small: np.ndarray) -> np.ndarray:
    """Return ±1, float32 (N, 63)."""
    if not len(small):
        return np.empty((0, _FREQUENCIES**2 - 1), np.float32)
    waves = dctn(small.astype(np.float32), axes=(1, 2))[:, :_FREQUENCIES, :_FREQUENCIES]
    waves = waves.reshape(len(small), -1)[:, 1:]  # without the mean brightness
    return np.where(waves > np.median(waves, axis=1, keepdims=True), 1, -1).astype(np.float32)


def _normalized(small: np.ndarray) -> np.ndarray:
    """Return float32 (N, 1024), each row of mean 0 and length 1."""
    rows = small.reshape(len(small), SMALL_PX**2).astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)
