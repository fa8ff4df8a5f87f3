"""Names that other people chose, of files, labels and models: whatever stands in them is text, wherever it is shown."""

import html
import re

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What terminals obey, what ends a line, what turns the reading direction, and halves of characters."""
_MARKUP = re.compile(r"[\\`*{}\[\]:~$<>|&]|(?<!\w)_|_(?!\w)")
_BEGINS_A_BLOCK = re.compile(r"^(\d*)([#+\-.)=])(?=[#=\-\s]|$)")
_TURNED_LATER = re.compile(r":(?=//|[\w+-]+[:/])|@|-(?=[->])|<(?=-)|www(?=\.)", re.IGNORECASE)
"""What is made links, icons and arrows of only after Markdown was read, whether it was escaped or not."""
_REFUSED_BY_WINDOWS = re.compile(
    r"""(con|prn|aux|nul|com\d|lpt\d)[ ]*(\..*)?|.*[<>:"|?*\x00-\x1f].*|.*[ .]""", re.IGNORECASE | re.DOTALL
)
"""Devices, whatever follows the dot; signs that mean something else; ends that are cut off."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_JOINER = "\u2060"


def printable(text: str) -> str:
    """Return a text for a terminal, in one line: � stands for what a terminal would obey instead of showing it."""
    return _CONTROLS.sub("\ufffd", text)


def literal(text: str) -> str:
    """Return a text so that Markdown, also Streamlit's, shows it as it is, in one line."""
    line = printable(" ".join(text.split()))
    escaped = _MARKUP.sub(r"\\\g<0>", _TURNED_LATER.sub(rf"\g<0>{_JOINER}", line))
    return _BEGINS_A_BLOCK.sub(r"\1\\\2", escaped)


def is_refused_by_windows(name: str) -> bool:
    """Whether Windows has no file or folder of such a name, or takes it for another one."""
    return bool(_REFUSED_BY_WINDOWS.fullmatch(name))


def in_chart(text: str) -> str:
    """Return a text so that Plotly, which knows some HTML and %{…}, shows it as it is."""
    return html.escape(printable(text), quote=False).replace("%{", "%&#123;")


def not_a_formula(text: str) -> str:
    """Return a text for a cell of a table; spreadsheets would run a hostile one as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def from_cell(text: str) -> str:
    """Return the text that `not_a_formula` was given."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
