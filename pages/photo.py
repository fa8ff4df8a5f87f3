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
from pages.parts.models import choose_model, load_recognizer, model_info
from pages.parts.navigation import through_entry
from pages.parts.photo_reasons import show_reasons
from pages.parts.samples import SAMPLES, sample_picture
from pages.parts.widgets import privacy_note, show_concerns

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer

SOURCES = {
    "Upload": ":material/upload: Upload",
    "Camera": ":material/photo_camera: Camera",
    "Sample": ":material/image: Sample",
}
UPLOAD_MB = 50
STATIC = {"staticPlot": True}  # a finger that scrolls over a chart must not zoom it


@dataclass(frozen=True)
class Picture:
    """A picture that somebody chose."""

    key: str
    name: str
    read: Callable[[], bytes]


def forget_choice() -> None:
    """Start each visit to a source with an empty widget: else a hidden one would go on showing its old pictures."""
    st.session_state["photo_visit"] = st.session_state.get("photo_visit", 0) + 1


def chosen_pictures() -> list[Picture]:
    source = st.segmented_control(
        "Source",
        list(SOURCES),
        format_func=SOURCES.__getitem__,
        default="Upload",
        required=True,
        label_visibility="collapsed",
        on_change=forget_choice,
    )
    visit = st.session_state.get("photo_visit", 0)
    if source == "Sample":
        name = st.pills("Sample", SAMPLES, default=SAMPLES[0], required=True, label_visibility="collapsed")
        return [Picture(name, f"{name}.png", lambda: encode_png(sample_picture(name)))]
    if source == "Camera":
        snapshot = st.camera_input("Take a picture", label_visibility="collapsed", width=640, key=f"snapshot {visit}")
        return [Picture(snapshot.file_id, "snapshot.jpg", snapshot.getvalue)] if snapshot else []
    uploads = st.file_uploader(
        "Photos",
        sorted(IMAGE_SUFFIXES),
        accept_multiple_files=True,
        max_upload_size=UPLOAD_MB,
        label_visibility="collapsed",
        key=f"uploads {visit}",
    )
    return [Picture(upload.file_id, upload.name, upload.getvalue) for upload in uploads]


def recognized(recognizer: "Recognizer", pictures: list[Picture]) -> dict[str, PhotoResult | ImageError]:
    """Recognize what is new, keep what is still chosen, forget the rest."""
    if st.session_state.get("photo_recognizer") is not recognizer:  # another model: nothing earlier holds
        st.session_state["photo_recognizer"] = recognizer
        st.session_state["photo_results"] = {}
    # Kept one by one: a click in the middle of a batch starts this script anew.
    results: dict[str, PhotoResult | ImageError] = st.session_state.setdefault("photo_results", {})
    new = [picture for picture in pictures if picture.key not in results]
    bar = st.progress(0.0) if len(new) > 1 else None
    for done, picture in enumerate(new):
        if bar:
            bar.progress(done / len(new), f"Picture {done + 1} of {len(new)}: {picture.name}")
        try:
            results[picture.key] = recognize_photo(recognizer, picture.read())
        except ImageError as error:
            results[picture.key] = error
    if bar:
        bar.empty()
    for key in results.keys() - {picture.key for picture in pictures}:
        del results[key]
    return results


def show_picture(picture: Picture, result: PhotoResult, threshold: float) -> None:
    count = len(result.faces)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        annotated = draw_faces(result.preview, [item.shown for item in result.faces], threshold=threshold)
        found = "no face" if count == 0 else "1 face" if count == 1 else f"{count} faces"
        st.image(annotated, width="stretch", alt=f"{picture.name} with {found} marked")
        st.caption(f"{picture.name} · {result.size_wh[0]} × {result.size_wh[1]} pixels · {found}")
        st.download_button(
            "Annotated picture",
            lambda: encode_png(
                draw_faces(read_image(picture.read()), [item.face for item in result.faces], threshold=threshold)
            ),
            f"{PurePath(picture.name).stem}-faces.png",
            "image/png",
            icon=":material/download:",
            on_click="ignore",
            key=f"png {picture.key}",
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
                show_face(number, item, threshold, f"{picture.key} {number}")


def show_face(number: int, item: PhotoFace, threshold: float, key: str) -> None:
    face = item.face
    name = describe(face).replace(" %", "\u00a0%")  # the sign stays with its number
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            size = item.network_input.shape[0]
            st.image(item.network_input, width=72, alt=f"face {number} as the network saw it, {size} × {size} pixels")
            with st.container():
                st.markdown(f"**{number} · {name if face.confidence >= threshold else 'unsure'}**")
                show_concerns(face, threshold)
        st.plotly_chart(
            probability_bars(face), config=STATIC, key=f"bars {key}", alt=f"face {number}: {describe(face)}"
        )
        show_reasons(recognizer, item, key)


through_entry("pages/photo.py")
st.title("Photo")
choose_model()
info = model_info()  # a model that cannot be read is said before somebody looks for a photo
left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
with left:
    pictures = chosen_pictures()
with right:
    threshold_percent = st.slider(
        "Confidence threshold",
        0,
        100,
        round(100 * info.unsure_below),
        format="%d %%",
        help="A face whose most likely expression is less likely than this is called unsure. It begins where the "
        "model's validation pictures put it.",
    )
if not pictures:
    st.markdown(
        "Choose photos, take a picture with the camera, or try a sample. Each face gets a number, a box and a name."
    )
    privacy_note()
    st.session_state.pop("photo_results", None)
    load_recognizer()  # while somebody looks for a file
    st.stop()

threshold = threshold_percent / 100
recognizer = load_recognizer()
with st.spinner("Looking for faces …"):
    results = recognized(recognizer, pictures)
for picture in pictures:
    result = results[picture.key]
    if isinstance(result, ImageError):
        st.error(f"{picture.name}: {result}", icon=":material/broken_image:")
    else:
        show_picture(picture, result, threshold)

table = [
    PictureResult(picture.name, error=str(result))
    if isinstance(result := results[picture.key], ImageError)
    else PictureResult(picture.name, tuple(item.face for item in result.faces))
    for picture in pictures
]
with st.container(horizontal=True):
    st.download_button(
        "Table (CSV)",
        to_csv(table, recognizer.info.labels, threshold),
        "faces.csv",
        "text/csv",
        icon=":material/table:",
        on_click="ignore",
    )
    st.download_button(
        "All figures (JSON)",
        to_json(table, threshold),
        "faces.json",
        "application/json",
        icon=":material/data_object:",
        on_click="ignore",
    )
privacy_note()
