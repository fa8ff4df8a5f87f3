"""Live expressions of every face in front of the webcam, in a browser tab."""

from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import streamlit as st
from aiortc.contrib.media import MediaRelay
from streamlit_webrtc import Translations, WebRtcMode, webrtc_streamer
from streamlit_webrtc.config import VideoHTMLAttributes
from streamlit_webrtc.relay import get_global_relay

from fer.charts.timeline import latest_people, probability_lines
from fer.draw.frame import draw_live
from fer.images import encode_png
from fer.model.prior import BETWEEN
from fer.names import literal
from fer.recognition.photo import recognize_photo
from fer.results.recording import Recording
from fer.results.result import NOTHING, PICTURES, RESULTS, WEBCAM, Result
from fer.results.store import ResultStore
from fer.video.job import TIMELINE_NAME
from fer.video.live import LiveAnalyzer
from fer.video.notes import keep_notes, read_notes
from fer.video.settings import VideoSettings
from fer.video.stream import LiveStream
from pages.parts.connection import NewFrames, ice_servers
from pages.parts.kept_photos import keep_photo
from pages.parts.models import (
    checkpoint_path,
    choose_model,
    chosen_faces,
    load_engine,
    load_recognizer,
    model_info,
    model_name,
)
from pages.parts.navigation import begin_page
from pages.parts.neutral import show_baselines, show_people
from pages.parts.permissions import for_visitor
from pages.parts.result_actions import delete, show_undo
from pages.parts.results import ADDRESS, addressed, result_store
from pages.parts.session import errors_shown
from pages.parts.video_result import show_downloads, show_seen, timeline_at
from pages.parts.visitor import owner
from pages.parts.widgets import NO_BAR, counted, download, fragment, smallest_face, text, threshold_slider, whole_number

LOCAL = {"localhost", "127.0.0.1", "::1"}
KEPT = {
    PICTURES: "The readings and the annotated video are kept under Results.",
    RESULTS: "The readings are kept under Results with thumbnails of the faces, but no frames.",
    NOTHING: "Frames are analyzed in memory; nothing is kept.",
}
"""What becomes of a recording, by what the settings say."""
SNAPSHOTS = {
    PICTURES: "The snapshot is kept as a photo under Results.",
    RESULTS: "The faces in the snapshot are kept under Results. Download it to keep the whole picture.",
    NOTHING: "The snapshot is not kept. Download it if you want to keep it.",
}
"""What becomes of a snapshot, by what the settings say."""
TEXTS = Translations(
    media_api_not_available="No camera available: open this page over HTTPS or on localhost.",
    device_ask_permission="Allow the camera when your browser asks.",
    device_not_available="No camera found. Connect one, or close other programs that use it.",
    device_access_denied="Camera access denied. Allow it with the icon in the address bar, then press START again.",
)


def drop_late_frames() -> None:
    """Make the connection drop frames that it has no time to send, and frames that it sent before.

    The library queues them without a limit: on a busy machine the picture would lag further and further behind while
    memory grows. Without a new picture it resends the last one, which takes about as long to encode.
    """
    relay = get_global_relay()
    setattr(relay, "subscribe", lambda track: NewFrames(MediaRelay.subscribe(relay, track, buffered=False)))  # noqa: B010 - a method


def begin_anew() -> None:
    """Start a fresh stream whenever START is pressed; the last frames of the previous one still go to that."""
    state = st.session_state["webcam"].state
    active = state.playing or state.signalling
    if active and not st.session_state.get("webcam_active"):
        end_recording()
        for name in ("webcam_stream", "webcam_snapshot"):
            st.session_state.pop(name, None)
        addressed([])
    st.session_state["webcam_active"] = active


def end_recording() -> None:
    """Store the rest of the recording."""
    recording: Recording | None = st.session_state.get("webcam_recording")
    if recording:
        recording.end()


def recording_name(what: str) -> str:
    """Return a name with the visitor's local time."""
    minutes = st.context.timezone_offset
    zone = None if minutes is None else timezone(timedelta(minutes=-minutes))
    return f"{what} {datetime.now(zone):%Y-%m-%d %H.%M.%S}"


def new_recording(analyzer: LiveAnalyzer) -> Recording | None:
    """Return a new recording; show the error and return None if it cannot be stored."""
    with errors_shown():
        return Recording(result_store(), owner(), recording_name("Webcam"), analyzer, model_name(checkpoint_path()))
    return None


def current_stream() -> LiveStream:
    engine = load_engine()
    stream: LiveStream | None = st.session_state.get("webcam_stream")
    if stream is None or stream.analyzer.engine is not engine:  # another model, other labels: another recording
        end_recording()
        ended: Recording | None = st.session_state.get("webcam_recording")
        if stream and st.session_state.get("webcam_active"):
            so_far = "is kept under Results" if ended and ended.result and not ended.problem else "was not kept"
            st.toast(f"A new recording begins. The one so far {so_far}.", icon=":material/fiber_new:")
        analyzer = LiveAnalyzer(engine)
        recording = new_recording(analyzer)
        stream = LiveStream(analyzer, draw_live, keep=recording)
        st.session_state["webcam_stream"], st.session_state["webcam_recording"] = stream, recording
    return stream


def chosen_settings() -> VideoSettings:
    usual = VideoSettings(threshold=model_info().reading(chosen_faces()).unsure_below)
    left, right = st.columns(2, gap="large")
    with left:
        smoothing = st.slider(
            "Smoothing",
            0.0,
            2.0,
            usual.smoothing_seconds,
            0.1,
            "%.1f s",
            help="Expressions are averaged over this time. At 0, every frame counts by itself and labels flicker.",
        )
        threshold = threshold_slider(usual.threshold)
        smallest = smallest_face(5, usual.smallest_face)
    with right:
        detections = whole_number(
            "Face detections", 1, 10, usual.detections_per_second, "/ s",
            "Faces are tracked in between. A slow machine does fewer.",
        )  # fmt: skip
        updates = whole_number(
            "Readings per face", 1, 30, usual.updates_per_second, "/ s",
            "How often the expression of each face is read. A slow machine does fewer.",
        )  # fmt: skip
        mirror = st.toggle("Mirror", usual.mirror)
    drawn = st.pills("Draw", ["Boxes", "Labels", "Bars"], selection_mode="multi", default=["Boxes", "Labels", "Bars"])
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


def show_problems() -> None:
    """Say why the recording is not stored, or only in part."""
    recording: Recording | None = st.session_state.get("webcam_recording")
    for problem in (recording.problem, recording.video_problem) if recording else ():
        if problem:
            st.error(for_visitor(problem), icon=":material/error:")


def show_figures(stream: LiveStream) -> None:
    show_problems()
    figures = stream.figures()
    metrics = {
        "Faces in view": (f"{figures.faces}", None),
        "Frames": (f"{figures.frames_per_second:.0f} / s", "Frames analyzed and drawn."),
        "Readings": (f"{figures.updates_per_second:.0f} / s", "Readings of all faces in view."),
    }
    with st.container(horizontal=True, gap="medium"):
        for name, (value, meaning) in metrics.items():
            st.metric(name, value, help=meaning, width="content")
    st.caption(
        f"{figures.size_wh[0]} × {figures.size_wh[1]} pixels · {figures.detections_per_second:.0f} detections / s · "
        f"{figures.frame_ms:.0f} ms a frame · expressions {figures.delay_ms:.0f} ms behind · "
        f"{figures.frames} frames, {figures.dropped} dropped, {figures.errors} failed"
    )
    if stream.analyzer.frame_pause:
        st.caption(":material/speed: This machine is busy, so it shows fewer frames per second.")
    if figures.last_error:
        st.error(
            f"{figures.errors} frames failed, the last one with: {literal(figures.last_error)}", icon=":material/error:"
        )


def show_chart(stream: LiveStream) -> None:
    recorder = stream.analyzer.recorder
    if stream.analyzer.people:
        # With several viewers, their browsers and the model need the time more than the chart does.
        raw = bool(recorder.baselines) and st.toggle("Raw readings", help="Without subtracting own neutrals.")
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


def take_snapshot(stream: LiveStream, keep: str) -> None:
    """Keep the latest frame as a photo in full resolution, as the settings say, and offer it as a file."""
    image = stream.analyzer.newest
    if image is not None:
        data, name = encode_png(image), f"{recording_name('Snapshot')}.png"
        st.session_state["webcam_snapshot"] = data, name
        if keep != NOTHING:
            keep_photo(name, name, data, recognize_photo(load_recognizer(), data))
        st.toast(SNAPSHOTS[keep], icon=":material/photo_camera:")


def show_snapshot() -> None:
    """Offer the last snapshot as a file until another recording begins."""
    if "webcam_snapshot" in st.session_state:
        download("Download snapshot", *st.session_state["webcam_snapshot"])


def show_recording(stream: LiveStream) -> None:
    """Show the recording that has just ended, or the one in the page's address."""
    recording: Recording | None = st.session_state.get("webcam_recording")
    if stream.analyzer.frames.total:
        end_recording()
        show_problems()
        if recording and recording.result:
            addressed([] if recording.problem else [recording.result.id])  # with a problem it is shown from memory
    for asked in st.query_params.get_all(ADDRESS):
        store = result_store()
        result = store.get(asked, owner())
        if result and result.kind == WEBCAM:
            show_kept(store, result)
            return
    if not stream.analyzer.frames.total:
        return
    seen = stream.analyzer.recorder.timeline(unsure_below=stream.analyzer.settings.threshold)
    if not seen.people:
        st.info("The recording ended without a face in view.", icon=":material/search_off:")
        return
    st.subheader("Recording", divider="gray")
    st.caption(f"{seen.seconds:.0f} seconds, {counted(len(seen.people), 'person', 'people')}. Held in memory only.")
    show_baselines(seen, stream.analyzer.forget_neutral)
    show_seen(seen)
    with st.container(horizontal=True):
        show_downloads(seen, "expressions")


def show_kept(store: ResultStore, result: Result) -> None:
    """Show a kept recording."""
    folder = store.folder(result)
    read = timeline_at(folder / TIMELINE_NAME)
    if read is None:
        st.error("This recording cannot be read.", icon=":material/broken_image:")
        return

    def forget(person: int) -> None:
        keep_notes(folder, lambda was: was.with_neutral(read, person, None))

    seen = read_notes(folder).applied(read)
    st.subheader("Recording", divider="gray")
    kept = f"Kept under Results as {literal(result.name)}."
    st.caption(f"{seen.seconds:.0f} seconds, {counted(len(seen.people), 'person', 'people')}. {kept}")
    show_baselines(seen, forget)
    show_seen(seen)
    if video := store.picture(result):
        st.video(str(video), alt="the video with faces and expressions drawn on it", width=720)
    with st.container(horizontal=True):
        if video:
            download("Annotated video (MP4)", video.read_bytes, "webcam.mp4", "movie")
        show_downloads(seen, "expressions")
        if st.button("Delete", icon=":material/delete:"):
            st.session_state.pop("webcam_stream", None)
            st.session_state.pop("webcam_chart", None)
            delete(store, [result])


def show_causes(expanded: bool = False) -> None:
    with st.expander("Camera not starting?", icon=":material/help:", expanded=expanded):
        st.markdown(text("webcam"))
        if st.button("Take a snapshot instead", icon=":material/photo_camera:"):
            st.switch_page("pages/photo.py")


with st.container(horizontal=True, vertical_alignment="center"):
    begin_page("Webcam")
    settings = st.popover("Settings", icon=":material/tune:")
address = urlsplit(st.context.url or "http://localhost")
if address.scheme == "http" and address.hostname not in LOCAL:
    st.warning(
        f"This page was opened as http://{address.hostname}. Browsers give the camera to https:// pages and to "
        "localhost only. The documentation on deployment explains how to serve the app over HTTPS.",
        icon=":material/no_encryption:",
    )
servers = ice_servers()
model_info()  # what is wrong with the model has to be said where everybody sees it
with settings:
    choose_model(BETWEEN)
    wanted = chosen_settings()
stream = current_stream()
stream.analyzer.settings = wanted
drop_late_frames()
consent, video, live = st.container(), st.container(), st.container()  # the picture fills the page's width
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
keep_now = NOTHING
with errors_shown():
    keep_now = result_store().settings.keep
with live:
    if context.state.playing:
        with st.container(horizontal=True), errors_shown():
            if st.button("Take snapshot", icon=":material/photo_camera:", help=SNAPSHOTS[keep_now]):
                take_snapshot(stream, keep_now)
            show_snapshot()
        fragment(show_figures, run_every=1.0)(stream)
        fragment(show_people, run_every=1.0)(stream)
        fragment(show_chart, run_every=2.0)(stream)  # drawing it takes a browser 0.1 s or more
    elif context.state.signalling:
        st.info("Connecting …", icon=":material/hourglass_empty:")
    else:
        show_snapshot()
    st.caption(
        ":material/lock: The video goes from this browser to the machine that runs the app, and nowhere else. "
        + KEPT[keep_now]
    )
if not context.state.playing and not context.state.signalling:
    consent.markdown("Press **START** if everybody in view, including you, agrees to the analysis of this video.")
    st.session_state["webcam_active"] = False  # it may have ended while another page was open
    with errors_shown():
        show_recording(stream)
        show_undo(result_store(), owner(), WEBCAM)
if not context.state.playing:  # the browser does not tell the page that it got no camera
    show_causes(expanded=not stream.analyzer.frames.total and ADDRESS not in st.query_params)
