"""Expression names: label sets, the synonyms of data sets, and colors.

A model's labels are those that it was trained on: the eight of FER+, the seven of FER2013, or a user's own. Known
synonyms ("angry", "happy", …) are mapped to one label; any other word is kept unchanged.
"""

import hashlib
import re
from functools import lru_cache

FERPLUS: tuple[str, ...] = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
"""The eight expressions of FER+, in the order of its files (Barsoum et al. 2016, arXiv:1608.01041)."""

FER2013: tuple[str, ...] = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")
"""The seven expressions of FER2013, in the order of its class numbers 0 to 6 (Goodfellow et al. 2013)."""

_SYNONYMS: dict[str, tuple[str, ...]] = {
    "neutral": ("neutrality", "calm"),
    "happiness": ("happy", "joy", "smile", "smiling"),
    "surprise": ("surprised", "suprise", "suprised"),
    "sadness": ("sad",),
    "anger": ("angry", "rage"),
    "disgust": ("disgusted",),
    "fear": ("fearful", "afraid", "scared"),
    "contempt": ("contemptuous",),
}
_CANONICAL = {word: label for label, words in _SYNONYMS.items() for word in (label, *words)}
_FILLERS = re.compile(
    "(a|class|emotion|expression|face|facial|feeling|image|img|label|people|person|photo|pic|picture)(s|es)?"
)
"""Words that carry no meaning here: "happy faces" are happy."""

COLORS: dict[str, str] = {
    "neutral": "#8A8F98",
    "happiness": "#E69F00",
    "surprise": "#56B4E9",
    "sadness": "#0072B2",
    "anger": "#D55E00",
    "disgust": "#009E73",
    "fear": "#CC79A7",
    "contempt": "#7B5EA7",
}
"""sRGB hex colors after Okabe and Ito (2008), distinguishable with every common form of color blindness; their black
and yellow, unreadable on one of the two themes, are replaced by a gray and a violet."""

_OTHER_COLORS = ("#B07AA1", "#59A14F", "#9C755F", "#499894", "#D37295", "#79706E", "#B6992D", "#4E79A7")


def canonical_label(word: str) -> str:
    """Return the canonical label for a data set's word: "Angry", "0_angry" and "angryFaces" → "anger".

    A word that names no expression, or two, or says more ("not happy"), is only stripped.
    """
    named = {_CANONICAL.get(part) for part in _words(word) if not _FILLERS.fullmatch(part)}
    return (named.pop() if len(named) == 1 else None) or word.strip()


def expressions_in(word: str) -> set[str]:
    """Return the known expressions mentioned in a word: "not happy" → {"happiness"}."""
    return {_CANONICAL[part] for part in _words(word) if part in _CANONICAL}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())


@lru_cache(maxsize=500)
def color_of(label: str) -> str:
    """Return the color of a label as "#RRGGBB"; an unknown label gets the same color every time."""
    color = COLORS.get(canonical_label(label))
    if color is None:
        digest = hashlib.sha256(label.encode()).digest()  # hash() differs between processes
        color = _OTHER_COLORS[digest[0] % len(_OTHER_COLORS)]
    return color
