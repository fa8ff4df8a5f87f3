"""A heat map laid over a face, in the colours of viridis.

Their brightness rises evenly, and they are read with every form of colour blindness.
"""

import cv2
import numpy as np

from fer.images import shrink_to_fit

HEAT_PX = 320
"""Side of the picture with the heat map."""
HEAT_SHARE = 0.6
"""How much of that picture is the map, the rest is the face."""


def heat_picture(crop: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Lay a heat map over a face.

    Args:
        crop: RGB uint8 (side, side, 3).
        heat: float32 (h, w), 0..1, of the same square.

    Returns:
        RGB uint8 (HEAT_PX, HEAT_PX, 3): the face in gray, from dark violet (0) to bright yellow (1).
    """
    size = (HEAT_PX, HEAT_PX)
    smooth = cv2.resize(heat, size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    shown = cv2.resize(shrink_to_fit(crop, HEAT_PX), size, interpolation=cv2.INTER_CUBIC)
    gray = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)
    face = gray[..., None].astype(np.float32)
    return np.asarray((HEAT_SHARE * viridis(smooth) + (1 - HEAT_SHARE) * face).round(), np.uint8)


def viridis(values: np.ndarray) -> np.ndarray:
    """Return a colour for each value of 0..1: float (h, w) → RGB uint8 (h, w, 3)."""
    levels = (255 * values).round().astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1])
