"""The webcam in a browser tab: every face with its expression while it moves."""

from urllib.parse import urlsplit

import streamlit as st
from aiortc.contrib.media import MediaRelay
from streamlit_webrtc import Translations, WebRtcMode, webrtc_streamer
from streamlit_webrtc.config import VideoHTMLAttributes
from streamlit_webrtc.relay import get_global_relay

from fer.charts.timeline import latest_people, probability_lines, timeline_bars
from fer.draw.frame import draw_live
from fer.model.prior import BETWEEN
from fer.names import literal
from fer.video.live import LiveAnalyzer
from fer.video.settings import VideoSettings
from fer.video.stream import LiveStream
from pages.parts.connection import NewFrames, ice_servers
from pages.parts.models import choose_model, chosen_faces, load_engine, model_info
from pages.parts.navigation import begin_page
from pages.parts.neutral import show_baselines, show_people
from pages.parts.video_result import show_downloads, show_sums, show_valence
from pages.parts.widgets import NO_BAR, counted, smallest_face, text, threshold_slider, whole_number

LOCAL = {"localhost", "127.0.0.1", "::1"}
TEXTS = Translations(
    media_api_not_available="No camera here: the page must be opened over HTTPS or on localhost.",
    device_ask_permission="Allow the camera in the browser's question.",
    device_not_available="No camera was found. Connect one, or close other programs that use it.",
    device_access_denied="The camera was refused. Allow it with the icon in the address bar, then press START again.",
)


def drop_late_frames() -> None:
    """Let the connection leave out frames that it has no time to send, and those that were sent before.

    The library keeps them in a queue without a bound: on a machine with too much to do the picture would lag further
    and further behind, and memory grow with it. While there is no new picture it repeats the last one, which takes
    about as long to encode.
    """
    relay = get_global_relay()
    setattr(relay, "subscribe", lambda track: NewFrames(MediaRelay.subscribe(relay, track, buffered=False)))  # noqa: B010 - a method


def begin_anew() -> None:
    """Take a fresh stream whenever START is pressed; the last frames of the one before still go to that."""
    state = st.session_state["webcam"].state
    active = state.playing or state.signalling
    if active and not st.session_state.get("webcam_active"):
        st.session_state.pop("webcam_stream", None)
    st.session_state["webcam_active"] = active


def current_stream() -> LiveStream:
    engine = load_engine()
    stream: LiveStream | None = st.session_state.get("webcam_stream")
    if stream is None or stream.analyzer.engine is not engine:  # another model, other labels: what was seen is past
        stream = LiveStream(LiveAnalyzer(engine), draw_live)
        st.session_state["webcam_stream"] = stream
    return stream


def chosen_settings() -> VideoSettings:
    usual = VideoSettings(threshold=model_info().reading(chosen_faces()).unsure_below)
    with st.expander("Settings", icon=":material/tune:"):
        left, right = st.columns(2, gap="large")
        with left:
            smoothing = st.slider(
                "Smoothing",
                0.0,
                2.0,
                usual.smoothing_seconds,
                0.1,
                "%.1f s",
                help="Expressions are averaged over this time. At 0 every moment counts alone, and labels flicker.",
            )
            threshold = threshold_slider(usual.threshold)
            smallest = smallest_face(5, usual.smallest_face)
        with right:
            detections = whole_number(
                "Searches for faces", 1, 10, usual.detections_per_second, "/ s",
                "Between them faces are followed. The machine's speed may allow fewer.",
            )  # fmt: skip
            updates = whole_number(
                "Looks at expressions", 1, 30, usual.updates_per_second, "/ s",
                "How often the expression of each face is looked at. The machine's speed may allow fewer.",
            )  # fmt: skip
            mirror = st.toggle("Mirror", usual.mirror)
        drawn = st.pills(
            "Draw", ["Boxes", "Labels", "Bars"], selection_mode="multi", default=["Boxes", "Labels", "Bars"]
        )
    return VideoSettings(
        detections_per_second=detections,
        updates_per_second=updates,
        smallest_face=smallest,
        smoothing_seconds=smoothing,
        threshold=threshold,
        mirror=mirror,
        show_boxes="Boxes" in drawn,
        show_labels="Labels" in drawn,
        show_bars="Bars" in drawn,
    )


def show_figures(stream: LiveStream) -> None:
    figures = stream.figures()
    metrics = {
        "Faces in view": (f"{figures.faces}", None),
        "Frames": (f"{figures.frames_per_second:.0f} / s", "Processed and drawn, as measured here."),
        "Updates": (f"{figures.updates_per_second:.0f} / s", "Looks at all faces in view."),
    }
    with st.container(horizontal=True, gap="medium"):
        for name, (value, meaning) in metrics.items():
            st.metric(name, value, help=meaning, width="content")
    st.caption(
        f"{figures.size_wh[0]} × {figures.size_wh[1]} pixels · {figures.detections_per_second:.0f} searches / s · "
        f"{figures.frame_ms:.0f} ms a frame · expressions {figures.delay_ms:.0f} ms behind · "
        f"{figures.frames} frames, {figures.dropped} dropped, {figures.errors} failed"
    )
    if stream.analyzer.frame_pause:
        st.caption(":material/speed: This machine has too much to do: it shows fewer pictures a second.")
    if figures.last_error:
        st.error(
            f"{figures.errors} frames failed, the last one with: {literal(figures.last_error)}", icon=":material/error:"
        )


def show_chart(stream: LiveStream) -> None:
    recorder = stream.analyzer.recorder
    if stream.analyzer.people:
        # Where several watch, their browsers and the model need the time more than the chart does.
        raw = bool(recorder.baselines) and st.toggle("Raw reading", help="Nobody's own neutral is taken off.")
        what = stream, recorder.baselines, raw
        of, seconds, figure = st.session_state.get("webcam_chart", (None, 0.0, None))
        if of != what or recorder.seconds - seconds > 2 * stream.analyzer.viewers - 1:
            recent = recorder.recent()
            figure = probability_lines(recent.raw if raw else recent, latest_people(recent))
            st.session_state["webcam_chart"] = what, recorder.seconds, figure
        st.plotly_chart(figure, config=NO_BAR, key="live chart")
    elif stream.analyzer.frames.total:
        st.info("No face in view yet.", icon=":material/search:")
    else:
        st.info("Waiting for the first picture …", icon=":material/hourglass_empty:")


def show_summary(stream: LiveStream) -> None:
    seen = stream.analyzer.recorder.timeline()
    if not seen.people:
        st.info("The video ended without a face in view.", icon=":material/search_off:")
        return
    st.subheader("What was seen", divider="gray")
    st.caption(f"{seen.seconds:.0f} seconds, {counted(len(seen.people), 'person', 'people')}. Held in memory only.")
    show_baselines(seen, stream.analyzer.forget_neutral)
    st.markdown("**Timeline**")
    st.plotly_chart(timeline_bars(seen), config=NO_BAR, key="timeline")
    show_sums(seen)
    show_valence(seen)
    with st.container(horizontal=True):
        show_downloads(seen, "expressions")
        if st.button("Delete", icon=":material/delete:", help="Forget what was seen. There is no other copy."):
            del st.session_state["webcam_stream"]
            st.session_state.pop("webcam_chart", None)
            st.rerun()


def show_causes(expanded: bool = False) -> None:
    with st.expander("The camera does not start?", icon=":material/help:", expanded=expanded):
        st.markdown(text("webcam"))
        if st.button("Take a snapshot instead", icon=":material/photo_camera:"):
            st.switch_page("pages/photo.py")


begin_page("pages/webcam.py", "Webcam")
address = urlsplit(st.context.url or "http://localhost")
if address.scheme == "http" and address.hostname not in LOCAL:
    st.warning(
        f"This page was opened as http://{address.hostname}. Browsers give the camera to https:// pages and to "
        "localhost only; the README says how to serve the app with HTTPS.",
        icon=":material/no_encryption:",
    )
servers = ice_servers()
choose_model(BETWEEN)
stream = current_stream()
agreed = st.checkbox("I agree, and so does everybody in view, that the video is analysed.", key="webcam_agreed")
st.caption(
    ":material/lock: The video goes from this browser to the machine that runs the app and nowhere else. Frames are "
    "looked at in memory and not kept."
)
if not agreed:
    show_causes()
    st.stop()

drop_late_frames()
video, live = st.container(), st.container()  # the picture has the page's width
with video:
    context = webrtc_streamer(
        key="webcam",
        mode=WebRtcMode.SENDRECV,
        rtc_configuration={"iceServers": servers},
        media_stream_constraints={
            "video": {"width": {"ideal": 640}, "height": {"ideal": 480}, "frameRate": {"ideal": 30}},
            "audio": False,
        },
        queued_video_frames_callback=stream.on_frames,
        async_processing=True,
        sendback_audio=False,
        media_toggle_controls=False,
        video_html_attrs=VideoHTMLAttributes(
            autoPlay=True, muted=True, playsInline=True, controls=False, style={"width": "100%"}
        ),
        translations=TEXTS,
        on_change=begin_anew,
    )
    stream.analyzer.settings = chosen_settings()
with live:
    if context.state.playing:
        st.fragment(show_figures, run_every=1.0)(stream)
        st.fragment(show_people, run_every=1.0)(stream)
        st.fragment(show_chart, run_every=2.0)(stream)  # a browser takes a tenth of a second and more to draw it
    elif context.state.signalling:
        st.info("Connecting …", icon=":material/hourglass_empty:")
    elif not stream.analyzer.frames.total:
        st.markdown("Press **START**. People get numbers, expressions colours; the chart shows the last minute.")
if not context.state.playing and stream.analyzer.frames.total:
    show_summary(stream)
if not context.state.playing:
    show_causes(expanded=not stream.analyzer.frames.total)  # the page is not told that the browser got no camera
