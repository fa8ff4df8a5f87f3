"""Names chosen by others (of files, labels, models): escape them, so that they are shown as text everywhere."""

import html
import re
from typing import Any

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters of terminals, line ends, changes of the reading direction, and surrogates."""
_MARKUP = re.compile(r"[\\`*{}\[\]:~$<>|&]|(?<!\w)_|_(?!\w)")
_BEGINS_A_BLOCK = re.compile(r"^(\d*)([#+\-.)=])(?=[#=\-\s]|$)")
_TURNED_LATER = re.compile(r":(?=//|[\w+-]+[:/])|@|-(?=[->])|<(?=-)|www(?=\.)", re.IGNORECASE)
"""Links, icons and arrows that Streamlit replaces after Markdown is parsed, escaped or not."""
_REFUSED_BY_WINDOWS = re.compile(
    r"""(con|prn|aux|nul|com\d|lpt\d)[ ]*(\..*)?|.*[<>:"|?*\x00-\x1f].*|.*[ .]""", re.IGNORECASE | re.DOTALL
)
"""Device names, whatever their suffix; special characters; endings that Windows strips."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_JOINER = "\u2060"


def printable(text: str) -> str:
    """Return a text for a terminal, in one line, with � for each control character."""
    return _CONTROLS.sub("\ufffd", text)


def literal(text: str) -> str:
    """Return a text escaped for Markdown, including Streamlit's, in one line."""
    line = printable(" ".join(text.split()))
    escaped = _MARKUP.sub(r"\\\g<0>", _TURNED_LATER.sub(rf"\g<0>{_JOINER}", line))
    return _BEGINS_A_BLOCK.sub(r"\1\\\2", escaped)


def is_refused_by_windows(name: str) -> bool:
    """Whether Windows cannot have a file or folder of this name, or takes it for another one."""
    return bool(_REFUSED_BY_WINDOWS.fullmatch(name))


def in_chart(text: str) -> str:
    """Return a text escaped for Plotly, which interprets some HTML and %{…}."""
    return html.escape(printable(text), quote=False).replace("%{", "%&#123;")


def not_a_formula(text: str) -> str:
    """Return a text for a table cell that spreadsheets will not run as a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def as_cell(value: Any) -> Any:
    """Return a value for a table cell: a text by `not_a_formula`, anything else as it is."""
    return not_a_formula(value) if isinstance(value, str) else value


def from_cell(text: str) -> str:
    """Return the text that was passed to `not_a_formula`."""
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text
