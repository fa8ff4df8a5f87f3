"""Whether a data set holds whole photos instead of crops of faces, of which training would only see the middle."""

import numpy as np

from fer.datasets.dataset import FaceDataset
from fer.errors import ImageError
from fer.images import shrink_to_fit

SAMPLE = 20
"""How many pictures are looked at, spread evenly over the data set."""
LARGE_PX = 120
"""A picture whose shorter side is smaller counts as a crop."""
SMALL_SHARE = 0.4
"""In a crop the face is higher than this share of the picture: in one like FER2013's, nine tenths."""
_SEARCHED_PX, _SMALLEST = 640, 0.06
"""Longer side of the pictures that are searched, and the smallest face, as a share of the shorter side."""


def warn_of_whole_photos(dataset: FaceDataset) -> list[str]:
    """Return a warning if the largest faces in most pictures of a sample are small; else nothing.

    Raises:
        DatasetError: the data set has disappeared meanwhile.
    """
    rows = np.unique(np.linspace(0, len(dataset) - 1, SAMPLE).astype(int))
    large = [
        shrink_to_fit(image, _SEARCHED_PX)
        for _, image in dataset.read(rows)
        if not isinstance(image, ImageError) and min(image.shape[:2]) >= LARGE_PX
    ]
    if 2 * len(large) <= len(rows):
        return []
    from fer.recognition.detector import FaceDetector  # takes a moment, which most data sets do not need

    detector, small = FaceDetector(), 0
    for image in large:
        highest = max((found.box.height for found in detector.detect(image, _SMALLEST)), default=0.0)
        small += 0 < highest < SMALL_SHARE * len(image)
    if 2 * small <= len(rows):
        return []
    return [
        f"These seem to be whole photos: in {small} of the {len(rows)} pictures looked at, the face has less than "
        f"{100 * SMALL_SHARE:.0f} % of the height. Cut the faces out first; docs/training.md has a script. Duplicates "
        "among whole photos may only share the background."
    ]
