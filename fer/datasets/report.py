"""Describe a data set before training: numbers, warnings, and a contact sheet."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from fer.datasets.dataset import RULES, SPLITS, FaceDataset, Progress
from fer.datasets.duplicates import FLAT, SMALL_PX, find_copies, small_version
from fer.errors import ImageError
from fer.labels import FERPLUS, expressions_in

EXAMPLES = 5
"""How many pairs of duplicates are listed."""
FEW_PICTURES = 10
"""A class with fewer training pictures gives a warning."""
IMBALANCE = 20
"""So does a class with this many times the training pictures of another."""
TINY_PX = 32
"""So do pictures whose shorter side is smaller: little of an expression remains."""

PEOPLE_UNKNOWN = "The people on the pictures are unknown: one may be in two splits, and figures may be too good."

TILE_PX = 72
GAP_PX = 4
NAME_PX = 110
FONT_PX = 14
_BACKGROUND, _TEXT = "white", "#222222"


@dataclass(frozen=True)
class Sizes:
    """Width and height of the pictures in pixels, ordered by area."""

    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]
    gray: int
    """Number of pictures without color."""
    color: int


@dataclass(frozen=True)
class Copies:
    """Pairs of duplicates, see `fer.datasets.duplicates`."""

    within: int
    """Pairs within one split."""
    across: int
    """Pairs across two splits."""
    across_splits: dict[str, int]
    """The same by the two splits: "train and test" → 12."""
    labelled_differently: int
    """Pairs, of all, whose top labels differ."""
    examples: tuple[tuple[str, str], ...]
    """Some pairs by name, those across splits first."""
    pairs: tuple[tuple[int, int], ...]
    """All pairs by row, those across splits first."""


@dataclass(frozen=True)
class DatasetReport:
    """The description of a data set; plain values, ready for JSON by `to_dict`."""

    name: str
    pictures: int
    counts: dict[str, dict[str, int]]
    """label → split → pictures with it as their top label."""
    rules: dict[str, dict[str, int]]
    """rule → split → pictures that count. Both rules agree if each picture has one label."""
    is_rated: bool
    """Whether several people rated each picture."""
    sizes: Sizes | None
    """None if no picture can be read."""
    copies: Copies
    broken: tuple[str, ...]
    """The error, with the name, of each picture that cannot be read."""
    flat: int
    """Number of pictures of a single gray value."""
    subjects: dict[str, int]
    """split → number of people; empty if people are unknown."""
    subjects_across: int
    """People in more than one split."""
    warnings: tuple[str, ...]
    """What to check before training, one sentence each, worst first."""
    notes: tuple[str, ...]
    """What was left out or decided when the data set was opened."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, lists and strings, ready for JSON."""
        record = asdict(self)
        del record["copies"]["pairs"]  # rows mean nothing without the data set
        return record


def report(dataset: FaceDataset, progress: Progress | None = None) -> DatasetReport:
    """Describe a data set, reading every picture once.

    Raises:
        DatasetError: the data set has disappeared meanwhile.
    """
    small, shapes, is_gray, broken = _read(dataset, progress)
    splits = [split for split in SPLITS if (dataset.splits == split).any()]
    rows = dataset.rows("all", "argmax")
    truth, split_of = dataset.truth(rows), dataset.splits[rows]
    counts = {
        label: {split: int(((truth == number) & (split_of == split)).sum()) for split in splits}
        for number, label in enumerate(dataset.labels)
    }
    known = dataset.subjects != ""
    people = {split: set(dataset.subjects[known & (dataset.splits == split)].tolist()) for split in splits}
    sides = Counter(person for group in people.values() for person in group)
    found = DatasetReport(
        name=dataset.name,
        pictures=len(dataset),
        counts=counts,
        rules={rule: {split: len(dataset.rows(split, rule)) for split in splits} for rule in RULES},
        is_rated=dataset.is_rated,
        sizes=_sizes(shapes, is_gray) if len(shapes) else None,
        copies=_copies(dataset, find_copies(small)),
        broken=tuple(broken),
        flat=int((small.std(axis=(1, 2)) < FLAT).sum()) - len(broken),
        subjects={split: len(group) for split, group in people.items()} if known.any() else {},
        subjects_across=sum(count > 1 for count in sides.values()),
        warnings=(),
        notes=notes_on(dataset),
    )
    return replace(
        found,
        warnings=(
            *_warn_of_pictures(found),
            *label_warnings(dataset.labels),
            *_warn_of_classes(counts, splits),
            *_warn_of_leaks(found),
        ),
    )


def _read(dataset: FaceDataset, progress: Progress | None) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Return (uint8 (N, 32, 32), black if broken; int (n, 2) widths and heights; bool (n,) is gray; errors)."""
    small = np.zeros((len(dataset), SMALL_PX, SMALL_PX), np.uint8)
    shapes, is_gray, broken = [], [], []
    for row, image in dataset.read(np.arange(len(dataset)), progress):
        if isinstance(image, ImageError):
            broken.append(str(image))
        else:
            small[row] = small_version(image)
            shapes.append(image.shape[1::-1])
            is_gray.append(bool((image == image[..., :1]).all()))
    return small, np.array(shapes, int).reshape(-1, 2), np.array(is_gray, bool), broken


def _sizes(shapes: np.ndarray, is_gray: np.ndarray) -> Sizes:
    by_area = shapes[np.argsort(shapes.prod(axis=1), kind="stable")]
    smallest, median, largest = map(tuple, by_area[[0, (len(by_area) - 1) // 2, -1]].tolist())
    return Sizes(smallest, median, largest, gray=int(is_gray.sum()), color=int((~is_gray).sum()))


def _copies(dataset: FaceDataset, pairs: np.ndarray) -> Copies:
    side = np.array([SPLITS.index(split) for split in dataset.splits])
    across = side[pairs[:, 0]] != side[pairs[:, 1]]
    truth = dataset.truth(np.arange(len(dataset)))
    between = Counter(" and ".join(SPLITS[number] for number in sorted(side[pair])) for pair in pairs[across])
    ordered = [(one, other) for one, other in pairs[np.argsort(~across, kind="stable")].tolist()]
    return Copies(
        within=int((~across).sum()),
        across=int(across.sum()),
        across_splits=dict(between),
        labelled_differently=int((truth[pairs[:, 0]] != truth[pairs[:, 1]]).sum()),
        examples=tuple((dataset.name_of(one), dataset.name_of(other)) for one, other in ordered[:EXAMPLES]),
        pairs=tuple(ordered),
    )


def _warn_of_pictures(found: DatasetReport) -> list[str]:
    warnings = []
    if found.broken:
        warnings.append(f"{len(found.broken)} of {found.pictures} pictures cannot be read and will be left out.")
    if found.flat > 0:
        warnings.append(f"{found.flat} pictures have a single gray value. Remove them.")
    if found.sizes and min(found.sizes.median) < TINY_PX:
        warnings.append(f"Half of the pictures are smaller than {TINY_PX} pixels: little of an expression remains.")
    return warnings


def notes_on(dataset: FaceDataset) -> tuple[str, ...]:
    """Return the data set's notes, with a warning if people may be in two splits."""
    return dataset.notes if dataset.knows_everybody else (*dataset.notes, PEOPLE_UNKNOWN)


def label_warnings(labels: Sequence[str]) -> list[str]:
    """Return warnings about labels: only one, no known expression, or one that mentions a known one."""
    own = [label for label in labels if label not in FERPLUS]
    warnings = []
    if len(labels) == 1:
        warnings.append(f"All pictures are labeled {labels[0]}: a model needs at least two expressions.")
    if len(own) == len(labels):
        warnings.append(
            f"None of the labels ({', '.join(own[:8])}) is a known expression. Rename them (happy, sad, …), unless "
            "they are expressions of your own."
        )
    for label in own:
        if meant := expressions_in(label):
            warnings.append(
                f"{label} is treated as different from {' and '.join(sorted(meant))}. Rename it if it means that."
            )
    return warnings


def _warn_of_classes(counts: dict[str, dict[str, int]], splits: list[str]) -> list[str]:
    warnings = [
        f"There are no {split} pictures."
        + (" Training is impossible." if split == "train" else " A model cannot be chosen." * (split != "test"))
        for split in SPLITS
        if split not in splits
    ]
    if "train" in splits:
        training = {label: by_split["train"] for label, by_split in counts.items()}
        few = [f"{label} ({number})" for label, number in training.items() if number < FEW_PICTURES]
        if few:
            warnings.append(
                f"Fewer than {FEW_PICTURES} training pictures: {', '.join(few)}. A model will hardly ever predict them."
            )
        most, least = max(training, key=training.__getitem__), min(training, key=training.__getitem__)
        if training[most] > IMBALANCE * max(training[least], 1):
            warnings.append(
                f"{most} has {training[most]:,} training pictures and {least} {training[least]:,}: consider balancing "
                "the classes."
            )
    for split in splits:
        lacking = [label for label, by_split in counts.items() if not by_split[split]]
        if split != "train" and lacking:
            warnings.append(f"No {split} picture shows {', '.join(lacking)}: nothing can be said about it.")
    return warnings


def pairs_of_copies(count: int) -> str:
    """Return "1 pair of duplicates", "2 pairs of duplicates", …."""
    return f"{count:,} {'pair' if count == 1 else 'pairs'} of duplicates"


def _warn_of_leaks(found: DatasetReport) -> list[str]:
    warnings, copies = [], found.copies
    if copies.across:
        where = ", ".join(f"{count:,} between {sides}" for sides, count in copies.across_splits.items())
        warnings.append(
            f"{pairs_of_copies(copies.across)} across the data set's own splits ({where}): figures on them are too "
            "good."
        )
    if found.subjects_across:
        warnings.append(
            f"{found.subjects_across} people are in more than one of the data set's own splits: figures say "
            "little about new people."
        )
    if copies.labelled_differently:
        warnings.append(f"{pairs_of_copies(copies.labelled_differently)} with two different labels.")
    return warnings


def contact_sheet(dataset: FaceDataset, per_class: int = 8) -> np.ndarray:
    """Draw a row for each class: its name and up to `per_class` of its pictures, spread evenly over the data set.

    Returns RGB uint8 (H, W, 3). Training pictures are preferred. Broken pictures are skipped; a class without pictures
    has an empty row.
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
