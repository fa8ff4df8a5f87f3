"""What is found in a picture: boxes, detected faces, and faces with their expression.

Frozen dataclasses of plain numbers, so that equality, hashing and JSON work. Coordinates are pixels of the whole
picture, x to the right, y down, the origin at the top left corner.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

Point = tuple[float, float]

UNSURE_BELOW = 0.45
"""A face whose confidence is lower is called unsure, unless somebody sets another threshold."""

MIXED_RATIO = 0.6
"""The second expression at or above this share of the first makes a mixed expression (see `Face.is_mixed`)."""


Opinions = tuple[tuple[float, ...], tuple[float, ...]]
"""Two rows of probabilities, one for each label; see `Face.opinions`."""
OPINIONS = ("raters", "label")
"""Whose opinions a model with two heads tells, as JSON calls them: see `Face.opinions`."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, inside its picture: 0 ≤ x1 < x2 ≤ width, 0 ≤ y1 < y2 ≤ height."""

    x1: float
    y1: float
    x2: float
    y2: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(v) for v in self.xyxy):
            raise ValueError(f"a box needs finite numbers, got {self.xyxy}")
        if self.x2 <= self.x1 or self.y2 <= self.y1:
            raise ValueError(f"a box needs x1 < x2 and y1 < y2, got {self.xyxy}")

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
    """A face that was found, before anything is said about its expression."""

    box: Box
    landmarks: tuple[Point, ...]
    """Eye, eye, nose, mouth corner, mouth corner, as (x, y); of each pair the picture's left one first."""
    score: float
    """The detector's certainty that this is a face, 0..1."""
    score_again: float | None = field(default=None, kw_only=True)
    """Its certainty when it looks again, from beside and nearer, 0..1; None if it did not."""


@dataclass(frozen=True)
class Face(Detection):
    """A face with the probability of each expression."""

    labels: tuple[str, ...] = field(kw_only=True)
    probabilities: tuple[float, ...] = field(kw_only=True)
    """One for each label, 0..1, not rounded; they sum to 1, but for a multilabel model."""
    luma: float | None = field(default=None, kw_only=True)
    """Mean brightness of what the network saw, 0..255; None if it was not measured."""
    track_id: int | None = field(default=None, kw_only=True)
    """The number of the person in a video; None in a single picture."""
    opinions: Opinions | None = field(default=None, kw_only=True)
    """Of a model with two heads, the probabilities that raters would give and that the label would, each alone."""

    def __post_init__(self) -> None:
        if len(self.labels) != len(self.probabilities) or not self.labels:
            raise ValueError(
                "a face needs one probability for each label, "
                f"got {len(self.probabilities)} for {len(self.labels)} labels"
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
        """Whether two expressions are about as probable as each other."""
        ranked = self.ranked()
        return len(ranked) > 1 and ranked[1][1] >= MIXED_RATIO * ranked[0][1]

    @property
    def said(self) -> tuple[str, str] | None:
        """What raters would say and what the label would say, of a model with two heads."""
        if self.opinions is None:
            return None
        raters, label = (self.labels[opinion.index(max(opinion))] for opinion in self.opinions)
        return raters, label

    @property
    def differing(self) -> tuple[str, str] | None:
        """`said`, where these are different expressions."""
        return self.said if self.said and self.said[0] != self.said[1] else None

    def ranked(self) -> list[tuple[str, float]]:
        """All (label, probability), the most probable first; ties in the order of the labels."""
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
        """Return the face that `to_dict` was called on."""
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
"""Faces whose centres are more than this share of a face's height above each other are in two rows; people of a row
differ in height, and who stands behind them is seen above their heads."""


def reading_order(faces: Iterable[Found]) -> list[Found]:
    """Return the faces of one picture as a page is read: row by row from the top, each row from left to right.

    A row begins with the uppermost face that is left, by its centre; those belong to it whose centre is no more than
    `ROW` times the height of the larger one lower. In this order faces are numbered, wherever they are.
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
    """Return a face where its picture's points went: `to` takes x and y, and keeps what is level or upright so."""
    corners = to(face.box.x1, face.box.y1), to(face.box.x2, face.box.y2)
    box = Box(*map(min, *corners), *map(max, *corners))
    return replace(face, box=box, landmarks=tuple(to(x, y) for x, y in face.landmarks))


def scaled(face: Found, scale: float) -> Found:
    """Return a face where it is after its picture was made `scale` times as large."""
    return moved(face, lambda x, y: (x * scale, y * scale))


def turned(face: Found, turns: int, size_wh: tuple[int, int]) -> Found:
    """Return a face where it is after its picture, of `size_wh` pixels, was turned as `np.rot90` does.

    `turns` are quarters against the clock; negative ones go with it.
    """
    width, height = size_wh
    if turns % 4 == 0:
        return face
    return turned(moved(face, lambda x, y: (y, width - x)), turns - 1, (height, width))


def describe(face: Face) -> str:
    """Say in words what the face seems to show: "happiness 92 %", or "happiness 48 %, surprise 41 %" if mixed."""
    shown: Iterable[tuple[str, float]] = face.ranked()[: 2 if face.is_mixed else 1]
    return ", ".join(f"{label} {percent(probability)}" for label, probability in shown)


def difference(face: Face) -> str:
    """Say in words where the two opinions differ: "raters would say neutral; the label would say anger"; else ""."""
    return "raters would say {}; the label would say {}".format(*face.differing) if face.differing else ""


def percent(share: float, digits: int = 0) -> str:
    """Write a share of 1 for people: 0.923 → "92 %", but 0.997 → ">99 %", as only 1 is 100 %."""
    rounded = round(100 * share, digits)
    if share < 1 and rounded >= 100:
        return f">{100 - 10**-digits:.{digits}f} %"
    return f"{rounded:.{digits}f} %"
