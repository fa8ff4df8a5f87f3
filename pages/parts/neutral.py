"""A person's own neutral on the webcam and video pages: set it, show it beside the raw reading, undo it."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from fer.faces import describe, difference
from fer.names import literal
from fer.video.neutral import MEDIAN, NEUTRAL_SECONDS, Baseline, neutral_moment
from fer.video.timeline import Timeline
from fer.video.tracking import TrackedFace
from pages.parts.session import attempt
from pages.parts.widgets import show_not_human

if TYPE_CHECKING:
    from fer.video.stream import LiveStream

OWN_NEUTRAL = (
    "Some faces look sad or angry at rest. The difference between this person's resting face and the average neutral "
    "face is subtracted from all their readings."
)
NO_NEUTRAL = (
    "This model cannot use an own neutral: it has no label called neutral, or an earlier version trained it. The "
    "built-in FER+ model can."
)
THIS_IS, UNDO = "This is my neutral face", "Undo"


def reading(face: TrackedFace, unsure_below: float = 0.0) -> str:
    """Return what a face shows, with the raw reading if an own neutral is set: "neutral 71 % · raw sadness 52 %"."""
    shown = f"**{literal(describe(face) if face.confidence >= unsure_below else 'unsure')}**"
    return f"{shown} · raw {literal(describe(face.raw))}" if face.raw else shown


def show_people(stream: "LiveStream") -> None:
    """Show the reading of each person in view, with a button that sets their own neutral or undoes it."""
    analyzer, faces = stream.analyzer, {face.track_id or 0: face for face in stream.faces}
    baselines, left = analyzer.recorder.baselines, analyzer.neutral_left
    for person in sorted({*faces, *baselines, *(left[:1] if left else ())}):
        face, name = faces.get(person), f"person {person}"
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            said = reading(face, analyzer.settings.threshold) if face else "not in view"
            st.markdown(f"{name}: {said}", width="content")
            if left and left[0] == person:
                st.progress(1 - min(left[1] / NEUTRAL_SECONDS, 1.0), f"Stay neutral: {left[1]:.0f} s", width=200)
            elif person in baselines:
                undo, about = analyzer.forget_neutral, f"Forget the own neutral of {name}."
                st.button(UNDO, f"undo_neutral_{person}", about, undo, (person,), icon=":material/undo:")
            elif face and analyzer.recorder.neutral and not left:
                ask, about = analyzer.ask_neutral, f"{OWN_NEUTRAL} Then {name} looks neutral for three seconds."
                st.button(THIS_IS, f"neutral_{person}", about, ask, (person,), icon=":material/sentiment_neutral:")
        if face and not face.looks_human:
            show_not_human(name)
        if face and (differs := difference(face)):
            st.caption(f"person {person}: {literal(differs)}")
    if analyzer.neutral_problem:
        st.warning(literal(analyzer.neutral_problem), icon=":material/sentiment_neutral:")
    if not analyzer.recorder.neutral:
        st.caption(NO_NEUTRAL)


def show_baselines(seen: Timeline, forget: Callable[[int], object]) -> None:
    """Show whose own neutral is set, with a button that undoes each."""
    for person, baseline in sorted(seen.baselines.items()):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"Person {person}: {_how(baseline)} Exports also hold the raw readings.", width="content")
            if st.button(UNDO, icon=":material/undo:", key=f"undo_neutral_{person}"):
                attempt(partial(forget, person))


def _how(baseline: Baseline) -> str:
    what = f"{baseline.starts:.1f} s to {baseline.ends:.1f} s"
    if baseline.how == MEDIAN:
        what = f"the median of {baseline.readings:,} readings"
    return f"own neutral subtracted ({what}, strength {baseline.strength:g})."


def offer_neutral(seen: Timeline, person: int, moment: float) -> Baseline | None:
    """Offer to use a person's next three seconds as their own neutral; return that when somebody does.

    Raises:
        VideoError: the person is not visible for long enough.
    """
    if not seen.neutral:
        st.caption(NO_NEUTRAL)
    elif person not in seen.baselines:
        about = f"{OWN_NEUTRAL} Uses person {person} in the three seconds after {moment:.1f} s."
        if st.button(THIS_IS, icon=":material/sentiment_neutral:", help=about):
            return neutral_moment(seen.rows, person, seen.neutral, moment)
    return None
