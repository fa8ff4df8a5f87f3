"""People who leave the picture, or turn away, and return: the color of hair and clothes tells who they are.

No network recognizes people by their faces here. Color histograms of the head and of the clothes below it are compared
(Swain and Ballard 1991, "Color indexing"). So two people who look alike from afar may count as one if they are never in
view together, and somebody who changes clothes counts as a new person.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from fer.faces import Box
from fer.video.tracking import TrackedFace

ALIKE = 0.88
"""Lowest similarity, 0..1, at which somebody new counts as somebody who left. Chosen on twelve drawn people with three
expressions in three lights: the same person is at least 0.90 similar, two people at most 0.86."""
AHEAD = 0.03
"""How far the most similar person must lead the next; otherwise the person counts as new."""
MOST_KNOWN = 500
"""How many people are remembered, those seen last, so that memory is bounded."""
LOOK_SECONDS = 1.0
"""How often the look of a person in view is updated."""
_BINS = (16, 5, 5)
_BLUR = np.exp(-0.5 * np.arange(-4, 5) ** 2)
_BLUR /= _BLUR.sum()
_HEAD = (-0.1, -0.35, 1.1, 1.0)
_CHEST = (-0.3, 1.2, 1.3, 2.0)
"""x1, y1, x2, y2 in units of the bounding box's size, from its upper left corner."""


@dataclass
class _Known:
    look: np.ndarray
    """Square roots of the histograms of head and chest, a row each; NaN if that is outside the picture."""
    noted_seconds: float


class Reunion:
    """Turns a tracker's numbers, which are new for people who return, into numbers of people."""

    def __init__(self) -> None:
        self.people = 0
        """Number of different people seen so far."""
        self._person_of: dict[int, int] = {}
        self._known: dict[int, _Known] = {}

    def named(self, image: np.ndarray, faces: Sequence[TrackedFace], seconds: float) -> list[TrackedFace]:
        """Return the faces, ordered by and with the numbers of their people.

        Args:
            image: the frame, RGB uint8 (H, W, 3).
            faces: the faces in it, with the tracker's numbers.
            seconds: the frame's time.
        """
        here = {self._person_of[face.track_id or 0] for face in faces if face.track_id in self._person_of}
        named = []
        for face in faces:
            track = face.track_id or 0
            if track not in self._person_of:
                look = _look(image, face.box)
                person = self._recognized(look, here) or self.people + 1
                self.people = max(self.people, person)
                self._person_of[track] = person
                here.add(person)
                known = self._known.setdefault(person, _Known(look, seconds))
                self._forget(here)
            else:
                person = self._person_of[track]
                known = self._known[person]
            if seconds - known.noted_seconds >= LOOK_SECONDS:
                known.look = _between(known.look, _look(image, face.box))
                known.noted_seconds = seconds
            named.append(replace(face, track_id=person))
        return sorted(named, key=lambda face: face.track_id or 0)

    def _forget(self, here: set[int]) -> None:
        if len(self._known) > MOST_KNOWN:
            oldest = min(self._known.keys() - here, key=lambda person: self._known[person].noted_seconds, default=None)
            self._known.pop(oldest or 0, None)
            self._person_of = {track: person for track, person in self._person_of.items() if person != oldest}

    def _recognized(self, look: np.ndarray, here: set[int]) -> int | None:
        """Return the person out of view who clearly looks like this, if there is one."""
        gone = sorted(
            ((_alike(look, known.look), person) for person, known in self._known.items() if person not in here)
        )
        if not gone or gone[-1][0] < ALIKE or (len(gone) > 1 and gone[-1][0] - gone[-2][0] < AHEAD):
            return None
        return gone[-1][1]


def _look(image: np.ndarray, box: Box) -> np.ndarray:
    return np.stack([_colors(image, box, part) for part in (_HEAD, _CHEST)])


def _colors(image: np.ndarray, box: Box, part: tuple[float, float, float, float]) -> np.ndarray:
    """Return the square root of a part's histogram, float (bins,); NaN if more than half of it is outside."""
    x1, x2 = (box.x1 + share * box.width for share in part[::2])
    y1, y2 = (box.y1 + share * box.height for share in part[1::2])
    left, top, right, bottom = max(round(x1), 0), max(round(y1), 0), round(x2), round(y2)
    patch = image[top:bottom, left:right]
    if patch.size / 3 < 0.5 * (x2 - x1) * (y2 - y1):
        return np.full(int(np.prod(_BINS)), np.nan, np.float32)
    step = max(round(box.height / 60), 1)  # some thousand pixels are enough
    hsv = cv2.cvtColor(np.ascontiguousarray(patch[::step, ::step]), cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(_BINS), [0, 180, 0, 256, 0, 256])
    # Blurred, so that slightly more light does not move a whole color into another bin; hue is circular.
    for axis, mode in enumerate(("wrap", "edge", "edge")):
        wide = np.pad(counts, [(len(_BLUR) // 2 * (axis == other),) * 2 for other in range(3)], mode)  # type: ignore[call-overload]
        counts = np.lib.stride_tricks.sliding_window_view(wide, len(_BLUR), axis) @ _BLUR
    return np.sqrt(counts.ravel() / counts.sum())


def _alike(one: np.ndarray, other: np.ndarray) -> float:
    """Return the mean Bhattacharyya coefficient of the parts that both have, 0..1; 0 if there are none."""
    alike = (one * other).sum(axis=1)
    return float(np.nanmean(alike)) if not np.isnan(alike).all() else 0.0


def _between(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the mean of two looks; a part that one lacks is taken from the other."""
    mean = np.sqrt((old**2 + new**2) / 2)
    return np.where(np.isnan(old), new, np.where(np.isnan(new), old, mean))
