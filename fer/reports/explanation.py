"""Why a face got its expression, as HTML: a heat map, what covered parts change, how sure, and what else it could be.

A map's colours are viridis, whose brightness rises evenly and which is read with every form of colour blindness.
"""

import base64
import html
from collections.abc import Sequence

import cv2
import numpy as np

from fer.faces import describe, percent
from fer.images import encode_png, shrink_to_fit
from fer.labels import color_of
from fer.recognition.explain import Covered, Explanation

HEAT_PX = 320
"""Side of the picture with the heat map."""
HEAT_SHARE = 0.6
"""How much of that picture is the map, the rest is the face."""
MATTERS_FROM = 0.1
"""If no part changes the probability by this much, no single one decides."""
SHOWN_FROM, SHOWN_ANYHOW = 0.02, 3
"""Parts that change it less are only named, but for the first ones."""


def heat_picture(crop: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Lay a heat map over a face.

    Args:
        crop: RGB uint8 (side, side, 3).
        heat: float32 (h, w), 0..1, of the same square.

    Returns:
        RGB uint8 (HEAT_PX, HEAT_PX, 3): the face in gray, from dark violet (0) to bright yellow (1).
    """
    size = (HEAT_PX, HEAT_PX)
    smooth = cv2.resize(heat, size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    shown = cv2.resize(shrink_to_fit(crop, HEAT_PX), size, interpolation=cv2.INTER_CUBIC)
    gray = cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY)
    face = gray[..., None].astype(np.float32)
    return np.asarray((HEAT_SHARE * viridis(smooth) + (1 - HEAT_SHARE) * face).round(), np.uint8)


def viridis(values: np.ndarray) -> np.ndarray:
    """Return a colour for each value of 0..1: float (h, w) → RGB uint8 (h, w, 3)."""
    levels = (255 * values).round().astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_VIRIDIS)[..., ::-1])


def change(explanation: Explanation, covered: Covered) -> str:
    """Say what covering a part does: "happiness 93 % → 21 %, now neutral 60 %"."""
    face, now = explanation.face, covered.face
    text = f"{face.label} {percent(face.confidence)} → {percent(_probability(explanation, covered))}"
    return text if now.label == face.label else f"{text}, now {now.label} {percent(now.confidence)}"


def _probability(explanation: Explanation, covered: Covered) -> float:
    """Return how probable the face's label is with the part covered."""
    return covered.face.probabilities[explanation.face.labels.index(explanation.face.label)]


def explanation_html(explanation: Explanation, crop: np.ndarray) -> str:
    """Return everything about one face as HTML for any page, from a phone's width on.

    Args:
        explanation: of the face.
        crop: the upright square around it, RGB uint8 (side, side, 3).
    """
    columns = "display:grid;grid-template-columns:repeat(auto-fit,minmax(min(17rem,100%),1fr));gap:.75rem 1.5rem"
    return (
        f'<div style="font-size:.9rem;line-height:1.4">{_certainty(explanation)}'
        f'<div style="{columns}">{_heat(explanation, crop)}{_parts(explanation)}</div>'
        f'<p style="{_NOTE}">This is what the network used in the picture, not why the person looks like that, and not '
        "what they feel.</p></div>"
    )


_NOTE = "margin:.4rem 0 0;font-size:.8rem;opacity:.75"


def _certainty(explanation: Explanation) -> str:
    face, info = explanation.face, explanation.info
    sure = f"<b>{_rounded(face.confidence).capitalize()} sure</b> of {html.escape(face.label)}"
    next_one = "next, as each expression counts for itself" if info.multilabel else "nearest alternative"
    others = face.ranked()[1:2]
    nearest = "".join(f"; {next_one}: {html.escape(label)}, {_rounded(share)}" for label, share in others)
    if info.temperature != 1.0:
        note = "Calibrated: about as often right as it is sure, on the pictures it was validated with."
    else:
        note = "Not calibrated: the model may be right more or less often than it is sure."
    return f'<div>{sure}{nearest}.</div><p style="{_NOTE};margin:.1rem 0 .6rem">{note}</p>'


def _rounded(share: float) -> str:
    """Say a probability without making it certain: "over 99 %"."""
    return _tied("over 99 %" if share > 0.99 else "under 1 %" if share < 0.01 else percent(share))


def _tied(text: str) -> str:
    """Return a text for HTML whose signs stay with their numbers, and what was with what is."""
    return html.escape(text).replace(" %", "\u00a0%").replace(" → ", "\u00a0→\u00a0")


def _heat(explanation: Explanation, crop: np.ndarray) -> str:
    label = html.escape(explanation.face.label)
    if explanation.heat is None:
        return (
            '<p style="margin:0">There is no heat map: this network, as vision transformers do, keeps no map of the '
            "face. Covering parts works all the same.</p>"
        )
    rows, columns = explanation.heat.shape
    colors = ",".join("rgb({},{},{})".format(*color) for color in viridis(np.linspace(0, 1, 9)[None])[0])
    found = "" if explanation.heat.any() else f" Here no place speaks for {label}."
    return (
        '<figure style="margin:0;max-width:320px">'
        f"{_picture(heat_picture(crop, explanation.heat), f'heat map: where the network found {label}')}"
        f'<div style="height:.7rem;margin-top:.35rem;border-radius:.2rem;background:linear-gradient(90deg,{colors})">'
        '</div><div style="display:flex;justify-content:space-between;font-size:.8rem">'
        f"<span>speaks least for {label}</span><span>speaks most</span></div>"
        f'<figcaption style="{_NOTE}">Bright: where the network found {label} (Grad-CAM). It tells {columns} × {rows} '
        f"places apart, so the borders are soft.{found}</figcaption></figure>"
    )


def _parts(explanation: Explanation) -> str:
    matters = any(_changes(explanation, one, MATTERS_FROM) for one in explanation.covered)
    title = "If a part is covered" if matters else "If a part is covered: no single one decides"
    shown = [
        one
        for place, one in enumerate(explanation.covered)
        if place < SHOWN_ANYHOW or _changes(explanation, one, SHOWN_FROM)
    ]
    rows = "".join(_part(explanation, one) for one in shown)
    others = ", ".join(one.part for one in explanation.covered if one not in shown)
    rest = f'<p style="{_NOTE}">Next to nothing changes with these: {others}.</p>' if others else ""
    return f'<div><div style="font-weight:600">{title}</div>{rows}{rest}</div>'


def _changes(explanation: Explanation, covered: Covered, amount: float) -> bool:
    """Whether covering a part changes the label, or its probability by an amount, 0..1."""
    face = explanation.face
    return covered.face.label != face.label or abs(_probability(explanation, covered) - face.confidence) >= amount


def _part(explanation: Explanation, covered: Covered) -> str:
    face, pixels = explanation.face, covered.pixels
    before, after = 100 * face.confidence, 100 * _probability(explanation, covered)
    seen = np.repeat(pixels[0][..., None], 3, axis=-1) if len(pixels) == 1 else pixels.transpose(1, 2, 0)
    # Each piece stays on a line where there is room for it.
    pieces = change(explanation, covered).split(", ")
    text = ", ".join(f'<span style="display:inline-block">{_tied(piece)}</span>' for piece in pieces)
    return (
        '<div style="display:grid;grid-template-columns:3.5rem 1fr;gap:.6rem;align-items:center;margin-top:.4rem">'
        f"{_picture(np.ascontiguousarray(seen), '')}<div>Covering {covered.part}:<br>{text}"
        '<div style="position:relative;height:.4rem;margin-top:.2rem;border-radius:.2rem;background:#80879244">'
        f'<div style="position:absolute;inset:0;width:{after:.1f}%;border-radius:.2rem;'
        f'background:{color_of(face.label)}"></div>'
        f'<div style="position:absolute;top:-.15rem;bottom:-.15rem;width:2px;left:calc({before:.1f}% - 1px);'
        'background:currentColor"></div></div></div></div>'
    )


def _picture(image: np.ndarray, alt: str) -> str:
    encoded = base64.b64encode(encode_png(image)).decode()
    style = "display:block;width:100%;border-radius:.3rem"
    return f'<img src="data:image/png;base64,{encoded}" alt="{alt}" style="{style}">'


def explanation_section(name: str, explanation: Explanation, crop: np.ndarray) -> str:
    """Return what `explanation_html` does under a heading, for `explanation_page`."""
    title = _tied(f"{name}: {describe(explanation.face)}")
    return f"<section><h2>{title}</h2>{explanation_html(explanation, crop)}</section>"


def explanation_page(sections: Sequence[str]) -> str:
    """Return a whole HTML page of such sections that opens without the app and without the internet."""
    return (
        '<!doctype html>\n<html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>Why?</title><style>{_STYLE}</style><h1>Why?</h1>{''.join(sections) or '<p>No face was found.</p>'}"
        "</html>\n"
    )


_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem;background:#fff;color:#1b222c}
h2{margin:2.5rem 0 .3rem;font-size:1.2rem;overflow-wrap:anywhere}
@media(prefers-color-scheme:dark){body{background:#12161c;color:#e8ecf1}}
@media print{section{break-inside:avoid}}
"""
