"""Recognize the expression of every face in a photo."""

from typing import TYPE_CHECKING

import streamlit as st

from fer.errors import ImageError
from fer.names import literal
from fer.recognition.photo import PhotoResult, recognize_photo
from fer.results.pictures import PictureResult, to_csv, to_json
from pages.parts.corrections import privacy_note, said_labels
from pages.parts.kept_photos import address_photos, forget_kept, keep_photo, kept_photos, name_of_file
from pages.parts.models import choose_model, chosen_faces, compared_model, load_recognizer, model_info, used_model
from pages.parts.navigation import begin_page
from pages.parts.photo_result import RESULTS, TURNS, chosen_turns, show_photo
from pages.parts.photo_source import Photo, chosen_photos, open_photos
from pages.parts.samples import SAMPLES, sample_result
from pages.parts.session import errors_shown
from pages.parts.widgets import download_figures, threshold_slider

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer


def recognized(
    recognizer: "Recognizer", photos: list[Photo], kept: str = RESULTS[0]
) -> dict[str, PhotoResult | ImageError]:
    """Recognize new photos, keep the results of those still chosen, drop the rest; `kept` is the session's key."""
    if st.session_state.get(f"{kept}_by") is not recognizer:  # another model: earlier results no longer apply
        st.session_state[f"{kept}_by"] = recognizer
        st.session_state[kept] = {}
    # Stored one by one: a click in the middle of a batch reruns this script.
    results: dict[str, PhotoResult | ImageError] = st.session_state.setdefault(kept, {})
    new = [photo for photo in photos if photo.key not in results]
    bar = st.empty()
    for done, photo in enumerate(new):
        if len(new) > 1:
            bar.progress(done / len(new), f"Picture {done + 1} of {len(new)}: {literal(photo.name)}")
        turns = chosen_turns(photo)
        try:
            data = photo.read()
            is_sample = photo.key in SAMPLES and turns is None
            found = sample_result(recognizer, photo.key) if is_sample else recognize_photo(recognizer, data, turns)
            if kept == RESULTS[0] and photo.key not in SAMPLES:  # first, because a click now reruns this script
                with errors_shown():
                    keep_photo(photo.key, photo.name, data, found)
            results[photo.key] = found
        except ImageError as error:
            results[photo.key] = error
    bar.empty()
    for key in results.keys() - {photo.key for photo in photos}:
        del results[key]
    return results


with st.container(horizontal=True, vertical_alignment="center"):
    begin_page("Photo")
    settings = st.popover("Settings", icon=":material/tune:")
with settings:
    choose_model()
    threshold = threshold_slider(model_info().reading(chosen_faces()).unsure_below)
photos = chosen_photos()
kept = []
with errors_shown():
    kept = [] if photos else kept_photos()
with settings:
    other = None if kept else compared_model()
if not photos and not kept:
    st.markdown(
        "Upload or paste photos, take one with the camera, or try a sample. Every face gets a number and its "
        "expression."
    )
    privacy_note()
    for name in RESULTS:
        st.session_state.pop(name, None)
    load_recognizer()  # while the visitor looks for a file
    st.stop()

model = used_model()
results: dict[str, PhotoResult | ImageError]
others: dict[str, PhotoResult | ImageError] = {}
if kept:
    labels = kept[0][1].labels
    photos = [
        Photo(
            result.id,
            result.name,
            picture.read_bytes if picture else bytes,
            picture is not None,
            result.model_sha,
            is_new=False,
        )
        for result, _, _, picture in kept
    ]
    results = {result.id: found for result, _, found, _ in kept}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"Kept earlier, recognized by {literal(kept[0][0].model)}.", width="content")
        if st.button("New photos", icon=":material/add:"):
            forget_kept()
            st.rerun()
        there = [
            Photo(result.id, name_of_file(result), picture.read_bytes) for result, _, _, picture in kept if picture
        ]
        hint = "Uses the chosen model. Then you can rotate it and compare models."
        if len(there) == len(kept) and st.button("Analyze again", icon=":material/refresh:", help=hint):
            st.session_state.setdefault(TURNS, {}).update({result.id: found.turns for result, _, found, _ in kept})
            open_photos(there)
else:
    labels = model.recognizer.info.labels
    with st.spinner("Looking for faces …"):
        results = recognized(model.recognizer, photos)
        others = recognized(other.recognizer, photos, RESULTS[1]) if other else {}
    address_photos(photo.key for photo in photos)
table = []
for photo in photos:
    result = results[photo.key]
    if isinstance(result, ImageError):
        st.error(literal(f"{photo.name}: {result}"), icon=":material/broken_image:")
        table.append(PictureResult(photo.name, error=str(result)))
    else:
        same = others.get(photo.key)
        show_photo(photo, result, model, threshold, (same, other) if other and isinstance(same, PhotoResult) else None)
        table.append(PictureResult(photo.name, tuple(item.face for item in result.faces), None, result.size_wh))
with errors_shown(), st.container(horizontal=True):
    said = said_labels()  # here, because the thread that makes the files does not know the visitor
    download_figures("faces", lambda: to_csv(table, labels, threshold, said), lambda: to_json(table, threshold, said))
privacy_note()
