"""Faces side by side as HTML, each with the readings of models and people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer.faces import percent
from fer.reports.rendering import render

MOST_PIXELS = 160
"""Larger pictures are subsampled to about this width, so that a page of them opens quickly."""
MOST_PROBABLE = 3


@dataclass(frozen=True, eq=False)
class Card:
    """A face in a gallery."""

    name: str
    label: str
    """Its true label, according to people."""
    votes: dict[str, float]
    """Label → number of raters who chose it; labels without votes may be missing."""
    opinions: tuple[tuple[str, dict[str, float]], ...] = ()
    """Readings: a model's name → label → probability."""
    image: np.ndarray | None = None
    """RGB uint8 (H, W, 3)."""
    note: str = ""
    """Caption of a tile; by default the first reading."""

    @property
    def caption(self) -> str:
        """The text below a tile's picture."""
        if self.note or not self.opinions:
            return self.note or self.label
        answer, share = max(self.opinions[0][1].items(), key=lambda item: item[1])
        return f"{answer} {percent(share)}"

    @property
    def thumbnail(self) -> np.ndarray | None:
        """The subsampled picture; None without a picture."""
        if self.image is None:
            return None
        step = max(self.image.shape[1] // MOST_PIXELS, 1)
        return self.image[::step, ::step]


def votes_text(votes: dict[str, float]) -> str:
    """Format the votes, most frequent first: "7 anger, 2 neutral"; empty for a single label."""
    if sum(votes.values()) <= 1:
        return ""
    ranked = sorted(votes.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:g} {label}" for label, count in ranked if count)


def gallery(cards: Sequence[Card] = (), pairs: Sequence[tuple[Card, Card]] = (), tiles: Sequence[Card] = ()) -> str:
    """Return a responsive grid of cards, of pairs side by side, or of tiles.

    A pair with two labels has an orange frame. A tile is small, and shows its details when it is opened.
    """
    return render("gallery.html", cards=cards, pairs=pairs, tiles=tiles, most=MOST_PROBABLE, votes_text=votes_text)
