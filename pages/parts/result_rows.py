"""The rows of the list of results, as one part: with elements of Streamlit's for each, a page would take a second."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from streamlit import session_state

from pages.parts.component import own_part
from pages.parts.picture_viewer import media_url

OPEN = "open"
"""What a press on the name asks for."""
_HTML = '<div class="results"><ul class="rows"></ul><div class="menu" role="menu" popover></div></div>'
_component = own_part("result_rows", _HTML)


@dataclass(frozen=True)
class Row:
    """What the list says of a result."""

    id: str
    name: str
    href: str
    """Where it is opened, from the page of the list on."""
    face: Path | None
    """WebP; where there is none, the `icon` stands for it."""
    icon: str
    """A name of Google's Material Symbols."""
    facts: Sequence[tuple[str, str]]
    """Two lines for each column."""
    menu: Sequence[tuple[str, str]]
    """What can be done with it: its key, and what people read."""


def result_rows(
    rows: Sequence[Row], chosen: Collection[str], key: str, on_choose: Callable[[list[str]], None]
) -> tuple[str, str] | None:
    """Show rows, each with a box to choose it, a link and a menu.

    Args:
        rows: from the top.
        chosen: the IDs of those that are.
        key: names the list on its page.
        on_choose: is called with the IDs of those that are chosen, before the page runs again.

    Returns:
        the ID of a result and the key of what is to be done with it, once; None where nothing is.
    """

    def take_choice() -> None:
        on_choose(list(session_state[key].chosen))

    told = [
        asdict(row) | {"face": media_url(row.face, f"row {row.id}", "image/webp") if row.face else ""} for row in rows
    ]
    data = {"rows": told, "chosen": list(chosen)}
    asked = _component(data=data, key=key, on_chosen_change=take_choice, on_act_change=lambda: None).act
    return (asked[0], asked[1]) if asked else None


def _told(row: Row) -> dict[str, Any]:
    return asdict(row) | {"face": media_url(row.face, f"row {row.id}", "image/webp") if row.face else ""}
