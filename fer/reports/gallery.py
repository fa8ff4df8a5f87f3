"""Faces side by side as HTML, each with what a model and what people say of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer.reports.rendering import render

MOST_PIXELS = 160
"""A larger picture is thinned out to about this width: a page of them must open at once."""
MOST_PROBABLE = 3


@dataclass(frozen=True, eq=False)
class Card:
    """One face."""

    name: str
    label: str
    """What it truly shows, as far as people say."""
    votes: dict[str, float]
    """Label → how many raters chose it; those with none may be left out."""
    opinions: tuple[tuple[str, dict[str, float]], ...] = ()
    """Who says so, a model's name → label → probability."""
    image: np.ndarray | None = None
    """RGB uint8 (H, W, 3)."""

    @property
    def thumbnail(self) -> np.ndarray | None:
        """The picture, thinned out; None without one."""
        if self.image is None:
            return None
        step = max(self.image.shape[1] // MOST_PIXELS, 1)
        return self.image[::step, ::step]


def votes_text(votes: dict[str, float]) -> str:
    """Say what raters chose, the most frequent first: "7 anger, 2 neutral"; nothing where there is one label."""
    if sum(votes.values()) <= 1:
        return ""
    ranked = sorted(votes.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:g} {label}" for label, count in ranked if count)


def gallery(cards: Sequence[Card] = (), pairs: Sequence[tuple[Card, Card]] = ()) -> str:
    """Return a grid that fills the width of its place, from a phone's on, of cards or of pairs side by side.

    A pair of two labels has an orange frame.
    """
    return render("gallery.html", cards=cards, pairs=pairs, most=MOST_PROBABLE, votes_text=votes_text)
