"""Ways to make the picture of a face worse, each the same every time.

They act on the data set's picture, before it is shrunk for the network. Lengths are shares of its side; those in pixels
are of a picture 48 pixels wide, as FER2013's are, and grow with a larger one. Where something is moved, the border is
repeated.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

REFERENCE_PX = 48
GRAY = 128

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""RGB uint8 (H, W, 3) and a source of chance → the same shape."""


@dataclass(frozen=True)
class Disturbance:
    """One way, in one strength."""

    name: str
    setting: str
    """How strong, in words with units; "" where there is one strength only."""
    change: Change

    def apply(self, image: np.ndarray, row: int) -> np.ndarray:
        """Return the picture made worse, RGB uint8 (H, W, 3); chance depends on the row only."""
        return self.change(image, np.random.default_rng(row))


def blur(sigma_px: float) -> Change:
    """Return a Gaussian blur."""
    return lambda image, _: cv2.GaussianBlur(image, (0, 0), sigma_px * _scale(image), borderType=cv2.BORDER_REPLICATE)


def noise(sigma: float) -> Change:
    """Return gray Gaussian noise, of gray levels 0..255, independent from pixel to pixel."""

    def change(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        grains = random.normal(0, sigma, (*image.shape[:2], 1))
        return np.clip(np.rint(image + grains), 0, 255).astype(np.uint8)

    return change


def brightness(factor: float) -> Change:
    """Return a change of brightness; what gets too bright stays white."""
    return lambda image, _: np.clip(np.rint(image * factor), 0, 255).astype(np.uint8)


def jpeg(quality: int) -> Change:
    """Return what JPEG leaves of a picture, quality 1 to 100."""

    def change(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=quality)
        return np.array(Image.open(file))

    return change


def low_resolution(side_px: int) -> Change:
    """Return what is left of a picture that was this wide, in real pixels, and is enlarged again."""

    def change(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
        height, width = image.shape[:2]
        small = (side_px, max(round(side_px * height / width), 1))
        return cv2.resize(
            cv2.resize(image, small, interpolation=cv2.INTER_AREA), (width, height), interpolation=cv2.INTER_LINEAR
        )

    return change


def rotation(degrees: float) -> Change:
    """Return a turn around the centre, counter-clockwise."""
    return lambda image, _: _warp(image, degrees=degrees)


def zoom(factor: float) -> Change:
    """Return a closer (> 1) or wider (< 1) crop."""
    return lambda image, _: _warp(image, factor=factor)


def crop_offset(share: float) -> Change:
    """Return a crop that is off by a share of the side, each picture in a direction of its own."""

    def change(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        angle = random.uniform(0, 2 * np.pi)
        return _warp(image, shift=(share * np.cos(angle), share * np.sin(angle)))

    return change


def covered(left: float, top: float, right: float, bottom: float) -> Change:
    """Return a picture with a gray rectangle, its bounds as shares of the width and the height."""

    def change(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
        height, width = image.shape[:2]
        image = image.copy()
        image[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = GRAY
        return image

    return change


def mirrored(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """Swap left and right."""
    return np.ascontiguousarray(image[:, ::-1])


DISTURBANCES: tuple[Disturbance, ...] = (
    *(Disturbance("blur", f"σ {sigma:g} px", blur(sigma)) for sigma in (0.5, 1, 2)),
    *(Disturbance("noise", f"σ {sigma} of 255", noise(sigma)) for sigma in (10, 20)),
    Disturbance("dark", "half as bright", brightness(0.5)),
    Disturbance("bright", "half again as bright", brightness(1.5)),
    *(Disturbance("JPEG", f"quality {quality}", jpeg(quality)) for quality in (90, 40, 20)),
    *(Disturbance("low resolution", f"{side} px", low_resolution(side)) for side in (24, 16)),
    *(Disturbance("rotation", f"{degrees:+d}°", rotation(degrees)) for degrees in (-20, -10, 10, 20)),
    # On FER2013's crops the eyes lie at 39 % of the height, 37 % of the side apart, the mouth at 77 %.
    Disturbance("covered", "mouth", covered(0.2, 0.65, 0.8, 0.9)),
    Disturbance("covered", "eyes", covered(0.1, 0.29, 0.9, 0.49)),
    *(Disturbance("crop offset", f"{100 * share:.0f} %", crop_offset(share)) for share in (0.04, 0.08, 0.12)),
    *(Disturbance("scale", f"× {factor:g}", zoom(factor)) for factor in (0.85, 1.15)),
    Disturbance("mirrored", "", mirrored),
)


def _scale(image: np.ndarray) -> float:
    return min(image.shape[:2]) / REFERENCE_PX


def _warp(
    image: np.ndarray, degrees: float = 0.0, factor: float = 1.0, shift: tuple[float, float] = (0.0, 0.0)
) -> np.ndarray:
    """Turn and enlarge around the centre, and move by shares of the sides."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, factor)
    matrix[:, 2] += (shift[0] * width, shift[1] * height)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
