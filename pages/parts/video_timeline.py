"""The player with its timeline, and notes on it: people, markers, corrections, own neutrals."""

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import streamlit as st

from fer.charts.timeline import shown_people
from fer.names import literal
from fer.video.neutral import Baseline
from fer.video.notes import Notes, is_drawn_as_noted, keep_notes, read_notes
from fer.video.timeline import VALENCE, Timeline
from pages.parts.neutral import offer_neutral, show_baselines
from pages.parts.session import attempt, errors_shown
from pages.parts.video_people import PENDING, note, show_people
from pages.parts.video_player import video_player
from pages.parts.video_readings import Source, show_readings

PLAYED_MB = 150
"""A larger video is loaded into memory only on request."""


def told(folder: Path, seen: Timeline) -> Timeline:
    """Return the timeline with the notes in a job's folder applied, cached until they change."""
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
    """Show the timeline with the player, and widgets for notes.

    Args:
        folder: the job's folder.
        seen: the timeline as stored in the folder.
        videos: files to play, best first, which may be missing → the second of the video at which each starts.
        source: the original video and the model.
        changed: called when the notes have changed.
    """
    if change := st.session_state.pop(PENDING, None):
        attempt(partial(keep_notes, folder, change, changed))
    shown, notes = told(folder, seen), read_notes(folder)
    raw = bool(shown.baselines) and st.toggle("Raw readings", key="video_raw", help="Without subtracting own neutrals.")
    result = shown.raw if raw else shown
    moments = result.key_moments()
    first = moments[0].seconds if moments else result.starts
    moment: float = st.session_state.setdefault("video_moment", first)
    video = chosen_video(videos)
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
    with st.container(), errors_shown():  # one container, so that folds below stay open when a line comes or goes
        if video and video != source.video and source.video.is_file() and not is_drawn_as_noted(folder):
            st.caption("The player does not show your changes yet. Press *Export video* below to draw the video again.")
        if result.valence is not None:
            st.caption(f"**Valence.** {valence_text(result)}")
        show_readings(folder, seen, result, moment, source, changed)
    show_people(folder, shown, notes, changed)
    if not shown.people:
        return
    with st.expander("A person's own neutral", icon=":material/sentiment_neutral:", expanded=bool(shown.baselines)):
        _show_neutral(folder, seen, shown, moment, changed)


def chosen_video(videos: Iterable[Path]) -> Path | None:
    """Return the first video that is there; None if there is none, or if it is large and the visitor has not agreed."""
    video = next((path for path in videos if path.is_file()), None)
    size_mb = video.stat().st_size / 2**20 if video else 0.0
    if size_mb > PLAYED_MB and not st.toggle(f"Play the video here ({size_mb:.0f} MB)", key="video_play"):
        return None
    return video


def valence_text(result: Timeline) -> str:
    """Return the definition of valence, with each person's mean."""
    means = (f"{literal(result.name_of(person))} {result.valence_of(person):+.2f}" for person in shown_people(result))
    what = f"{VALENCE[0].upper()}{VALENCE[1:]}. Computed from the probabilities; it does not measure feelings."
    return f"{what} Mean: {' · '.join(means)}"


def _show_neutral(folder: Path, seen: Timeline, shown: Timeline, moment: float, changed: Callable[[], object]) -> None:
    """Show widgets to set a person's own neutral at a moment, and to undo it."""
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
