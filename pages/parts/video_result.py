"""The second half of the video page: what was seen, when, and as files."""

import streamlit as st

from fer.charts.expressions import time_bars
from fer.charts.timeline import clip_lines, clip_timeline, shown_people, tone_lines
from fer.errors import VideoError
from fer.faces import percent
from fer.results.subtitles import to_srt, to_vtt
from fer.results.timeline import clip_csv, clip_json
from fer.video.clip_job import ClipJob
from fer.video.io.files import picture_at
from fer.video.timeline import ClipResult

STATIC = {"staticPlot": True}
NO_BAR = {"displayModeBar": False}
PLAYED_MB = 150
"""A larger annotated video is read into memory only when somebody asks for it."""
MOST_TRANSITIONS = 12


def clock(seconds: float) -> str:
    """Say a moment as players do: 0:07, 12:34, 1:02:03."""
    whole = int(seconds + 1e-6)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def show_result(job: ClipJob) -> None:
    """Show all that was seen, or why nothing was."""
    result = job.result
    if job.error:
        st.error(job.error, icon=":material/error:")
    if result is None or not len(result.frame_seconds):
        if not job.error:
            why = "it was cancelled at once" if job.cancelled else "no frame lies in that part of the video"
            st.info(f"Nothing was looked at: {why}.", icon=":material/search_off:")
        return
    people = len(result.people)
    st.subheader(result.name, divider="gray")
    st.caption(
        f"{clock(result.starts)} to {clock(result.ends)} · {result.size_wh[0]} × {result.size_wh[1]} pixels · "
        f"{len(result.frame_seconds):,} frames looked at · {people} {'person' if people == 1 else 'people'}"
    )
    if result.problem:
        st.warning(f"{result.problem}. What could be read is shown.", icon=":material/healing:")
    if not result.complete:
        st.info("This is the part up to where it was ended.", icon=":material/content_cut:")
    if not people:
        st.info("No face was found.", icon=":material/search_off:")
        show_downloads(job, result)
        return
    st.fragment(show_timeline)(job, result)
    show_video(job)
    show_figures(result)
    show_downloads(job, result)


def show_timeline(job: ClipJob, result: ClipResult) -> None:
    """Show who showed what when; a click shows the frame."""
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
            clip_timeline(result, moment),
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
        st.plotly_chart(clip_lines(result, person, moment), config=NO_BAR, key="video_lines")
    with right:
        show_moment(job, result, moment)
    if moments:
        st.markdown("**Key moments**")
        st.caption("Where each person showed each expression most. Press one to see its frame.")
        with st.container(horizontal=True, gap="small"):
            for number, one in enumerate(moments):
                with st.container(width=152, gap="small"):
                    st.image(one.thumbnail, width=144, alt=f"person {one.person}, {one.label}")
                    if st.button(f"{clock(one.seconds)} {one.label}", key=f"video_moment_{number}", width=144):
                        st.session_state["video_moment"] = one.seconds
                        st.rerun(scope="fragment")
                    st.caption(f"person {one.person}, {percent(one.confidence)}")


def show_moment(job: ClipJob, result: ClipResult, moment: float) -> None:
    """Show the annotated frame of a moment."""
    rows = result.rows_at(moment)
    shown = [
        f"person {result.persons[row]}: **{result.labels[held]}** {percent(result.probabilities[row, held])}"
        for row, held in zip(rows, result.held[rows], strict=True)
    ]
    st.markdown(f"**{moment:.1f} s**")
    st.caption(" · ".join(shown) or "nobody in view")
    try:
        st.image(picture_at(job.video, moment - result.starts), alt=f"the frame at {moment:.1f} seconds")
    except VideoError as error:
        st.error(str(error), icon=":material/error:")


def show_video(job: ClipJob) -> None:
    """Play the annotated video."""
    if not job.video.is_file():
        return
    size_mb = job.video.stat().st_size / 2**20
    st.markdown("**The annotated video**")
    if size_mb > PLAYED_MB and not st.toggle(f"Play it here ({size_mb:.0f} MB)", key="video_play"):
        return
    st.video(video_bytes(job), alt="the video with faces and expressions drawn on it", width=720)


def video_bytes(job: ClipJob) -> bytes:
    """Return the annotated video; the player and the download share it in memory."""
    data: bytes | None = st.session_state.get("video_bytes")
    if data is None or st.session_state.get("video_bytes_of") is not job:
        data = st.session_state["video_bytes"] = job.video.read_bytes()
        st.session_state["video_bytes_of"] = job
    return data


def show_figures(result: ClipResult) -> None:
    """Show how long each expression was shown, what followed what, and the derived tone."""
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Time per expression**")
        st.plotly_chart(time_bars(result.summary(), result.labels), config=STATIC, key="video_bars")
    with right:
        transitions = result.transitions()
        st.markdown(f"**Transitions** ({len(transitions)})")
        counts: dict[tuple[str, str], list[float]] = {}
        for one in transitions:
            counts.setdefault((one.before, one.after), []).append(one.seconds)
        ranked = sorted(counts.items(), key=lambda pair: -len(pair[1]))[:MOST_TRANSITIONS]
        if ranked:
            st.dataframe(
                [
                    {"from": before, "to": after, "times": len(at), "at": ", ".join(map(clock, at[:8]))}
                    for (before, after), at in ranked
                ],
                hide_index=True,
            )
        else:
            st.caption("Nobody went from one expression to another.")
    if result.tone is not None:
        st.markdown("**Derived tone: pleasant minus unpleasant**")
        means = " · ".join(f"person {person}: {result.tone_of(person):+.2f}" for person in shown_people(result))
        st.caption(
            "Not measured but computed from the probabilities: happiness minus sadness, anger, disgust, fear and "
            f"contempt. A rough stand-in for valence, and no feeling. Mean of {means}"
        )
        st.plotly_chart(tone_lines(result), config=NO_BAR, key="video_tone")


def show_downloads(job: ClipJob, result: ClipResult) -> None:
    """Offer all of it as files."""
    name = job.video.stem.removesuffix("-faces")
    st.markdown("**Downloads**")
    with st.container(horizontal=True):
        if job.video.is_file():
            st.download_button(
                "Annotated video (MP4)", lambda: video_bytes(job), job.video.name, "video/mp4",
                icon=":material/movie:", on_click="ignore",
            )  # fmt: skip
        for label, make, suffix, kind, icon in (
            ("Table (CSV)", clip_csv, "csv", "text/csv", "table"),
            ("All figures (JSON)", clip_json, "json", "application/json", "data_object"),
            ("Subtitles (SRT)", to_srt, "srt", "application/x-subrip", "subtitles"),
            ("Subtitles (VTT)", to_vtt, "vtt", "text/vtt", "subtitles"),
        ):
            st.download_button(
                label, lambda make=make: make(result), f"{name}.{suffix}", kind,  # type: ignore[misc]
                icon=f":material/{icon}:", on_click="ignore",
            )  # fmt: skip
