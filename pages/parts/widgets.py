"""What several pages ask and show."""

import os
from collections.abc import Callable, Mapping, Sequence
from mimetypes import guess_type
from pathlib import Path
from typing import TypeVar

import numpy as np
import streamlit as st

from fer.datasets.drawing import draw_face
from fer.errors import FerError
from fer.faces import Face, difference
from fer.labels import FERPLUS
from fer.names import literal as literal
from fer.recognition.quality import concerns
from fer.reports.rendering import render
from pages.parts.session import attempt, errors_shown, lasting

Item = TypeVar("Item")
STATIC = {"staticPlot": True}
"""For charts that are only looked at: a finger that scrolls over them must not zoom them."""
NO_BAR = {"displayModeBar": False}
"""For charts that can be pointed at and zoomed, without Plotly's buttons above them."""
_LEGEND_SEEDS = (8, 12, 13, 7, 11, 12, 13, 8)
"""Of the drawn people in the legend, chosen for clear pictures of different people."""


def one_of(
    label: str, options: Sequence[str] | Mapping[str, str], key: str, on_change: Callable[[], None] | None = None
) -> str:
    """Ask for one of several, side by side; the label is for screen readers. One is always chosen, at first the first.

    In a mapping the options come with what is shown for them: ":material/upload: Upload".
    """
    shown = options if isinstance(options, Mapping) else {option: option for option in options}
    return st.segmented_control(
        label,
        list(shown),
        format_func=shown.__getitem__,
        default=next(iter(shown)),
        required=True,
        label_visibility="collapsed",
        key=key,
        on_change=on_change,
    )


def path_here(example: str, hint: str) -> Path | None:
    """Ask for a path on the machine that runs the app, and say while it is typed whether something is there.

    None while nothing is. `hint` says of what the path is asked for.
    """
    typed = st.text_input("Path", placeholder=example, help=hint, live=True).replace("\0", "").strip()
    if typed:
        # A person whom the system does not know has no folder.
        path = Path(os.path.expanduser(typed)).absolute()  # noqa: PTH111
        with errors_shown():
            if path.exists():
                return path
            raise FerError(f"expected a file or a folder, found nothing at {path}. Look for a typing error.")
    return None


def threshold_slider(unsure_below: float, unsure: str = "A face") -> float:
    """Ask under which confidence a face is called unsure; return it, 0..1. Once moved, it stays, on all pages.

    Until then it stands where the model says for the kind of faces. `unsure` is what is called so.
    """
    percent = st.slider(
        "Confidence threshold",
        0,
        100,
        format="%d %%",
        help=f"{unsure} whose most likely expression is less likely than this is called unsure. It begins where the "
        "model's validation pictures put it.",
        **lasting("threshold", st.session_state.get("threshold", round(100 * unsure_below))),
    )
    return percent / 100


def download(
    label: str, content: str | bytes | Callable[[], str | bytes], name: str, icon: str = "download", key: str = ""
) -> None:
    """Offer a file, whose name says its kind. Nothing on the page runs again when somebody takes it.

    The content may be what makes it when somebody wants it. A key is needed where the page has two files of one name.
    """
    st.download_button(
        label,
        content,
        name,
        guess_type(name)[0],
        icon=f":material/{icon}:",
        on_click="ignore",
        key=key or f"download {name}",
    )


def download_figures(stem: str, csv: Callable[[], str | bytes], json: Callable[[], str | bytes]) -> None:
    """Offer what was found as a table and as all that is known of it, in files that are called `stem`."""
    download("Table (CSV)", csv, f"{stem}.csv", "table")
    download("All figures (JSON)", json, f"{stem}.json", "data_object")


def introduce(title: str, reading: str) -> None:
    """Say what is shown below, and how to read it."""
    st.markdown(f"**{title}**")
    st.caption(reading)


def show_some(
    items: Sequence[Item], show: Callable[[Sequence[Item]], object], at_once: int, of_what: str, key: str
) -> None:
    """Show the first of many, and offer as many more with each press, of what the button says: "120 pairs"."""
    count = st.session_state.get(f"count {key}", at_once)
    show(items[:count])
    if len(items) > count and st.button(f"Show more of the {of_what}", key=f"more {key}"):
        st.session_state[f"count {key}"] = count + at_once
        st.rerun()


def text(name: str) -> str:
    """Return one of the longer texts of the pages, Markdown."""
    return Path(__file__).with_name(f"{name}.md").read_text(encoding="utf-8")


def delete_button(what: str, action: Callable[[], object]) -> None:
    """Offer to delete something, "The results are"; a second press does so, beside what it means."""
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(f"{what} deleted from the disk.")
        if st.button("Delete it", type="primary"):
            attempt(action)


def counted(number: int, one: str, many: str = "") -> str:
    """Say how many there are: "1 face", "2 faces"; `many` where an s is not enough."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def duration(seconds: float) -> str:
    """Say a time as people do: 45 s, 12 min, 2.5 h."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def clock(seconds: float) -> str:
    """Say a moment as players do: 0:07, 12:34, 1:02:03."""
    whole = int(seconds + 1e-6)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def show_concerns(face: Face, unsure_below: float) -> None:
    """Say what speaks against trusting a prediction, a line for each concern."""
    for word, meaning in concerns(face, unsure_below).items():
        st.caption(f":material/warning: {literal(f'{word}: {meaning}')}")


def show_opinions(face: Face) -> None:
    """Say where raters and the label would name different expressions; in a fold, how probable each finds them all."""
    if told := difference(face):
        with st.expander(literal(f"{told[0].upper()}{told[1:]}"), icon=":material/balance:"):
            st.html(render("opinions.html", face=face))


@st.cache_data(show_spinner=False)
def legend_html(labels: tuple[str, ...]) -> str:
    """Return each label in its colour, under a drawn face that makes it where there is one, as HTML."""
    pictures = {
        label: draw_face(label, np.random.default_rng(seed), size_px=96, strength=1.0)
        for label, seed in zip(FERPLUS, _LEGEND_SEEDS, strict=True)
    }
    return render("legend.html", labels=labels, pictures=pictures)


def smallest_face(lowest: int, usual: float) -> float:
    """Ask how small faces are looked for in videos, from the lowest percentage on; return a share of its short side."""
    meaning = "Its height as a share of the picture's shorter side. Small faces take more time to find."
    return whole_number("Smallest face", lowest, 50, 100 * usual, "%", meaning) / 100


def whole_number(label: str, lowest: int, highest: int, usual: float, unit: str, meaning: str) -> int:
    """Ask for a number of some unit, "%" or "/ s", with a slider that explains itself."""
    form = f"%d {unit.replace('%', '%%')}"
    return st.slider(label, lowest, highest, round(usual), format=form, help=meaning)
