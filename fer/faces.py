"""Boxes, detected faces, and faces with their expression.

Frozen dataclasses of plain numbers, so equality, hashing and JSON work. Coordinates are pixels of the whole picture: x
to the right, y down, from the top left corner.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

Point = tuple[float, float]

UNSURE_BELOW = 0.45
"""A face with less confidence is called unsure, unless another threshold is set."""

MIXED_RATIO = 0.6
"""An expression is mixed if the second one has at least this share of the first one's probability (`Face.is_mixed`)."""

HUMAN_FROM = 0.99
"""Threshold for `Detection.score_again`; `scripts/nonhuman.py` measures how well it separates."""
NOT_HUMAN = "may not be a human face"
"""What is said of a face below it."""

Opinions = tuple[tuple[float, ...], tuple[float, ...]]
"""Two rows of probabilities, one per label; see `Face.opinions`."""
OPINIONS = ("raters", "label")
"""The two heads' readings, by their names in JSON; see `Face.opinions`."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, inside its picture: 0 ≤ x1 < x2 ≤ width, 0 ≤ y1 < y2 ≤ height."""

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in self.xyxy):
            raise ValueError(f"expected a box of finite numbers, got {self.xyxy}")
        if self.x2 <= self.x1 or self.y2 <= self.y1:
            raise ValueError(f"expected a box with x1 < x2 and y1 < y2, got {self.xyxy}")

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """(x1, y1, x2, y2)."""
        return (self.x1, self.y1, self.x2, self.y2)

    @property
    def width(self) -> float:
        """In pixels."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """In pixels."""
        return self.y2 - self.y1

    @property
    def center(self) -> Point:
        """(x, y) in pixels."""
        return ((self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2)


@dataclass(frozen=True)
class Detection:
    """A detected face, without its expression."""

    box: Box
    landmarks: tuple[Point, ...]
    """Eye, eye, nose, mouth corner, mouth corner, as (x, y); the left one in the picture comes first."""
    score: float
    """The detector's score for this being a face, 0..1."""
    score_again: float | None = field(default=None, kw_only=True)
    """Its score on a second look, shifted and enlarged, 0..1; None without one."""

    @property
    def looks_human(self) -> bool:
        """Whether the detector still sees a human face on its second look; True without a second look."""
        return self.score_again is None or self.score_again >= HUMAN_FROM


@dataclass(frozen=True)
class Face(Detection):
    """A face with the probability of each expression."""

    labels: tuple[str, ...] = field(kw_only=True)
    probabilities: tuple[float, ...] = field(kw_only=True)
    """One per label, 0..1, not rounded; they sum to 1, except for a multilabel model."""
    luma: float | None = field(default=None, kw_only=True)
    """Mean brightness of the network's input, 0..255; None if it was not measured."""
    track_id: int | None = field(default=None, kw_only=True)
    """The number of the person in a video; None in a single picture."""
    opinions: Opinions | None = field(default=None, kw_only=True)
    """For a model with two heads: the probabilities that raters would give, and those of a single label."""

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.probabilities) or not self.labels:
            raise ValueError(
                f"expected one probability per label, got {len(self.probabilities)} for {len(self.labels)} labels"
            )

    @property
    def label(self) -> str:
        """The most probable label."""
        return self.ranked()[0][0]

    @property
    def confidence(self) -> float:
        """The probability of `label`, 0..1."""
        return max(self.probabilities)

    @property
    def is_mixed(self) -> bool:
        """Whether the two leading expressions are about equally probable."""
        ranked = self.ranked()
        return len(ranked) > 1 and ranked[1][1] >= MIXED_RATIO * ranked[0][1]

    @property
    def said(self) -> tuple[str, str] | None:
        """For a model with two heads: what raters would say, and what a single label would say."""
        if self.opinions is None:
            return None
        raters, label = (self.labels[opinion.index(max(opinion))] for opinion in self.opinions)
        return raters, label

    @property
    def differing(self) -> tuple[str, str] | None:
        """`said`, if the two differ."""
        return self.said if self.said and self.said[0] != self.said[1] else None

    def ranked(self) -> list[tuple[str, float]]:
        """All (label, probability), most probable first; ties in the order of the labels."""
        return sorted(zip(self.labels, self.probabilities, strict=True), key=lambda pair: -pair[1])

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, lists and strings, ready for JSON."""
        opinions = self.opinions and {
            who: dict(zip(self.labels, said, strict=True)) for who, said in zip(OPINIONS, self.opinions, strict=True)
        }
        measured = {"score_again": self.score_again, "luma": self.luma, "track_id": self.track_id, "opinions": opinions}
        return {
            "box": list(self.box.xyxy),
            "landmarks": [list(point) for point in self.landmarks],
            "score": self.score,
            "label": self.label,
            "confidence": self.confidence,
            "probabilities": dict(zip(self.labels, self.probabilities, strict=True)),
            **{name: value for name, value in measured.items() if value is not None},
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Face":
        """Return a face from the result of `to_dict`."""
        said = record.get("opinions")
        return cls(
            Box(*record["box"]),
            tuple((x, y) for x, y in record["landmarks"]),
            record["score"],
            labels=tuple(record["probabilities"]),
            probabilities=tuple(record["probabilities"].values()),
            score_again=record.get("score_again"),
            luma=record.get("luma"),
            track_id=record.get("track_id"),
            opinions=said and tuple(tuple(said[who].values()) for who in OPINIONS),
        )


Found = TypeVar("Found", bound=Detection)
ROW = 0.75
"""Faces are in different rows if their centers are further apart vertically than this share of a face's height; people
in one row differ in height, and those behind them appear above their heads."""


def reading_order(faces: Iterable[Found]) -> list[Found]:
    """Return the faces of a picture in reading order: row by row from the top, each row from left to right.

    A row starts with the topmost remaining face, by its center; it includes the faces whose center is at most `ROW`
    times the height of the larger one lower. Faces are numbered in this order everywhere.
    """
    left = sorted(faces, key=lambda face: face.box.center[::-1])
    ordered: list[Found] = []
    while left:
        first = left[0].box
        beside = [_are_beside(face.box, first) for face in left]
        row = [face for face, is_beside in zip(left, beside, strict=True) if is_beside]
        left = [face for face, is_beside in zip(left, beside, strict=True) if not is_beside]
        ordered += sorted(row, key=lambda face: face.box.center)
    return ordered


def _are_beside(one: Box, other: Box) -> bool:
    return abs(one.center[1] - other.center[1]) <= ROW * max(one.height, other.height)


def moved(face: Found, to: Callable[[float, float], Point]) -> Found:
    """Return a face with its points mapped by `to`, from (x, y); level and upright lines must stay so."""
    corners = to(face.box.x1, face.box.y1), to(face.box.x2, face.box.y2)
    box = Box(*map(min, *corners), *map(max, *corners))
    return replace(face, box=box, landmarks=tuple(to(x, y) for x, y in face.landmarks))


def scaled(face: Found, scale: float) -> Found:
    """Return a face in the coordinates of a picture scaled by `scale`."""
    return moved(face, lambda x, y: (x * scale, y * scale))


def turned(face: Found, turns: int, size_wh: tuple[int, int]) -> Found:
    """Return a face in the coordinates of a picture of `size_wh` pixels that was rotated as `np.rot90` does.

    `turns` are quarter turns, counterclockwise; negative ones are clockwise.
    """
    width, height = size_wh
    if turns % 4 == 0:
        return face
    return turned(moved(face, lambda x, y: (y, width - x)), turns - 1, (height, width))


def describe(face: Face) -> str:
    """Return the expression in words: "happiness 92 %", or "happiness 48 %, surprise 41 %" if mixed."""
    shown: Iterable[tuple[str, float]] = face.ranked()[: 2 if face.is_mixed else 1]
    return ", ".join(f"{label} {percent(probability)}" for label, probability in shown)


def difference(face: Face) -> str:
    """Return how the two heads differ: "raters would say neutral; the label would say anger"; else ""."""
    return "raters would say {}; the label would say {}".format(*face.differing) if face.differing else ""


def percent(share: float, digits: int = 0) -> str:
    """Format a share for display: 0.923 → "92 %", but 0.997 → ">99 %", as only 1 is 100 %."""
    rounded = round(100 * share, digits)
    if share < 1 and rounded >= 100:
        return f">{100 - 10**-digits:.{digits}f} %"
    return f"{rounded:.{digits}f} %"
