"""The start page: drop files, see an example, find the latest results, read how good the model is."""

import time

import numpy as np
import streamlit as st

from fer.collection.job import KIND
from fer.draw.picture import draw_faces
from fer.evaluation.report import Report
from fer.faces import describe, percent
from fer.model.checkpoint import ModelInfo
from fer.names import literal
from pages.parts.corrections import privacy_note
from pages.parts.folder_new import FOLDER
from pages.parts.handover import hand_over
from pages.parts.kept_jobs import leave
from pages.parts.kept_pictures import show_offer
from pages.parts.models import load_recognizer, model_info, shipped_report
from pages.parts.navigation import begin_page
from pages.parts.paste import paste_button
from pages.parts.photo_source import open_photos, sample_photo
from pages.parts.result_list import change_settings, parts_of, show_thumbnail
from pages.parts.results import address_of, job_of, result_store
from pages.parts.samples import PHOTO, sample_picture, sample_result
from pages.parts.session import attempt, errors_shown
from pages.parts.visitor import owner
from pages.parts.widgets import legend_html, text

LATEST = 4
"""How many results this page shows."""


def show_figures(info: ModelInfo, report: Report) -> None:
    """Show how good the model is, and on what it was measured."""
    figures = (
        (
            "Accuracy",
            percent(report.accuracy.value, 1),
            "Share of test pictures where the model agrees with most raters.",
        ),
        (
            "Macro F1",
            f"{report.macro_f1.value:.2f}",
            "Averaged over the expressions, so rare ones count as much as frequent ones.",
        ),
        (
            "Calibration error",
            percent(report.calibration.expected_calibration_error, 1),
            "Average gap between confidence and accuracy.",
        ),
        ("Test pictures", f"{report.n:,}", "On each, more than half of ten raters agreed."),
    )
    for column, (name, value, hint) in zip(st.columns(4), figures, strict=True):
        column.metric(name, value, help=hint, border=True)
    beside_people = (
        " On the same pictures, a single human rater agrees with most other raters "
        f"{percent(report.agreement.rater.value, 1)} of the time; the model does "
        f"{percent(report.agreement.model.value, 1)} of the time."
        if report.agreement
        else ""
    )
    st.caption(
        f"{literal(info.architecture)} on {info.preprocessing.size_px}-pixel faces, measured without test-time "
        f"augmentation on {literal(report.basis)}.{beside_people} Expect less on other people's photos."
    )
    recalls = {label: figures.recall.value for label, figures in report.per_class.items()}
    seldom = ", ".join(f"{label} (recall {percent(recall)})" for label, recall in recalls.items() if recall < 0.5)
    if seldom:
        st.caption(f":material/warning: Often missed, because the data set has few examples: {literal(seldom)}.")


def take_what_is_dropped() -> None:
    """Accept photos, a folder, ZIPs or a video and go to the right page with them."""
    visit = st.session_state.get("home_visit", 0)
    with st.container(key="drop", gap="small"):
        uploads = st.file_uploader(
            "Drop photos, a folder or ZIP of them, or a video here",
            accept_multiple_files=True,
            key=f"home_uploads {visit}",
        )
        with st.container(horizontal=True):
            if st.button("Open a folder", icon=":material/drive_folder_upload:"):
                leave(KIND)
                st.session_state["folder_source"] = FOLDER
                st.switch_page("pages/folder.py")
            if st.button("Use the webcam", icon=":material/videocam:"):
                st.switch_page("pages/webcam.py")
            paste_button(key="paste")
    if uploads:
        st.session_state["home_visit"] = visit + 1  # an empty widget, should they be of no use
        with st.spinner("Opening …"):
            attempt(lambda: hand_over(uploads))


def show_example() -> None:
    """Show a sample recognized by the visitor's model; computed once per model."""
    found = sample_result(load_recognizer(), PHOTO)
    faces = [item.shown for item in found.faces]
    image = draw_faces(sample_picture(PHOTO), faces)
    label = describe(faces[0])
    st.image(np.ascontiguousarray(image[:400]), width="stretch", alt=f"A photo whose face is marked: {label}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Recognized on the machine that runs the app.", width="content")
        if st.button("Look closer", type="tertiary", icon=":material/zoom_in:"):
            open_photos([sample_photo(PHOTO)])


def show_latest() -> None:
    """Show the latest results, if there are any."""
    store = result_store()
    latest = store.list(owner(), limit=LATEST).results
    if not latest:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.subheader("Latest results", width="content")
        st.page_link("pages/results.py", label="All results", icon=":material/history:")
    now = time.time()
    with st.container(horizontal=True):
        for result in latest:
            seen = job_of(result)
            page, said = address_of(result, seen)
            parts = parts_of(result, seen, now)
            with st.container(border=True, width=205, horizontal=True, gap="small", key=f"latest {result.id}"):
                show_thumbnail(store, result)
                with st.container(gap=None, width=113):
                    st.page_link(page, label=literal(result.name), query_params=said)
                    st.caption(literal(f"{parts['shown'] or parts['found']} · {parts['when']}"))


begin_page("See the expression of every face")
where = (
    "It runs on your machine: no picture leaves it."
    if owner() == ""
    else "Your pictures go to the machine that runs it, and nowhere else."
)
st.markdown(f"Expression Studio reads photos, videos and your webcam. {where}")
info, report = model_info(), shipped_report()
columns = st.columns([3, 2], gap="medium") if report else [st.container()]
with columns[0]:
    take_what_is_dropped()
with errors_shown():
    show_latest()

st.subheader("The model", divider="gray")
if report:
    show_figures(info, report)
else:
    st.caption(
        f"Your own model: {literal(info.architecture)} on {info.preprocessing.size_px}-pixel faces. It has no report."
    )
st.html(legend_html(info.labels))

st.subheader("What it cannot tell you", divider="gray")
st.markdown(text("home"))
privacy_note()
with errors_shown():
    show_offer(result_store(), owner())
    change_settings(result_store(), owner(), "Change what is kept")
if report:  # your own model may need PyTorch, which takes seconds to load
    with columns[1]:
        show_example()
