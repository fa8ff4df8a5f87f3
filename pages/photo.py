"""Photos in, every face with its expression out."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from fer.charts.expressions import probability_bars
from fer.draw.picture import draw_faces
from fer.errors import ImageError
from fer.faces import describe
from fer.images import IMAGE_SUFFIXES, encode_png, read_image
from fer.recognition.photo import PhotoFace, PhotoResult, recognize_photo
from fer.results.pictures import PictureResult, to_csv, to_json
from pages.parts.kept_photos import address_photos, chosen_sha, forget_kept, keep_photo, kept_photos
from pages.parts.models import choose_model, chosen_faces, load_recognizer, model_info
from pages.parts.navigation import begin_page
from pages.parts.photo_reasons import show_reasons
from pages.parts.results import privacy_note
from pages.parts.samples import SAMPLES, sample_picture
from pages.parts.session import errors_shown, forget_upload
from pages.parts.widgets import (
    STATIC,
    counted,
    download,
    download_figures,
    literal,
    one_of,
    show_concerns,
    show_opinions,
    threshold_slider,
)

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer

SOURCES = {
    "Upload": ":material/upload: Upload",
    "Camera": ":material/photo_camera: Camera",
    "Sample": ":material/image: Sample",
}
UPLOAD_MB = 50


@dataclass(frozen=True)
class Photo:
    """A photo that somebody chose, or one that was kept."""

    key: str
    name: str
    read: Callable[[], bytes]
    is_there: bool = True
    """Whether the picture can be read; else only its faces were kept."""
    explained: bool = True
    """Whether the model that is chosen found its faces."""


def forget_choice() -> None:
    """Start each visit to a source with an empty widget: else a hidden one would go on showing its old photos."""
    st.session_state["photo_visit"] = st.session_state.get("photo_visit", 0) + 1
    forget_kept()


def chosen_photos() -> list[Photo]:
    source = one_of("Source", SOURCES, "photo_source", forget_choice)
    visit = st.session_state.get("photo_visit", 0)
    if source == "Sample":
        name = st.pills("Sample", SAMPLES, default=SAMPLES[0], required=True, label_visibility="collapsed")
        return [Photo(name, f"{name}.png", lambda: encode_png(sample_picture(name)))]
    if source == "Camera":
        snapshot = st.camera_input(
            "Take a picture", label_visibility="collapsed", width=640, key=f"snapshot {visit}",
            on_change=forget_kept,
        )  # fmt: skip
        return [Photo(snapshot.file_id, "snapshot.jpg", snapshot.getvalue)] if snapshot else []
    uploads = st.file_uploader(
        "Photos",
        sorted(IMAGE_SUFFIXES),
        accept_multiple_files=True,
        max_upload_size=UPLOAD_MB,
        label_visibility="collapsed",
        key=f"uploads {visit}",
        on_change=forget_kept,
    )
    for upload in (upload for upload in uploads if upload.size > UPLOAD_MB * 2**20):  # its browser let it pass
        st.error(f"{literal(upload.name)}: expected at most {UPLOAD_MB} MB, found {upload.size / 2**20:,.0f} MB.")
        forget_upload(upload.file_id)
    return [
        Photo(upload.file_id, upload.name, upload.getvalue) for upload in uploads if upload.size <= UPLOAD_MB * 2**20
    ]


def recognized(recognizer: "Recognizer", photos: list[Photo]) -> dict[str, PhotoResult | ImageError]:
    """Recognize what is new, keep what is still chosen, forget the rest."""
    if st.session_state.get("photo_recognizer") is not recognizer:  # another model: nothing earlier holds
        st.session_state["photo_recognizer"] = recognizer
        st.session_state["photo_results"] = {}
    # Kept one by one: a click in the middle of a batch starts this script anew.
    results: dict[str, PhotoResult | ImageError] = st.session_state.setdefault("photo_results", {})
    new = [photo for photo in photos if photo.key not in results]
    bar = st.empty()
    for done, photo in enumerate(new):
        if len(new) > 1:
            bar.progress(done / len(new), f"Picture {done + 1} of {len(new)}: {literal(photo.name)}")
        try:
            found = results[photo.key] = recognize_photo(recognizer, data := photo.read())
            with errors_shown():
                keep_photo(photo.key, photo.name, data, found)
        except ImageError as error:
            results[photo.key] = error
    bar.empty()
    for key in results.keys() - {photo.key for photo in photos}:
        del results[key]
    return results


def show_photo(photo: Photo, result: PhotoResult, threshold: float) -> None:
    count = len(result.faces)
    found = counted(count, "face") if count else "no face"
    left, right = st.columns([3, 2], gap="medium")
    with left:
        annotated = draw_faces(result.preview, [item.shown for item in result.faces], threshold=threshold)
        st.image(annotated, width="stretch", alt=f"{photo.name} with {found} marked")
        st.caption(f"{literal(photo.name)} · {result.size_wh[0]} × {result.size_wh[1]} pixels · {found}")
        faces = [item.face for item in result.faces]
        download(
            "Annotated picture",
            lambda: encode_png(
                draw_faces(read_image(photo.read()), faces, threshold=threshold) if photo.is_there else annotated
            ),
            f"{PurePath(photo.name).stem}-faces.png",
            key=f"png {photo.key}",
        )
    with right:
        if not count:
            st.info(
                "No face was found. Faces seen from the front, in good light and at least a fiftieth of the picture "
                "wide are found best.",
                icon=":material/search_off:",
            )
        # A row of many faces scrolls beside the picture instead of pushing the next picture far down.
        with st.container(height=720 if count > 2 else "content", border=False):
            for number, item in enumerate(result.faces, start=1):
                show_face(number, item, threshold, f"{photo.key} {number}", photo.explained)


def show_face(number: int, item: PhotoFace, threshold: float, key: str, explained: bool) -> None:
    face = item.face
    name = describe(face).replace(" %", "\u00a0%")  # the sign stays with its number
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            size = item.network_input.shape[0]
            st.image(item.network_input, width=72, alt=f"face {number} as the network saw it, {size} × {size} pixels")
            with st.container():
                st.markdown(f"**{number} · {literal(name) if face.confidence >= threshold else 'unsure'}**")
                show_concerns(face, threshold)
        show_opinions(face)
        st.plotly_chart(
            probability_bars(face), config=STATIC, key=f"bars {key}", alt=f"face {number}: {describe(face)}"
        )
        if explained:
            show_reasons(recognizer, item, key)


begin_page("pages/photo.py", "Photo")
choose_model()
left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
with left:
    photos = chosen_photos()
with right:
    threshold = threshold_slider(model_info().reading(chosen_faces()).unsure_below)
kept = []
with errors_shown():
    kept = [] if photos else kept_photos()
if not photos and not kept:
    st.markdown(
        "Choose photos, take a picture with the camera, or try a sample. Each face gets a number, a box and a name."
    )
    privacy_note()
    st.session_state.pop("photo_results", None)
    load_recognizer()  # while somebody looks for a file
    st.stop()

recognizer = load_recognizer()
results: dict[str, PhotoResult | ImageError]
if kept:
    labels = kept[0][1].labels
    photos = [
        Photo(
            result.id,
            result.name,
            picture.read_bytes if picture else bytes,
            picture is not None,
            result.model_sha == chosen_sha(),
        )
        for result, _, _, picture in kept
    ]
    results = {result.id: found for result, _, found, _ in kept}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Kept earlier, recognized by {literal(kept[0][0].model)}.", width="content")
        if st.button("New photos", icon=":material/add:"):
            forget_kept()
            st.rerun()
else:
    labels = recognizer.info.labels
    with st.spinner("Looking for faces …"):
        results = recognized(recognizer, photos)
    address_photos(photo.key for photo in photos)
table = []
for photo in photos:
    result = results[photo.key]
    if isinstance(result, ImageError):
        st.error(literal(f"{photo.name}: {result}"), icon=":material/broken_image:")
        table.append(PictureResult(photo.name, error=str(result)))
    else:
        show_photo(photo, result, threshold)
        table.append(PictureResult(photo.name, tuple(item.face for item in result.faces)))
with st.container(horizontal=True):
    download_figures("faces", lambda: to_csv(table, labels, threshold), lambda: to_json(table, threshold))
privacy_note()
