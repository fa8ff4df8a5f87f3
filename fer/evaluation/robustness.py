"""Measure how much accuracy is lost on degraded pictures of faces, in reproducible ways.

Degradations apply to the data set's picture, before it is shrunk for the network. Lengths are shares of its side; those
in pixels are for a picture 48 pixels wide, like FER2013's, and scale with larger ones. Where a picture is moved, its
border is repeated.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from PIL import Image

from fer.datasets.dataset import FaceDataset
from fer.evaluation.figures import DisturbedAccuracy, Robustness
from fer.model.preprocessing import Preprocessing

SEED = 0
_AT_ONCE = 256
"""Pictures read at a time, each with all degradations."""

Predict = Callable[[np.ndarray], np.ndarray]
"""Network inputs uint8 (n, C, S, S) → probabilities or logits (n, K)."""

REFERENCE_PX = 48
GRAY = 128

Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""RGB uint8 (H, W, 3) and a random generator → the same shape."""


@dataclass(frozen=True)
class Disturbance:
    """One kind of degradation, in one strength."""

    name: str
    setting: str
    """The strength in words with units; "" if there is only one."""
    change: Change

    def apply(self, image: np.ndarray, row: int) -> np.ndarray:
        """Return the degraded picture, RGB uint8 (H, W, 3); randomness depends on the row only."""
        return self.change(image, np.random.default_rng(row))


def blur(image: np.ndarray, _: np.random.Generator, sigma_px: float) -> np.ndarray:
    """Blur with a Gaussian."""
    sigma_px *= min(image.shape[:2]) / REFERENCE_PX
    return cv2.GaussianBlur(image, (0, 0), sigma_px, borderType=cv2.BORDER_REPLICATE)


def noise(image: np.ndarray, random: np.random.Generator, sigma: float) -> np.ndarray:
    """Add gray Gaussian noise in gray levels 0..255, independent for each pixel."""
    return _gray_levels(image + random.normal(0, sigma, (*image.shape[:2], 1)))


def brightness(image: np.ndarray, _: np.random.Generator, factor: float) -> np.ndarray:
    """Change the brightness; saturated pixels are clipped."""
    return _gray_levels(image * factor)


def jpeg(image: np.ndarray, _: np.random.Generator, quality: int) -> np.ndarray:
    """Apply JPEG compression of quality 1 to 100."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=quality)
    return np.array(Image.open(file))


def low_resolution(image: np.ndarray, _: np.random.Generator, side_px: int) -> np.ndarray:
    """Reduce a picture to this width, in real pixels, and enlarge it again."""
    height, width = image.shape[:2]
    small = cv2.resize(image, (side_px, max(round(side_px * height / width), 1)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def crop_offset(image: np.ndarray, random: np.random.Generator, share: float) -> np.ndarray:
    """Shift the crop by a share of its side, each picture in a random direction."""
    angle = random.uniform(0, 2 * np.pi)
    return warped(image, random, shift=(share * np.cos(angle), share * np.sin(angle)))


def covered(image: np.ndarray, _: np.random.Generator, box: tuple[float, float, float, float]) -> np.ndarray:
    """Cover a rectangle with gray: left, top, right, bottom as shares of the width and height."""
    height, width = image.shape[:2]
    left, top, right, bottom = box
    image = image.copy()
    image[round(top * height) : round(bottom * height), round(left * width) : round(right * width)] = GRAY
    return image


def mirrored(image: np.ndarray, _: np.random.Generator) -> np.ndarray:
    """Swap left and right."""
    return np.ascontiguousarray(image[:, ::-1])


def warped(
    image: np.ndarray,
    _: np.random.Generator,
    degrees: float = 0.0,
    factor: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Rotate counterclockwise and scale around the center, and move by shares of the sides."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, factor)
    matrix[:, 2] += (shift[0] * width, shift[1] * height)
    return cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _gray_levels(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


DISTURBANCES: tuple[Disturbance, ...] = (
    *(Disturbance("blur", f"σ {sigma:g} px", partial(blur, sigma_px=sigma)) for sigma in (0.5, 1, 2)),
    *(Disturbance("noise", f"σ {sigma} of 255", partial(noise, sigma=sigma)) for sigma in (10, 20)),
    Disturbance("dark", "half as bright", partial(brightness, factor=0.5)),
    Disturbance("bright", "1.5 times as bright", partial(brightness, factor=1.5)),
    *(Disturbance("JPEG", f"quality {quality}", partial(jpeg, quality=quality)) for quality in (90, 40, 20)),
    *(Disturbance("low resolution", f"{side} px", partial(low_resolution, side_px=side)) for side in (24, 16)),
    *(Disturbance("rotation", f"{degrees:+d}°", partial(warped, degrees=degrees)) for degrees in (-20, -10, 10, 20)),
    # In FER2013's crops the eyes are at 39 % of the height, 37 % of the side apart, the mouth at 77 %.
    Disturbance("covered", "mouth", partial(covered, box=(0.2, 0.65, 0.8, 0.9))),
    Disturbance("covered", "eyes", partial(covered, box=(0.1, 0.29, 0.9, 0.49))),
    *(Disturbance("crop offset", f"{part} %", partial(crop_offset, share=part / 100)) for part in (4, 8, 12)),
    *(Disturbance("scale", f"× {factor:g}", partial(warped, factor=factor)) for factor in (0.85, 1.15)),
    Disturbance("mirrored", "", mirrored),
)


def robustness(
    dataset: FaceDataset,
    rows: np.ndarray,
    truth: np.ndarray,
    preprocessing: Preprocessing,
    predict: Predict,
    sample: int | None = None,
    disturbances: tuple[Disturbance, ...] = DISTURBANCES,
    progress: Callable[[int, int], None] | None = None,
) -> Robustness:
    """Measure a model's accuracy on the same face crops, original and with each degradation.

    The pictures in the rows, int (n,), must be readable; their truth, int (n,), is an index into the model's outputs. A
    sample is drawn with a fixed seed.

    Raises:
        ImageError: a picture cannot be read any more.
    """
    from fer.evaluation.intervals import bootstrap_mean  # scipy is not there where a card is only shown

    kept = np.arange(len(rows))
    if sample is not None and sample < len(rows):
        kept = np.sort(np.random.default_rng(SEED).choice(len(rows), sample, replace=False))
    right = np.empty((len(kept), 1 + len(disturbances)), bool)
    for start in range(0, len(kept), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        images = [dataset.picture(int(row)) for row in rows[kept[part]]]
        for column, disturbance in enumerate((None, *disturbances)):
            pixels = [
                preprocessing.shrink(disturbance.apply(image, int(row)) if disturbance else image)
                for image, row in zip(images, rows[kept[part]], strict=True)
            ]
            right[part, column] = predict(np.stack(pixels)).argmax(axis=1) == truth[kept[part]]
            if progress:
                done = start * right.shape[1] + (column + 1) * len(images)
                progress(done, right.size)
    return Robustness(
        n=len(kept),
        of=len(rows),
        seed=SEED,
        clean=bootstrap_mean(right[:, 0]),
        disturbed=tuple(
            DisturbedAccuracy(
                name=disturbance.name,
                setting=disturbance.setting,
                n=len(kept),
                accuracy=bootstrap_mean(after),
                difference=bootstrap_mean(after.astype(int) - right[:, 0]),
            )
            for disturbance, after in zip(disturbances, right[:, 1:].T, strict=True)
        ),
    )
