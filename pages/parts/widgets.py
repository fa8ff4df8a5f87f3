"""Widgets that several pages use."""

import os
from collections.abc import Callable, Mapping, Sequence
from mimetypes import guess_type
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import streamlit as st

from fer.datasets.drawing import draw_face
from fer.errors import FerError
from fer.faces import NOT_HUMAN, Face, difference
from fer.labels import FERPLUS
from fer.names import as_cell, literal, not_a_formula
from fer.recognition.quality import NOT_HUMAN_MEANS, concerns
from fer.reports.rendering import render
from pages.parts.session import attempt, errors_shown, lasting

Item = TypeVar("Item")
Params = ParamSpec("Params")
STATIC = {"staticPlot": True}
"""For charts without interaction, so that scrolling over them on a phone does not zoom them."""
NO_BAR = {"displayModeBar": False}
"""For interactive charts without Plotly's toolbar."""
_LEGEND_SEEDS = (8, 12, 13, 7, 11, 12, 13, 8)
"""Seeds of the drawn faces in the legend, picked for clear pictures of different people."""


def fragment(function: Callable[Params, None], run_every: float | None = None) -> Callable[Params, None]:
    """Return a function whose part of the page is rerun by itself: after each action in it and every so many seconds.

    It has a container of its own. When a busy server reruns a fragment, it drops the fragment's elements that are not
    sent yet; without the container, the elements below would move up, and the rerun would replace them.
    """

    def show(*args: Params.args, **kwargs: Params.kwargs) -> None:
        with st.container():
            st.fragment(function, run_every=run_every)(*args, **kwargs)

    return show


def one_of(
    label: str, options: Sequence[str] | Mapping[str, str], key: str, on_change: Callable[[], None] | None = None
) -> str:
    """Ask for one of several options side by side; the first is selected at the start.

    Args:
        label: for screen readers.
        options: the options, or a mapping of each to what is shown for it: ":material/upload: Upload".
        key: of the widget.
        on_change: called when another option is selected.
    """
    shown = options if isinstance(options, Mapping) else {option: option for option in options}
    first = next(iter(shown))
    # A default beside a value that a page has set makes Streamlit print a traceback.
    chosen = st.segmented_control(
        label,
        list(shown),
        format_func=shown.__getitem__,
        default=None if key in st.session_state else first,
        required=True,
        label_visibility="collapsed",
        key=key,
        on_change=on_change,
    )
    return first if chosen is None else chosen


def path_here(example: str, hint: str) -> Path | None:
    """Ask for a path on the machine that runs the app and check it while it is typed; return None until it exists.

    Args:
        example: the placeholder.
        hint: what the path should point to.
    """
    typed = st.text_input("Path", placeholder=example, help=hint, live=True).replace("\0", "").strip()
    if typed:
        # Path.expanduser raises for an unknown user; this leaves the path as it is.
        path = Path(os.path.expanduser(typed)).absolute()  # noqa: PTH111
        with errors_shown():
            if path.exists():
                return path
            raise FerError(f"expected a file or a folder, found nothing at {path}. Check the spelling.")
    return None


def cells(rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Return the rows of a table for `st.dataframe`, whose CSV button would let names run as formulas."""
    return [{not_a_formula(name): as_cell(value) for name, value in row.items()} for row in rows]


def threshold_slider(unsure_below: float, unsure: str = "A face") -> float:
    """Ask for the confidence threshold and return it, 0..1. Once moved, it applies to all pages.

    Args:
        unsure_below: the model's threshold for the kind of faces, 0..1, where the slider starts.
        unsure: what is called unsure, "A face".
    """
    percent = st.slider(
        "Confidence threshold",
        0,
        100,
        format="%d %%",
        help=f"{unsure} is called unsure if its confidence is lower. The default was chosen on validation pictures.",
        **lasting("threshold", st.session_state.get("threshold", round(100 * unsure_below))),
    )
    return percent / 100


def download(
    label: str, content: str | bytes | Callable[[], str | bytes], name: str, icon: str = "download", key: str = ""
) -> None:
    """Offer a file for download without rerunning the page.

    Args:
        label: of the button.
        content: the file, or a function that makes it on demand.
        name: of the file; its suffix gives the MIME type.
        icon: a Material symbol.
        key: needed if the page offers two files of the same name.
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
    """Offer results as a table and in full detail, in files named `stem`."""
    download("Table (CSV)", csv, f"{stem}.csv", "table")
    download("All figures (JSON)", json, f"{stem}.json", "data_object")


def introduce(title: str, reading: str) -> None:
    """Show the title of what follows and how to read it."""
    st.markdown(f"**{title}**")
    st.caption(reading)


def show_some(
    items: Sequence[Item], show: Callable[[Sequence[Item]], object], at_once: int, of_what: str, key: str
) -> None:
    """Show the first `at_once` items and a button that shows more of them; `of_what` names them: "120 pairs"."""
    count = st.session_state.get(f"count {key}", at_once)
    show(items[:count])
    if len(items) > count and st.button(f"Show more of the {of_what}", key=f"more {key}"):
        st.session_state[f"count {key}"] = count + at_once
        st.rerun()


def text(name: str) -> str:
    """Return one of the pages' longer texts as Markdown."""
    return Path(__file__).with_name(f"{name}.md").read_text(encoding="utf-8")


def delete_button(what: str, action: Callable[[], object], key: str = "") -> None:
    """Offer to delete something after a confirmation, which says what is deleted: "The results are".

    Several of them on a page need a `key` each.
    """
    with st.popover("Delete", icon=":material/delete:"):
        st.markdown(f"{what} deleted from the disk.")
        if st.button("Delete it", type="primary", key=f"delete {key}"):
            attempt(action)


def counted(number: int, one: str, many: str = "") -> str:
    """Return a count with its noun: "1 face", "2 faces"; `many` for an irregular plural."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def duration(seconds: float) -> str:
    """Return a duration for people: 45 s, 12 min, 2.5 h."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"


def clock(seconds: float) -> str:
    """Return a time as video players show it: 0:07, 12:34, 1:02:03."""
    whole = int(seconds + 1e-6)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def show_concerns(face: Face, unsure_below: float) -> None:
    """Show the reasons not to trust a reading, one line each."""
    for word, meaning in concerns(face, unsure_below).items():
        st.caption(f":material/warning: {literal(f'{word}: {meaning}')}")


def show_not_human(person: str) -> None:
    """Say that a person in a video may not be one."""
    st.caption(f":material/warning: {literal(f'{person} {NOT_HUMAN}: {NOT_HUMAN_MEANS}.')}")


def show_opinions(face: Face) -> None:
    """Say whether raters and label would name different expressions, with both sets of probabilities in a fold."""
    if told := difference(face):
        with st.expander(literal(f"{told[0].upper()}{told[1:]}"), icon=":material/balance:"):
            st.html(render("opinions.html", face=face))


@st.cache_data(show_spinner=False)
def legend_html(labels: tuple[str, ...]) -> str:
    """Return HTML with each label in its color and, if there is one, a drawn face that shows it."""
    pictures = {
        label: draw_face(label, np.random.default_rng(seed), size_px=96, strength=1.0)
        for label, seed in zip(FERPLUS, _LEGEND_SEEDS, strict=True)
    }
    return render("legend.html", labels=labels, pictures=pictures)


def smallest_face(lowest: int, usual: float) -> float:
    """Ask for the smallest face to look for; return its height as a share of the picture's shorter side."""
    meaning = "Its height as a share of the picture's shorter side. Smaller faces take longer to find."
    return whole_number("Smallest face", lowest, 50, 100 * usual, "%", meaning) / 100


def whole_number(label: str, lowest: int, highest: int, usual: float, unit: str, meaning: str) -> int:
    """Ask for a number with a unit, "%" or "/ s", on a slider."""
    form = f"%d {unit.replace('%', '%%')}"
    return st.slider(label, lowest, highest, round(usual), format=form, help=meaning)
