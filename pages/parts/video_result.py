"""The results of a video: timeline, charts and exports; the second half of the video page."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from fer.charts.timeline import time_bars, timeline_bars, valence_lines
from fer.names import literal
from fer.results.result import Result
from fer.results.store import ResultStore
from fer.results.subtitles import to_srt, to_vtt
from fer.results.timeline import read_timeline, timeline_csv, timeline_json
from fer.video.job import TIMELINE_NAME
from fer.video.notes import damaged_notes, read_notes
from fer.video.timeline import Timeline
from pages.parts.results import job_of
from pages.parts.session import FILES_AS_THEY_ARE
from pages.parts.video_readings import Source
from pages.parts.video_timeline import show_timeline, told, valence_text
from pages.parts.widgets import NO_BAR, STATIC, cells, clock, counted, download, download_figures, fragment

MOST_TRANSITIONS = 12


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE, scope="session")
def timeline_at(path: Path) -> Timeline | None:
    """Return a job's timeline, cached; None if there is none."""
    return read_timeline(path)


def timeline_of(store: ResultStore, result: Result) -> Timeline | None:
    """Return the timeline of a video or a recording with its notes applied; None if there is none."""
    job = job_of(result)
    folder = job.folder if job else store.folder(result)
    seen = timeline_at(folder / TIMELINE_NAME)
    return seen and read_notes(folder).applied(seen)


def show_result(
    folder: Path,
    result: Timeline,
    video: Path,
    source: Source,
    changed: Callable[[], object],
    offer_video: Callable[[], object],
) -> None:
    """Show a timeline, its charts and its exports.

    Args:
        folder: the job's folder.
        result: the stored timeline, of at least one frame.
        video: path of the annotated video, which may be missing.
        source: the original video and the model.
        changed: called when the notes have changed.
        offer_video: shows the button for the annotated video.
    """
    shown = told(folder, result)
    people = counted(len(shown.people), "person", "people")
    st.subheader(literal(result.name), divider="gray")
    st.caption(
        f"{clock(result.starts)} to {clock(result.ends)} · {result.size_wh[0]} × {result.size_wh[1]} pixels · "
        f"{result.frames:,} frames analyzed · {people}"
    )
    if damaged := damaged_notes(folder):
        st.warning(
            "The notes on this video (names, merges, markers, corrections) are damaged and start empty. The damaged "
            f"file was renamed to {damaged[-1]}.",
            icon=":material/broken_image:",
        )
    if result.problem:
        st.warning(f"{literal(result.problem)}. The readable part is shown.", icon=":material/healing:")
    if not result.complete:
        st.info("The analysis was stopped early. The part up to there is shown.", icon=":material/content_cut:")
    if result.people:
        videos = {video: result.starts, source.video: 0.0}
        fragment(show_timeline)(folder, result, videos, source, changed)
        show_sums(shown)
    else:
        st.info("No face was found.", icon=":material/search_off:")
    st.markdown("**Downloads**")
    with st.container(horizontal=True):
        offer_video()
        show_downloads(shown, video.stem.removesuffix("-faces"))


def show_seen(result: Timeline) -> None:
    """Show a timeline and its charts, without the video."""
    st.markdown("**Timeline**")
    st.plotly_chart(timeline_bars(result), config=NO_BAR, key="timeline")
    show_sums(result)
    show_valence(result)


def show_sums(result: Timeline) -> None:
    """Show the time per expression, and the transitions between expressions."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Time per expression**")
        st.plotly_chart(time_bars(result), config=STATIC, key="video_bars")
    with right:
        transitions = result.transitions()
        st.markdown(f"**Transitions** ({len(transitions)})")
        moments: dict[tuple[str, str], list[str]] = {}
        for one in transitions:
            moments.setdefault((one.before, one.after), []).append(clock(one.seconds))
        rows = [
            {"from": before, "to": after, "times": len(at), "at": ", ".join(at[:8])}
            for (before, after), at in sorted(moments.items(), key=lambda pair: -len(pair[1]))
        ]
        if rows:
            st.dataframe(cells(rows[:MOST_TRANSITIONS]), hide_index=True)
        else:
            st.caption("Nobody's expression changed.")


def show_valence(result: Timeline) -> None:
    """Show each person's valence over time."""
    if result.valence is not None:
        st.markdown("**Valence**")
        st.caption(valence_text(result))
        st.plotly_chart(valence_lines(result), config=NO_BAR, key="video_valence")


def show_downloads(result: Timeline, name: str) -> None:
    """Offer the timeline as files with this name."""
    download_figures(name, lambda: "".join(timeline_csv(result)), lambda: timeline_json(result))
    download("Subtitles (SRT)", lambda: to_srt(result), f"{name}.srt", "subtitles")
    download("Subtitles (VTT)", lambda: to_vtt(result), f"{name}.vtt", "subtitles")
