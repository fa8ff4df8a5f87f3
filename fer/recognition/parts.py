"""Where the parts of a face lie in its crop: ellipses around the five points that the detector gives.

Sizes are in units of the distance between the eyes, or from the eyes to the mouth where that is longer: a face that is
turned to the side keeps the latter, one that looks up or down the former.
"""

import numpy as np

TYPICAL_LANDMARKS = np.array([(0.315, 0.39), (0.685, 0.39), (0.5, 0.59), (0.35, 0.77), (0.65, 0.77)])
"""For faces without any: eye, eye, nose, mouth corner, mouth corner of an upright crop, as shares of its side."""


def facial_parts(landmarks: np.ndarray, size_px: int) -> dict[str, np.ndarray]:
    """Return the parts of a face, those that the crop shows.

    Args:
        landmarks: float (5, 2) as `Preprocessing.landmarks_in_crop` gives them, of an upright face. With fewer than
            five the typical ones are taken.
        size_px: side of the masks.

    Returns:
        Name in plain words → bool (size, size). Left and right are the picture's. The last one, "the surroundings", is
        what lies around the face.
    """
    left, right, nose, left_corner, right_corner = landmarks if len(landmarks) == 5 else TYPICAL_LANDMARKS
    eyes, mouth = (left + right) / 2, (left_corner + right_corner) / 2
    # The landmarks of what is no face may coincide.
    unit = max(float(np.hypot(*(right - left))), float(np.hypot(*(mouth - eyes))), 0.1)
    y, x = (np.mgrid[:size_px, :size_px] + 0.5) / size_px  # of the centres of pixels

    def around(point: np.ndarray, down: float, half_width: float, half_height: float) -> np.ndarray:
        across, along = (x - point[0]) / unit, (y - point[1]) / unit - down
        return (across / half_width) ** 2 + (along / half_height) ** 2 <= 1

    aside = np.array([0.1 * unit, 0.0])
    half_mouth = float(np.hypot(*(right_corner - left_corner))) / 2 / unit
    parts = {
        "the forehead": around(eyes, -0.85, 0.8, 0.28),
        "the brows": around(left, -0.38, 0.44, 0.2) | around(right, -0.38, 0.44, 0.2),
        "the eyes": around(left, 0.0, 0.36, 0.2) | around(right, 0.0, 0.36, 0.2),
        "the nose": around(nose, -0.1, 0.28, 0.34),
        "the left cheek": around((left + left_corner) / 2 - aside, 0.05, 0.36, 0.3),
        "the right cheek": around((right + right_corner) / 2 + aside, 0.05, 0.36, 0.3),
        "the mouth": around(mouth, 0.08, half_mouth + 0.2, 0.36),
        "the chin": around(mouth, 0.55, 0.5, 0.24),
        "the surroundings": ~around((eyes + mouth) / 2, 0.0, 1.12, 1.4),
    }
    return {name: mask for name, mask in parts.items() if mask.any()}
