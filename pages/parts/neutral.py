"""A person's own neutral on the webcam page and the video page: set, shown beside what was read, undone."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from fer.faces import describe, difference
from fer.video.neutral import MEDIAN, NEUTRAL_SECONDS, Baseline, neutral_moment
from fer.video.timeline import Timeline
from fer.video.tracking import TrackedFace
from pages.parts.session import attempt
from pages.parts.widgets import literal

if TYPE_CHECKING:
    from fer.video.stream import LiveStream

OWN_NEUTRAL = (
    "Faces differ at rest: some look sad or angry when they are not. What a face at rest differs by from the average "
    "neutral face is then taken off all that is said of that person."
)
NO_NEUTRAL = (
    "Nobody's own neutral can be taken off, as this model does not know the average neutral face: it has no label "
    "called neutral, or an earlier version trained it. The FER+ model that is shipped knows it."
)
THIS_IS, UNDO = "This is my neutral face", "Undo"


def reading(face: TrackedFace, unsure_below: float = 0.0) -> str:
    """Say what a face shows, and what was read if the own neutral is taken off: "neutral 71 % · raw sadness 52 %"."""
    shown = f"**{literal(describe(face) if face.confidence >= unsure_below else 'unsure')}**"
    return f"{shown} · raw {literal(describe(face.raw))}" if face.raw else shown


def show_people(stream: "LiveStream") -> None:
    """Show what each person in view shows, with a button that takes the next three seconds for neutral or undoes it."""
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
                undo, about = analyzer.forget_neutral, f"Of {name}."
                st.button(UNDO, f"undo_neutral_{person}", about, undo, (person,), icon=":material/undo:")
            elif face and analyzer.recorder.neutral and not left:
                ask, about = analyzer.ask_neutral, f"{OWN_NEUTRAL} Look neutral for three seconds: {name}."
                st.button(THIS_IS, f"neutral_{person}", about, ask, (person,), icon=":material/sentiment_neutral:")
        if face and (differs := difference(face)):
            st.caption(f"person {person}: {literal(differs)}")
    if analyzer.neutral_problem:
        st.warning(literal(analyzer.neutral_problem), icon=":material/sentiment_neutral:")
    if not analyzer.recorder.neutral:
        st.caption(NO_NEUTRAL)


def show_baselines(seen: Timeline, forget: Callable[[int], object]) -> None:
    """Say whose own neutral is taken off, with a button for each that undoes it."""
    for person, baseline in sorted(seen.baselines.items()):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(f"Person {person}: {_how(baseline)} The files hold what was read, too.", width="content")
            if st.button(UNDO, icon=":material/undo:", key=f"undo_neutral_{person}"):
                attempt(partial(forget, person))


def _how(baseline: Baseline) -> str:
    what = f"{baseline.starts:.1f} s to {baseline.ends:.1f} s"
    if baseline.how == MEDIAN:
        what = f"the median of {baseline.readings:,} readings"
    return f"own neutral taken off ({what}, times {baseline.strength:g})."


def offer_neutral(seen: Timeline, person: int, moment: float) -> Timeline | None:
    """Offer to take a person's next three seconds for neutral; return the timeline that follows when somebody does.

    Raises:
        VideoError: the person is not seen for long enough in them.
    """
    if not seen.neutral:
        st.caption(NO_NEUTRAL)
    elif person not in seen.baselines:
        about = f"{OWN_NEUTRAL} Taken for neutral: person {person}, three seconds from {moment:.1f} s on."
        if st.button(THIS_IS, icon=":material/sentiment_neutral:", help=about):
            baseline = neutral_moment(seen.rows, person, seen.neutral, moment)
            return replace(seen, baselines={**seen.baselines, person: baseline})
    return None
