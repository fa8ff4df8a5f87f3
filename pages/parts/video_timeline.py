"""The player with its timeline, and what may be said of what it shows: who is who, markers, whose face is neutral."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from fer.charts.timeline import shown_people
from fer.video.neutral import Baseline
from fer.video.notes import Notes, is_drawn_as_noted, keep_notes, read_notes
from fer.video.timeline import VALENCE, Timeline
from pages.parts.neutral import offer_neutral, show_baselines
from pages.parts.session import attempt, errors_shown
from pages.parts.video_people import PENDING, note, show_people
from pages.parts.video_player import video_player
from pages.parts.video_readings import Source, show_readings
from pages.parts.widgets import literal

PLAYED_MB = 150
"""A larger video is read into memory only when somebody asks for it."""


def told(folder: Path, seen: Timeline) -> Timeline:
    """Return what was seen as the notes in a job's folder say; made once as long as they stay."""
    notes = read_notes(folder)
    known: tuple[Timeline, Notes, Timeline] | None = st.session_state.get("video_told")
    if known is None or known[0] is not seen or known[1] != notes:
        known = st.session_state["video_told"] = seen, notes, notes.applied(seen)
    return known[2]


def show_timeline(
    folder: Path,
    seen: Timeline,
    videos: dict[Path, float],
    source: Source,
    changed: Callable[[], object],
) -> None:
    """Show who showed what when, tied to the video.

    Args:
        folder: of the job.
        seen: in the video, as it is kept there.
        videos: that may be played, the best first, if they are there, and the moment at which each begins.
        source: of what was seen.
        changed: is called when the notes are others.
    """
    if change := st.session_state.pop(PENDING, None):
        attempt(partial(keep_notes, folder, change, changed))
    shown, notes = told(folder, seen), read_notes(folder)
    raw = bool(shown.baselines) and st.toggle("Raw reading", key="video_raw", help="Nobody's own neutral is taken off.")
    result = shown.raw if raw else shown
    moments = result.key_moments()
    first = moments[0].seconds if moments else result.starts
    moment: float = st.session_state.setdefault("video_moment", first)
    video = next((path for path in videos if path.is_file()), None)
    size_mb = video.stat().st_size / 2**20 if video else 0.0
    if size_mb > PLAYED_MB and not st.toggle(f"Play the video here ({size_mb:.0f} MB)", key="video_play"):
        video = None

    video_player(
        result,
        video,
        videos[video] if video else 0.0,
        moment,
        "video_player",
        lambda seconds: st.session_state.update(video_moment=seconds),
        lambda seconds, text: note(lambda was: was.marked(seconds, text)),
        lambda marker: note(lambda was: was.unmarked(marker)),
    )
    with st.container(), errors_shown():  # one place, or folds below would close when a line comes or goes
        if video and video != source.video and source.video.is_file() and not is_drawn_as_noted(folder):
            st.caption(
                "The player shows people as first found. *Export video* below draws it again, which takes a while."
            )
        if result.valence is not None:
            st.caption(f"**Valence.** {valence_text(result)}")
        show_readings(folder, seen, result, moment, source, changed)
    show_people(folder, shown, notes, changed)
    if not shown.people:
        return
    with st.expander("A person's own neutral", icon=":material/sentiment_neutral:", expanded=bool(shown.baselines)):
        _show_neutral(folder, seen, shown, moment, changed)


def valence_text(result: Timeline) -> str:
    """Say what valence is, and how high people's was."""
    means = (f"{literal(result.name_of(person))} {result.valence_of(person):+.2f}" for person in shown_people(result))
    what = f"{VALENCE[0].upper()}{VALENCE[1:]}. Computed from the probabilities, no feeling."
    return f"{what} Mean of {' · '.join(means)}"


def _show_neutral(folder: Path, seen: Timeline, shown: Timeline, moment: float, changed: Callable[[], object]) -> None:
    """Let somebody say that a person's face is neutral at a moment, and undo it."""
    people = shown_people(shown)
    person = people[0]
    if len(people) > 1:
        person = st.selectbox("Person", people, format_func=shown.name_of, key="video_person")

    def keep(person: int, own: Baseline | None = None) -> None:
        keep_notes(folder, lambda was: was.with_neutral(seen, person, own), changed)

    with errors_shown():
        if own := offer_neutral(shown, person, moment):
            attempt(partial(keep, person, own))
    show_baselines(shown, keep)
