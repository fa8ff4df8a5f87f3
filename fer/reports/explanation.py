"""The explanation of a face's expression as HTML: a heat map, the effect of covered parts, confidence, alternatives."""

from collections.abc import Sequence
from html import escape

import numpy as np

from fer.draw.picture import heat_picture, viridis
from fer.faces import describe, difference, percent
from fer.recognition.explain import Covered, Explanation
from fer.reports.rendering import render, tied

MATTERS_FROM = 0.1
"""If no part changes the probability by this much, no single part decides."""
SHOWN_FROM, SHOWN_ANYHOW = 0.02, 3
"""Parts that change it less are only listed, except the first ones."""


def change(explanation: Explanation, covered: Covered) -> str:
    """Describe the effect of covering a part: "happiness 93 % → 21 %, now neutral 60 %"."""
    face, now = explanation.face, covered.face
    text = f"{face.label} {percent(face.confidence)} → {percent(_probability(explanation, covered))}"
    return text if now.label == face.label else f"{text}, now {now.label} {percent(now.confidence)}"


def explanation_html(explanation: Explanation, crop: np.ndarray) -> str:
    """Return everything about one face as HTML for any page, down to the width of a phone.

    The crop is the upright square around the face, RGB uint8 (side, side, 3).
    """
    heat, covered = explanation.heat, explanation.covered
    shown = [one for place, one in enumerate(covered) if place < SHOWN_ANYHOW or _changes(explanation, one, SHOWN_FROM)]
    return render(
        "explanation.html",
        face=explanation.face,
        info=explanation.info,
        heat=heat,
        heat_picture=None if heat is None else heat_picture(crop, heat),
        colors=["rgb({},{},{})".format(*color) for color in viridis(np.linspace(0, 1, 9)[None])[0]],
        matters=any(_changes(explanation, one, MATTERS_FROM) for one in covered),
        parts=[
            {
                "name": one.part,
                "seen": np.broadcast_to(one.pixels.transpose(1, 2, 0), (*one.pixels.shape[1:], 3)),
                "change": change(explanation, one),
                "probability": _probability(explanation, one),
            }
            for one in shown
        ],
        others=[one.part for one in covered if one not in shown],
        rounded=_rounded,
    )


def explanation_section(name: str, explanation: Explanation, crop: np.ndarray) -> str:
    """Return `explanation_html` under a heading, for `explanation_page`."""
    face = explanation.face
    title = escape(tied(f"{name}: {describe(face)}"))
    opinions = f"<p>{escape(difference(face))}</p>{render('opinions.html', face=face)}" if face.differing else ""
    return f"<section><h2>{title}</h2>{opinions}{explanation_html(explanation, crop)}</section>"


def explanation_page(sections: Sequence[str]) -> str:
    """Return an HTML page of such sections that works without the app and offline."""
    return render("explanations.html", sections=sections)


def _probability(explanation: Explanation, covered: Covered) -> float:
    """Return the probability of the face's label with the part covered."""
    return covered.face.probabilities[explanation.face.labels.index(explanation.face.label)]


def _changes(explanation: Explanation, covered: Covered, amount: float) -> bool:
    """Whether covering a part changes the label, or its probability by at least `amount`, 0..1."""
    face = explanation.face
    return covered.face.label != face.label or abs(_probability(explanation, covered) - face.confidence) >= amount


def _rounded(share: float) -> str:
    """Format a probability without claiming certainty: "over 99 %"."""
    return tied("over 99 %" if share > 0.99 else "under 1 %" if share < 0.01 else percent(share))
