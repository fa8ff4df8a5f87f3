"""The rows of the list of results as one component; with Streamlit's elements in each row, a page took a second."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from streamlit import session_state

from pages.parts.component import own_part
from pages.parts.picture_viewer import media_url

OPEN = "open"
"""The action of a click on the name."""
_HTML = '<div class="results"><ul class="rows"></ul><div class="menu" role="menu" popover></div></div>'
_component = own_part("result_rows", _HTML)


@dataclass(frozen=True)
class Row:
    """A result in the list."""

    id: str
    name: str
    href: str
    """The address that opens it, relative to the page of the list."""
    face: Path | None
    """The thumbnail, WebP; without one, the `icon` is shown."""
    icon: str
    """A name of Google's Material Symbols."""
    facts: Sequence[tuple[str, str]]
    """Two lines for each column."""
    is_shared: bool
    menu: Sequence[tuple[str, str]]
    """The actions: key and label."""


def result_rows(
    rows: Sequence[Row], chosen: Collection[str], going: bool, key: str, on_choose: Callable[[list[str]], None]
) -> tuple[str, str] | None:
    """Show rows, each with a checkbox, a link and a menu.

    Args:
        rows: the rows from top to bottom.
        chosen: the IDs of the selected rows.
        going: whether rows are about to change; then what shows them is rerun every 2 s.
        key: names the list on its page.
        on_choose: called with the IDs of the selected rows, of these rows, before the page is rerun.

    Returns:
        the ID of a result and the key of the action to perform, once; None if there is no action.
    """

    def take_choice() -> None:
        on_choose(list(session_state[key].chosen["ids"]))

    told = [
        asdict(row) | {"face": media_url(row.face, f"row {row.id}", "image/webp") if row.face else ""} for row in rows
    ]
    data = {"rows": told, "chosen": list(chosen), "going": going}
    asked = _component(data=data, key=key, on_chosen_change=take_choice, on_act_change=lambda: None).act
    return (asked[0], asked[1]) if asked else None
