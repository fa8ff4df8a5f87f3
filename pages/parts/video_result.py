"""What was seen in a video, when, and as files: the second half of the video page, and the webcam page after STOP."""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from fer.charts.timeline import probability_lines, shown_people, time_bars, timeline_bars, valence_lines
from fer.errors import VideoError
from fer.faces import percent
from fer.files import file_errors
from fer.results.subtitles import to_srt, to_vtt
from fer.results.timeline import read_timeline, timeline_csv, timeline_json, write_timeline
from fer.video.io.files import picture_at
from fer.video.timeline import VALENCE, Timeline
from pages.parts.neutral import offer_neutral, reading, show_baselines
from pages.parts.session import FILES_AS_THEY_ARE, attempt, errors_shown
from pages.parts.widgets import NO_BAR, STATIC, clock, counted, download, download_figures, literal, show_opinions

PLAYED_MB = 150
"""A larger annotated video is read into memory only when somebody asks for it."""
MOST_TRANSITIONS = 12


@st.cache_resource(max_entries=2, show_spinner=False, hash_funcs=FILES_AS_THEY_ARE, scope="session")
def timeline_at(path: Path) -> Timeline | None:
    """Return what a job has seen, read once; None where there is nothing."""
    return read_timeline(path)


def keep(path: Path, result: Timeline) -> None:
    """Keep what somebody changed of what was seen, and go on showing it.

    Raises:
        VideoError: it cannot be written.
    """
    with file_errors("what was seen cannot be kept", VideoError):
        write_timeline(path, result)
    st.session_state["video_shown"] = timeline_at(path)


def show_result(path: Path, result: Timeline, video: Path) -> None:
    """Show all that was seen.

    Args:
        path: where it is kept.
        result: what was seen, at least a frame.
        video: the annotated video, if it is there.
    """
    people = counted(len(result.people), "person", "people")
    st.subheader(literal(result.name), divider="gray")
    st.caption(
        f"{clock(result.starts)} to {clock(result.ends)} · {result.size_wh[0]} × {result.size_wh[1]} pixels · "
        f"{result.frames:,} frames looked at · {people}"
    )
    if result.problem:
        st.warning(f"{literal(result.problem)}. What could be read is shown.", icon=":material/healing:")
    if not result.complete:
        st.info("This is the part up to where it was ended.", icon=":material/content_cut:")
    if result.people:
        st.fragment(show_timeline)(path, video, result)
        show_video(video)
        show_sums(result)
    else:
        st.info("No face was found.", icon=":material/search_off:")
    st.markdown("**Downloads**")
    with st.container(horizontal=True):
        if video.is_file():
            download("Annotated video (MP4)", video.read_bytes, video.name, "movie")
        show_downloads(result, video.stem.removesuffix("-faces"))


def show_timeline(path: Path, video: Path, result: Timeline) -> None:
    """Show who showed what when; a click shows the frame."""
    raw = bool(result.baselines) and st.toggle(
        "Raw reading", key="video_raw", help="Nobody's own neutral is taken off."
    )
    seen, result = result, result.raw if raw else result
    moments = result.key_moments()
    first = moments[0].seconds if moments else result.spans[0].peak_seconds
    moment: float = st.session_state.setdefault("video_moment", first)

    def take_click() -> None:
        points = st.session_state["video_timeline"].selection.points
        if points:
            st.session_state["video_moment"] = float(points[0]["customdata"][0])

    left, right = st.columns([3, 2], gap="medium")
    with left:
        st.markdown("**Timeline**")
        st.caption("Click a moment to see the frame.")
        st.plotly_chart(
            timeline_bars(result, moment),
            config=NO_BAR,
            key="video_timeline",
            on_select=take_click,
            selection_mode="points",
        )
        people = shown_people(result)
        person = people[0]
        if len(people) > 1:
            person = st.selectbox("Person", people, format_func=lambda number: f"person {number}", key="video_person")
        st.markdown(f"**How probable each expression was**, person {person}")
        st.plotly_chart(probability_lines(result, [person], moment), config=NO_BAR, key="video_lines")
        show_neutral(path, seen, person, moment)
    with right:
        show_moment(video, result, moment)
    if moments:
        st.markdown("**Key moments**")
        st.caption("Where each person showed each expression most. Press one to see its frame.")
        with st.container(horizontal=True, gap="small"):
            for number, one in enumerate(moments):
                with st.container(width=152, gap="small"):
                    st.image(one.thumbnail, width=144, alt=f"person {one.person}, {one.label}")
                    if st.button(f"{clock(one.seconds)} {literal(one.label)}", key=f"video_moment_{number}", width=144):
                        st.session_state["video_moment"] = one.seconds
                        st.rerun(scope="fragment")
                    st.caption(f"person {one.person}, {percent(one.confidence)}")


def show_neutral(path: Path, seen: Timeline, person: int, moment: float) -> None:
    """Let somebody say when a person's face is neutral, and undo it."""

    def forget(person: int) -> None:
        left = {one: baseline for one, baseline in seen.baselines.items() if one != person}
        keep(path, replace(seen, baselines=left))

    with errors_shown():
        if changed := offer_neutral(seen, person, moment):
            attempt(lambda: keep(path, changed))
    show_baselines(seen, forget)
    if seen.baselines:
        st.caption("The annotated video stays as it was drawn.")


def show_moment(video: Path, result: Timeline, moment: float) -> None:
    """Show the annotated frame of a moment."""
    st.markdown(f"**{moment:.1f} s**")
    faces = result.faces_at(moment)
    for face in faces:
        st.caption(f"person {face.track_id}: {reading(face)}")
        show_opinions(face)
    if not faces:
        st.caption("nobody in view")
    if video.is_file():
        with errors_shown():
            st.image(picture_at(video, moment - result.starts), alt=f"the frame at {moment:.1f} seconds")
    else:
        st.info("There is no annotated video.", icon=":material/videocam_off:")


def show_video(video: Path) -> None:
    """Play the annotated video."""
    if not video.is_file():
        return
    size_mb = video.stat().st_size / 2**20
    st.markdown("**The annotated video**")
    if size_mb > PLAYED_MB and not st.toggle(f"Play it here ({size_mb:.0f} MB)", key="video_play"):
        return
    st.video(str(video), alt="the video with faces and expressions drawn on it", width=720)


def show_sums(result: Timeline) -> None:
    """Show how long each expression was shown, what followed what, and the valence."""
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
    if result.valence is not None:
        st.markdown("**Valence**")
        means = " · ".join(f"person {person}: {result.valence_of(person):+.2f}" for person in shown_people(result))
        st.caption(f"{VALENCE[0].upper()}{VALENCE[1:]}. Computed from the probabilities, no feeling. Mean of {means}")
        st.plotly_chart(valence_lines(result), config=NO_BAR, key="video_valence")


def show_downloads(result: Timeline, name: str) -> None:
    """Offer what was seen as files of that name."""
    download_figures(name, lambda: "".join(timeline_csv(result)), lambda: timeline_json(result))
    download("Subtitles (SRT)", lambda: to_srt(result), f"{name}.srt", "subtitles")
    download("Subtitles (VTT)", lambda: to_vtt(result), f"{name}.vtt", "subtitles")
