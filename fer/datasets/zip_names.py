"""Decode the names in a ZIP: archives without the flag for UTF-8 do not say which encoding they use."""

import re
import unicodedata
import zipfile
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from fer.errors import DatasetError

ENCODINGS = ("cp437", "cp866", "cp932")
"""The encodings of Western, Russian and Japanese Windows; UTF-8 is tried first, since other names are rarely valid."""
_RARE_KANJI = 0x98
"""First byte in cp932 of level 2 characters, which are rare in names."""


def true_names(entries: Sequence[zipfile.ZipInfo], file: Path) -> list[str]:
    """Return the name of each entry, in the encoding in which all names look most like words.

    Raises:
        DatasetError: no encoding gives words, or several do equally well.
    """
    names = [entry.filename for entry in entries]
    raw = [_bytes(entry) for entry in entries]
    unsure = b"/".join(sorted({part for name in raw if name for part in name.split(b"/")}))
    if unsure.isascii():
        return names
    best = ["utf-8"] if _decoded(unsure, "utf-8") else _most_like_words(unsure)
    if len(best) != 1:
        found = next(part for part in unsure.split(b"/") if not part.isascii())
        readings = " or ".join(found.decode(encoding) for encoding in best) or ascii(found.decode("cp437"))
        raise DatasetError(
            f"expected names in UTF-8 in {file}, found one that may be {readings[:100]}. Create the ZIP again with "
            "names in UTF-8, or with plain letters."
        )
    return [name if bytes_ is None else bytes_.decode(best[0]) for name, bytes_ in zip(names, raw, strict=True)]


def _bytes(entry: zipfile.ZipInfo) -> bytes | None:
    """Return a name's bytes in the archive, None if it declares its encoding."""
    if entry.flag_bits & 0x800:
        return None
    try:
        return entry.filename.encode("cp437")  # as zipfile decoded it
    except UnicodeEncodeError:
        return None  # from an extra field with the name in UTF-8


def _decoded(raw: bytes, encoding: str) -> str:
    """Return bytes as text, "" if they are invalid in this encoding."""
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return ""


def _most_like_words(raw: bytes) -> list[str]:
    """Return the encodings in which the names look least odd; none if all have signs or boxes."""
    texts = {encoding: _decoded(raw, encoding) for encoding in ENCODINGS}
    odd = {encoding: _oddness(text) for encoding, text in texts.items() if text and all(map(_is_of_names, text))}
    return [encoding for encoding in odd if odd[encoding] == min(odd.values())]


def _is_of_names(char: str) -> bool:
    """Whether a character is common in names: a letter, a digit, Japanese punctuation, no half-width kana."""
    east = "\u3000" <= char <= "\u303f" or "\uff01" <= char <= "\uff5e"
    return char.isascii() or east or (unicodedata.category(char)[0] in "LMN" and char < "\uff61")


def _oddness(text: str) -> int:
    """Return how odd a text looks: changes of script, or to upper case, within words; characters rare in names."""
    changes = sum(
        _script(one) != _script(other) or (one.islower() and other.isupper())
        for word in re.findall(r"[^\W\d_]+", text)
        for one, other in pairwise(word)
        if not (one + other).isascii()
    )
    return changes + sum(char > "\u2fff" and char.encode("cp932")[0] >= _RARE_KANJI for char in text)


def _script(letter: str) -> str:
    """Return the script of a letter; all scripts of Japanese count as one."""
    first = unicodedata.name(letter, "").partition(" ")[0]
    return "CJK" if first in ("HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "IDEOGRAPHIC") else first
