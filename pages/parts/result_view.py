"""One result, shown from its files to its owner and to visitors with its link."""

import time
from collections.abc import Mapping
from pathlib import Path

import streamlit as st

from fer.charts.expressions import count_bars
from fer.collection.job import RESULTS_NAME
from fer.names import literal
from fer.results.journal import Finished
from fer.results.photo import PhotoRecord
from fer.results.pictures import to_csv, to_json
from fer.results.result import FOLDER, Result
from fer.results.store import ResultStore
from fer.video.timeline import Timeline
from pages.parts.corrections import said_labels
from pages.parts.folder_faces import show_results
from pages.parts.folder_job import finished_at
from pages.parts.kept_photos import restored
from pages.parts.photo_result import PICTURE_GONE, show_photo
from pages.parts.photo_source import Photo
from pages.parts.result_actions import annotated_videos, delete, rename, share, show_export
from pages.parts.result_list import parts_of
from pages.parts.results import addressed, job_of, size
from pages.parts.video_player import video_player
from pages.parts.video_result import show_downloads, show_sums, timeline_of
from pages.parts.video_timeline import chosen_video, valence_text
from pages.parts.widgets import STATIC, download_figures, fragment


def show_result(store: ResultStore, result: Result, is_mine: bool) -> None:
    """Show a result; visitors who only have its link cannot change it."""
    if is_mine:
        back_button()
    st.title(literal(result.name))
    parts = [*parts_of(result, job_of(result), time.time()).values(), size(result.size_bytes)]
    st.caption(literal(" · ".join(part for part in parts if part)) + " · :material/link: shared" * bool(result.token))
    said = said_labels() if is_mine else {}
    with st.container(horizontal=True):
        show_export(store, [result], "result.zip", said)
        if is_mine:
            if st.button("Rename", icon=":material/edit:"):
                rename(store, result)
            if st.button("Share", icon=":material/link:"):
                share(store, result)
            if st.button("Delete", icon=":material/delete:"):
                delete(store, [result])
    if record := store.record(result, PhotoRecord):
        _show_photo(store, result, record, said)
    elif (seen := timeline_of(store, result)) and seen.people:
        fragment(_show_video)(result, seen, _videos(store, result, seen))
        show_sums(seen)
        with st.container(horizontal=True):
            show_downloads(seen, "expressions")
    elif (job := job_of(result)) and result.kind == FOLDER and job.request and (finished := _finished(job.folder)):
        show_results(job.request, finished, shared=job.folder)
    else:
        _show_sums(store, result)


def back_button() -> None:
    """Show a button that returns to the list; a link to the current page would not change the address."""
    if st.button("All results", icon=":material/arrow_back:", type="tertiary"):
        addressed([])
        st.rerun()


def _show_photo(store: ResultStore, result: Result, record: PhotoRecord, corrected: Mapping[str, str]) -> None:
    threshold, picture = record.unsure_below, store.picture(result)
    read = picture.read_bytes if picture else bytes
    photo = Photo(result.id, result.name, read, picture is not None, result.model_sha, is_new=False)
    show_photo(photo, restored(store.folder(result), result.changed, record), None, threshold)
    if picture is None:
        st.caption(PICTURE_GONE)
    found = [record.picture_result(result.name)]
    with st.container(horizontal=True):
        download_figures(
            "faces",
            lambda: to_csv(found, record.labels, threshold, corrected),
            lambda: to_json(found, threshold, corrected),
        )


def _videos(store: ResultStore, result: Result, seen: Timeline) -> dict[Path, float]:
    """Return the kept videos of a result, best first → the second of the video at which each starts."""
    recorded = store.picture(result)
    videos = dict.fromkeys([recorded] if recorded else annotated_videos(result), seen.starts)
    if (job := job_of(result)) and job.request and job.request.is_upload:
        videos[job.folder / job.request.path] = 0.0
    return videos


def _show_video(result: Result, seen: Timeline, videos: Mapping[Path, float]) -> None:
    """Show a timeline and its video, if that was kept, without ways to change them."""
    at = f"moment {result.id}"
    moment, video = st.session_state.get(at, seen.starts), chosen_video(videos)
    begins = videos[video] if video else 0.0
    video_player(seen, video, begins, moment, "player", lambda seconds: st.session_state.update({at: seconds}))
    if seen.valence is not None:
        st.caption(f"**Valence.** {valence_text(seen)}")


def _finished(folder: Path) -> list[Finished]:
    """Return what a job with many photos has found so far."""
    path = folder / RESULTS_NAME
    return finished_at(path, path.stat().st_size) if path.is_file() else []


def _show_sums(store: ResultStore, result: Result) -> None:
    shown = {label: round(count) for label, count in result.figures.expressions.items() if count >= 0.5}
    if shown:
        alt = ", ".join(f"{label} {count}" for label, count in shown.items())
        st.plotly_chart(count_bars(shown), config=STATIC, key="sums", alt=alt)
    faces = [str(path) for path in store.faces(result)]
    if faces:
        st.image(faces, width=96)
    if not shown and not faces:
        st.info("No faces or figures were kept for this result.", icon=":material/hide_image:")
