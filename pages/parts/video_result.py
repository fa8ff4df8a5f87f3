"""What was seen in a video, when, and as files: the second half of the video page, and the webcam page after STOP."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from fer.charts.timeline import time_bars, timeline_bars, valence_lines
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
from pages.parts.widgets import NO_BAR, STATIC, clock, counted, download, download_figures, literal

MOST_TRANSITIONS = 12


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE, scope="session")
def timeline_at(path: Path) -> Timeline | None:
    """Return what a job has seen, read once; None where there is nothing."""
    return read_timeline(path)


def timeline_of(store: ResultStore, result: Result) -> Timeline | None:
    """Return what a recording, or the job of a result, has seen, as its notes say; None where there is nothing."""
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
    """Show all that was seen.

    Args:
        folder: of the job.
        result: what was seen, at least a frame.
        video: the annotated video, if it is there.
        source: of what was seen.
        changed: is called when somebody has said something of what was seen.
        offer_video: shows how the annotated video is to be had.
    """
    shown = told(folder, result)
    people = counted(len(shown.people), "person", "people")
    st.subheader(literal(result.name), divider="gray")
    st.caption(
        f"{clock(result.starts)} to {clock(result.ends)} · {result.size_wh[0]} × {result.size_wh[1]} pixels · "
        f"{result.frames:,} frames looked at · {people}"
    )
    if damaged := damaged_notes(folder):
        st.warning(
            "The notes on this video (names, merges, markers, corrections) cannot be read and start empty. The damaged "
            f"file is kept as {damaged[-1]}.",
            icon=":material/broken_image:",
        )
    if result.problem:
        st.warning(f"{literal(result.problem)}. What could be read is shown.", icon=":material/healing:")
    if not result.complete:
        st.info("This is the part up to where it was ended.", icon=":material/content_cut:")
    if result.people:
        videos = {video: result.starts, source.video: 0.0}
        st.fragment(show_timeline)(folder, result, videos, source, changed)
        show_sums(shown)
    else:
        st.info("No face was found.", icon=":material/search_off:")
    st.markdown("**Downloads**")
    with st.container(horizontal=True):
        offer_video()
        show_downloads(shown, video.stem.removesuffix("-faces"))


def show_seen(result: Timeline) -> None:
    """Show who showed what when, without a picture."""
    st.markdown("**Timeline**")
    st.plotly_chart(timeline_bars(result), config=NO_BAR, key="timeline")
    show_sums(result)
    show_valence(result)


def show_sums(result: Timeline) -> None:
    """Show how long each expression was shown, and what followed what."""
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
            st.dataframe(rows[:MOST_TRANSITIONS], hide_index=True)
        else:
            st.caption("Nobody went from one expression to another.")


def show_valence(result: Timeline) -> None:
    """Show how pleasant what each person showed was."""
    if result.valence is not None:
        st.markdown("**Valence**")
        st.caption(valence_text(result))
        st.plotly_chart(valence_lines(result), config=NO_BAR, key="video_valence")


def show_downloads(result: Timeline, name: str) -> None:
    """Offer what was seen as files of that name."""
    download_figures(name, lambda: "".join(timeline_csv(result)), lambda: timeline_json(result))
    download("Subtitles (SRT)", lambda: to_srt(result), f"{name}.srt", "subtitles")
    download("Subtitles (VTT)", lambda: to_vtt(result), f"{name}.vtt", "subtitles")
