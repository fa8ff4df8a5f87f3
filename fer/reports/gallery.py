"""Faces side by side as HTML, each with what a model and what people say of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer.faces import percent
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
    note: str = ""
    """What a tile says below its picture; without it the first opinion's answer."""

    @property
    def caption(self) -> str:
        """What a tile says below its picture."""
        if self.note or not self.opinions:
            return self.note or self.label
        answer, share = max(self.opinions[0][1].items(), key=lambda item: item[1])
        return f"{answer} {percent(share)}"

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


def gallery(cards: Sequence[Card] = (), pairs: Sequence[tuple[Card, Card]] = (), tiles: Sequence[Card] = ()) -> str:
    """Return a grid that fills the width of its place, from a phone's on, of cards, of pairs side by side, or of tiles.

    A pair of two labels has an orange frame. A tile is small, and says the rest when it is opened.
    """
    return render("gallery.html", cards=cards, pairs=pairs, tiles=tiles, most=MOST_PROBABLE, votes_text=votes_text)
