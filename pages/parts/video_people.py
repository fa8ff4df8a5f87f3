"""The people in a video: name, merge and hide them, and undo that."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from fer.charts.timeline import shown_people
from fer.names import literal
from fer.video.notes import MOST_LETTERS, Notes, can_undo, keep_notes, undo_notes
from fer.video.timeline import Timeline
from pages.parts.session import attempt
from pages.parts.widgets import show_not_human

PENDING = "video_note"
"""In the session: a change of the notes to make when the page runs next."""
Change = Callable[[Callable[[Notes], Notes]], object]
"""Applies a function to the notes, saves them, and reruns the page."""


def note(change: Callable[[Notes], Notes]) -> None:
    """Change the notes when the page runs next; for callbacks."""
    st.session_state[PENDING] = change


def show_people(folder: Path, told: Timeline, notes: Notes, changed: Callable[[], object]) -> None:
    """Show the people, with widgets to name, merge and hide them.

    Args:
        folder: the folder with the notes.
        told: the timeline with the notes applied.
        notes: the current notes.
        changed: called when the notes have changed.
    """

    def keep(change: Callable[[Notes], Notes]) -> None:
        attempt(partial(keep_notes, folder, change, changed))

    with st.expander("People", icon=":material/group:"):
        st.caption("Names, merges and hidden people apply to the charts, the chapters and all exports.")
        people = shown_people(told)
        for person in people:
            _show_person(person, people, told, keep)
        for person, into in sorted(notes.merged.items()):
            what = f"Person {person} is {literal(told.name_of(into))}"
            _show_undone(what, "Split", f"split {person}", partial(keep, partial(Notes.split, person=person)))
        for person in sorted(notes.hidden):
            back = partial(keep, partial(Notes.with_hidden, person=person, hide=False))
            _show_undone(f"Person {person} is hidden", "Show", f"show {person}", back)
        if can_undo(folder) and st.button("Undo the last change", icon=":material/undo:"):
            attempt(partial(undo_notes, folder, changed))


def _show_person(person: int, people: list[int], told: Timeline, keep: Change) -> None:
    name = told.names.get(person, "")
    best = max((peak for peak in told.peaks if peak.person == person), key=lambda one: one.confidence, default=None)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if best:
            st.image(best.thumbnail, width=56, alt=told.name_of(person))
        name_key = f"name {person} {name}"

        def take_name() -> None:
            note(partial(Notes.named, person=person, name=st.session_state[name_key]))

        st.text_input(
            f"Name of person {person}",
            name,
            MOST_LETTERS,
            name_key,
            width=200,
            placeholder="Name",
            on_change=take_name,
        )
        others = [other for other in people if other != person]
        if others:
            same_key = f"merge {person} {others}"

            def take_same() -> None:
                if same := st.session_state[same_key]:
                    note(partial(Notes.with_merged, person=person, into=same))

            st.selectbox(
                "Same person as",
                others,
                None,
                told.name_of,
                same_key,
                placeholder="nobody else",
                width=170,
                on_change=take_same,
            )
        if st.button("Hide", f"hide {person}", icon=":material/visibility_off:"):
            keep(lambda was: was.with_hidden(person))
    if person in told.doubted:
        show_not_human(told.name_of(person))
    if person in told.ghosts:
        st.caption(
            f":material/blur_on: Person {person} was in view only briefly, or is a second box on somebody's face. "
            "They have no key moments."
        )


def _show_undone(what: str, label: str, key: str, back: Callable[[], object]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(what, width="content")
        if st.button(label, key, icon=":material/undo:"):
            back()
