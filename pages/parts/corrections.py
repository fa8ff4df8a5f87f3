"""Correct or confirm a reading with a click; with the owner's consent, corrections are collected as a data set."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import streamlit as st

from fer import home
from fer.faces import Face, percent
from fer.names import literal
from fer.reports.rendering import between
from fer.results.corrections import Correction, Corrections, correction_of, face_key, times_right
from pages.parts.permissions import training_allowed
from pages.parts.results import KEPT_NOTES, result_store
from pages.parts.session import attempt, errors_shown
from pages.parts.visitor import owner
from pages.parts.widgets import counted

LOOKED_AT = "dataset_looked_at"
"""In the session: the inspected data set, which changes when corrections are added or removed."""
_SAID = "corrections"
"""In the session: the key of each corrected face → the correction and the crop."""
_CLICKED, _WISH = "correction_clicked", "gather_wish"
"""In the session, until the page has run: the question that was answered with its answer; the choice to collect."""
_Said = dict[str, tuple[Correction, np.ndarray]]


def my_corrections() -> Corrections:
    """Return the corrections of the machine's owner."""
    return Corrections(home.data_folder().absolute() / "corrections")


def said_labels() -> dict[str, str]:
    """Return the labels that this visitor gave to faces, by `face_key`, in this visit or an earlier one.

    Raises:
        ResultsError: the labels cannot be read.
    """
    collected = my_corrections().all().values() if owner() == "" else ()
    here = {one.key: one.label for one, _ in _said().values()}
    return {one.key: one.label for one in collected} | result_store().labels(owner()) | here


def _said() -> _Said:
    said: _Said = st.session_state.setdefault(_SAID, {})
    return said


def ask_right(face: Face, crop: Callable[[], np.ndarray], model: str, key: str) -> None:
    """Ask whether a reading is right: one click confirms or corrects it, a second one undoes that.

    Args:
        face: the reading.
        crop: returns the upright square of the face, RGB uint8 (side, side, 3).
        model: `model_sha256` of the model file.
        key: names the question on its page.

    Raises:
        ResultsError: the corrections cannot be read.
    """
    ask_label(face, said_labels().get(face_key(face)), key, lambda label: say(face, label, crop, model))
    offer_to_gather(key)


def ask_label(face: Face, now: str | None, key: str, take: Callable[[str | None], object]) -> None:
    """Show the labels to click.

    Args:
        face: the reading.
        now: the label given before, if any.
        key: names the question on its page.
        take: called with the new label, None to remove it; may raise FerError.
    """
    question = f"right {key} {now}"
    if st.session_state.get(_CLICKED, ("",))[0] == question:
        _, chosen = st.session_state.pop(_CLICKED)
        attempt(lambda: take(chosen))
    options = [face.label, *(label for label in face.labels if label != face.label)]
    st.session_state[question] = now
    st.pills(
        "Not right? Click what the face shows",
        options + [now] * (now is not None and now not in options),
        format_func=lambda label: f":material/check: {literal(label)}" if label == face.label else literal(label),
        help="Click the first one, the model's reading, to confirm it. Click again to undo. Exports hold your label "
        "beside the model's.",
        key=question,
        on_change=lambda: st.session_state.update({_CLICKED: (question, st.session_state[question])}),
        wrap=True,
    )


def offer_to_gather(key: str) -> None:
    """Ask the owner once, after a first correction, whether to collect corrected faces."""
    if _said() and owner() == "" and my_corrections().gather is None:
        with st.container(border=True):
            st.markdown(
                "Collect the faces you correct or confirm in a data set, *My corrections*, to train a model with? They "
                "stay on this machine until you delete them on the Training page."
            )
            with st.container(horizontal=True):
                if st.button("Collect", key=f"gather {key}"):
                    attempt(_gather)
                if st.button("Don't collect", key=f"do not gather {key}"):
                    attempt(lambda: my_corrections().set_gather(False))


def say(face: Face, label: str | None, crop: Callable[[], np.ndarray], model: str) -> None:
    """Store a visitor's label for a face; None removes it. Arguments as in `ask_right`.

    Raises:
        FerError: the picture cannot be read or stored.
    """
    mine, id_ = owner() == "", face_key(face)
    st.session_state.pop(LOOKED_AT, None)
    result_store().set_label(owner(), id_, label)
    if label is None:
        _said().pop(id_, None)
        if mine:
            my_corrections().remove([id_])
        return
    _said()[id_] = correction_of(face, label, model), crop()
    if mine and my_corrections().gather:
        my_corrections().add(*_said()[id_])


def _gather() -> None:
    my_corrections().set_gather(True)
    st.session_state.pop(LOOKED_AT, None)
    for correction, crop in _said().values():
        my_corrections().add(correction, crop)


def privacy_note() -> None:
    """Show where pictures go and what is kept: of corrected faces, too, for the machine's owner."""
    with errors_shown():
        kept, faces = KEPT_NOTES[result_store().settings.keep], ""
        if owner() == "":
            faces = f" Faces you correct are kept {'for training' if my_corrections().gather else 'only if you agree'}."
        st.caption(f":material/lock: Pictures stay on the machine that runs the app. {kept}{faces}")


def show_own_faces(weights: str, labels: Sequence[str]) -> None:
    """Show how often a model, by its weights' hash and its labels, was right about the faces that the owner judged.

    Raises:
        ResultsError: the corrections cannot be read.
    """
    right, total = times_right(my_corrections().all(), weights, labels) if owner() == "" else (0, 0)
    if total:
        from fer.evaluation.intervals import share  # imports scipy, which the page does not need to open

        found = share(right, total)
        st.caption(
            f":material/thumbs_up_down: Of the **{counted(total, 'face')}** you confirmed or corrected, it was right "
            f"about {right:,}: {percent(found.value)} ({between(found, digits=0)}). This is too low if you mostly "
            "corrected mistakes."
        )


def corrections_path() -> Path | None:
    """Show the collected corrections and let their owner delete them; return the data set, None while it is empty."""
    kept = my_corrections()
    if (wish := st.session_state.pop(_WISH, None)) is not None:
        attempt(lambda: kept.set_gather(wish))
    found, key = kept.all(), "gather_corrections"
    st.session_state[key] = bool(kept.gather)  # somebody may have changed it in another tab
    st.toggle(
        "Collect the faces I correct or confirm",
        key=key,
        on_change=lambda: st.session_state.update({_WISH: st.session_state[key]}),
    )
    if not found:
        st.caption("None yet. Correct or confirm readings on the Photo, Many photos and Video pages.")
        return None
    right = sum(one.was_right for one in found.values())
    st.markdown(f"{counted(len(found), 'face')}: {right:,} confirmed, {len(found) - right:,} corrected.")
    if training_allowed():
        with st.popover("Delete", icon=":material/delete:"):
            _offer_deletion(kept, list(found.values()))
    return kept.folder


def _offer_deletion(kept: Corrections, found: Sequence[Correction]) -> None:
    one = st.selectbox(
        "Face",
        list(reversed(found)),
        None,
        format_func=lambda one: f"{one.label} (the model: {one.model_label}) · {one.key[:6]}",
    )
    if one:
        st.image(kept.folder / one.path, width=96, alt=one.label)
        if st.button("Delete this one"):
            attempt(lambda: _forget(kept, [one.key]))
    if st.button("Delete all", type="primary"):
        attempt(lambda: _forget(kept, [one.key for one in found]))


def _forget(kept: Corrections, keys: Sequence[str]) -> None:
    kept.remove(keys)
    st.session_state.pop(LOOKED_AT, None)
    for key in keys:
        _said().pop(key, None)
        result_store().set_label(owner(), key, None)
