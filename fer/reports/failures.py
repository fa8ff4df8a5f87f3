"""Where a model fails, shown on drawn faces: expressions that it confuses, and pictures that are hard for it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fer.datasets.drawing import EXPRESSIONS, draw_face
from fer.evaluation.report import Report
from fer.evaluation.robustness import DISTURBANCES

SIDE_PX = 144
_MOST = 3
"""Examples of each kind."""
_LEAST_PICTURES = 5
"""A mistake that was made on fewer pictures may be chance."""
_SEED = 6
_GAP_PX = 8


@dataclass(frozen=True, eq=False)
class Failure:
    """One way to fail, with its figure."""

    caption: str
    picture: np.ndarray
    """RGB uint8 (SIDE_PX, SIDE_PX, 3)."""


def failures(report: Report) -> list[Failure]:
    """Return the most frequent mistakes and the degraded pictures that cost most, as far as a report has them."""
    return [*_confused(report), *_disturbed(report)]


def strip(shown: list[Failure]) -> np.ndarray:
    """Return all pictures side by side, on white: RGB uint8 (SIDE_PX, W, 3)."""
    gap = np.full((SIDE_PX, _GAP_PX, 3), 255, np.uint8)
    return np.concatenate([part for one in shown for part in (gap, one.picture)][1:], axis=1)


def _confused(report: Report) -> Iterator[Failure]:
    """Give the expressions that are most often taken for one other: by share, among those that can be drawn."""
    mistakes = []
    for place, truth in enumerate(report.labels):
        counts = np.array(report.confusion[place])
        of, wrong = int(counts.sum()), np.where(np.arange(len(counts)) == place, 0, counts)
        if truth in EXPRESSIONS and wrong.max() >= _LEAST_PICTURES:
            mistakes.append((wrong.max() / of, truth, report.labels[int(wrong.argmax())], int(wrong.max()), of))
    for _, truth, answer, count, of in sorted(mistakes, reverse=True)[:_MOST]:
        yield Failure(f"{truth} read as {answer}, {count:,} of {of:,} pictures", _face(truth))


def _disturbed(report: Report) -> Iterator[Failure]:
    """Give the kinds of degraded pictures that cost most, each in its strongest form."""
    found = report.robustness.disturbed if report.robustness else ()
    worst: dict[str, Failure] = {}
    for one in sorted(found, key=lambda one: one.difference.value):
        change = next((way for way in DISTURBANCES if (way.name, way.setting) == (one.name, one.setting)), None)
        if change and one.difference.value < 0 and one.name not in worst and len(worst) < _MOST:
            caption = f"{one.name} {one.setting}".strip() + f", {-100 * one.difference.value:.1f} points worse"
            worst[one.name] = Failure(caption, change.apply(_face("happiness"), 0))
    yield from worst.values()


def _face(expression: str) -> np.ndarray:
    return draw_face(expression, np.random.default_rng(_SEED), size_px=SIDE_PX)
