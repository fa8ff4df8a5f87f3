"""Faces side by side as HTML, each with what a model and what people say of it."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fer.faces import percent
from fer.images import encode_png
from fer.labels import color_of

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


def votes_text(votes: dict[str, float]) -> str:
    """Say what raters chose, the most frequent first: "7 anger, 2 neutral"; nothing where there is one label."""
    if sum(votes.values()) <= 1:
        return ""
    ranked = sorted(votes.items(), key=lambda item: -item[1])
    return ", ".join(f"{count:g} {label}" for label, count in ranked if count)


def gallery(cards: Sequence[Card]) -> str:
    """Return a grid that fills the width of its place, from a phone's on."""
    columns = "grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr))"
    return f'<div style="display:grid;{columns};gap:.75rem">{"".join(map(_card, cards))}</div>'


def pairs_gallery(pairs: Sequence[tuple[Card, Card]]) -> str:
    """Return a grid of pairs, each side by side; a pair of two labels has an orange frame."""
    columns = "grid-template-columns:repeat(auto-fill,minmax(min(19rem,100%),1fr))"
    return f'<div style="display:grid;{columns};gap:.75rem">{"".join(map(_pair, pairs))}</div>'


def _pair(pair: tuple[Card, Card]) -> str:
    one, other = pair
    frame = "#80879266" if one.label == other.label else "#D55E00"
    style = f"display:grid;grid-template-columns:1fr 1fr;gap:.3rem;padding:.3rem;border:2px solid {frame}"
    return f'<div style="{style};border-radius:.8rem">{_card(one)}{_card(other)}</div>'


def _card(card: Card) -> str:
    picture = ""
    if card.image is not None:
        step = max(card.image.shape[1] // MOST_PIXELS, 1)
        encoded = base64.b64encode(encode_png(np.ascontiguousarray(card.image[::step, ::step]))).decode()
        picture = (
            f'<img src="data:image/png;base64,{encoded}" alt="{html.escape(f"a face labelled {card.label}")}" '
            'style="display:block;width:100%;aspect-ratio:1;object-fit:cover">'
        )
    votes = votes_text(card.votes)
    label = html.escape(card.label)
    people = f"<div><b>{label}</b>" + (f' <span style="opacity:.75">({html.escape(votes)})</span>' if votes else "")
    opinions = "".join(_opinion(who, probabilities) for who, probabilities in card.opinions)
    return (
        '<figure style="margin:0;border:1px solid #80879266;border-radius:.6rem;overflow:hidden">'
        f'{picture}<figcaption style="padding:.5rem .6rem;font-size:.82rem;line-height:1.35">{people}</div>{opinions}'
        f'<div style="opacity:.6;font-size:.72rem;overflow-wrap:anywhere">{html.escape(card.name)}</div>'
        "</figcaption></figure>"
    )


def _opinion(who: str, probabilities: dict[str, float]) -> str:
    ranked = sorted(probabilities.items(), key=lambda item: -item[1])[:MOST_PROBABLE]
    rows = "".join(
        '<div style="position:relative;margin:.12rem 0;padding:0 .3rem">'
        f'<div style="position:absolute;inset:0;width:{100 * share:.1f}%;background:{color_of(label)};opacity:.35;'
        f'border-radius:.2rem"></div><div style="position:relative;display:flex;justify-content:space-between">'
        f"<span>{html.escape(label)}</span><span>{percent(share)}</span></div></div>"
        for label, share in ranked
    )
    return f'<div style="margin:.25rem 0"><span style="opacity:.75">{html.escape(who)}</span>{rows}</div>'
