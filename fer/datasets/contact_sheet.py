"""Some pictures of each class side by side, to see at a glance whether the labels and the crops are right."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from fer.datasets.dataset import FaceDataset
from fer.errors import ImageError

TILE_PX = 72
GAP_PX = 4
NAME_PX = 110
FONT_PX = 14
_BACKGROUND, _TEXT = "white", "#222222"


def contact_sheet(dataset: FaceDataset, per_class: int = 8) -> np.ndarray:
    """Draw a row for each class: its name and some of its pictures, spread evenly over the data set.

    Training pictures are shown where the class has any. Broken pictures are passed over; a class without pictures has
    an empty row.

    Args:
        dataset: what to show.
        per_class: the most pictures in a row, at least 1.

    Returns:
        RGB uint8 (H, W, 3).
    """
    font = ImageFont.load_default(FONT_PX)
    step = TILE_PX + GAP_PX
    name_px = max(NAME_PX, *(int(font.getlength(label)) + 3 * GAP_PX for label in dataset.labels))
    sheet = Image.new("RGB", (name_px + per_class * step, len(dataset.labels) * step + GAP_PX), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    rows = dataset.rows("all", "argmax")
    truth = dataset.truth(rows)
    for number, label in enumerate(dataset.labels):
        top = GAP_PX + number * step
        draw.text((2 * GAP_PX, top + TILE_PX / 2), label, fill=_TEXT, font=font, anchor="lm")
        for column, tile in enumerate(_tiles(dataset, rows[truth == number], per_class)):
            sheet.paste(tile, (name_px + column * step, top))
    return np.array(sheet)


def _tiles(dataset: FaceDataset, rows: np.ndarray, count: int) -> list[Image.Image]:
    """Return up to `count` pictures as squares of TILE_PX."""
    training = rows[dataset.splits[rows] == "train"]
    rows = training if len(training) else rows
    shown = dataset.read(rows[np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int)])
    return [
        ImageOps.fit(Image.fromarray(picture), (TILE_PX, TILE_PX), Image.Resampling.BILINEAR)
        for _, picture in shown
        if not isinstance(picture, ImageError)
    ]
