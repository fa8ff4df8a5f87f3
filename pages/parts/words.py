"""What the pages call the options of the commands, which errors, notes and explanations name."""

import re

_OTHERWISE = {"init": "Start from"}


def caption_of(name: str) -> str:
    """Return what an option, or a field of a configuration, is called on the pages: "--soft-labels" → "Soft labels"."""
    plain = re.sub("[_-]+", " ", name).strip()
    return _OTHERWISE.get(plain, plain.capitalize())


def in_words(text: str) -> str:
    """Return a text that names options, in the words of the pages: "Check --soft-labels." → "Check “Soft labels”."."""
    return re.sub(r"(?<![\w-])--[a-z][\w-]*\b", lambda option: f"“{caption_of(option[0])}”", text)
