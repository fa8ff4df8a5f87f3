"""What this is, which model is loaded and how good it was measured to be."""

import streamlit as st

from fer.evaluation.report import Report
from fer.faces import percent
from fer.model.checkpoint import ModelInfo
from fer.names import literal
from pages.parts.models import model_info, shipped_report
from pages.parts.navigation import begin_page
from pages.parts.results import privacy_note
from pages.parts.widgets import legend_html, text

WAYS = {
    "Open a photo": ("photo", "photo_camera"),
    "Do many photos": ("folder", "photo_library"),
    "Start the webcam": ("webcam", "videocam"),
    "Open a video": ("video", "movie"),
    "Train a model": ("training", "model_training"),
}
"""What can be done → page and icon."""


def show_figures(info: ModelInfo, report: Report) -> None:
    """Show how good the model was measured to be, and on what."""
    figures = (
        ("Accuracy", percent(report.accuracy.value, 1), "Share of test pictures named as most raters named them."),
        ("Macro F1", f"{report.macro_f1.value:.2f}", "Mean over the expressions, the rare ones counting as much."),
        (
            "Calibration error",
            percent(report.calibration.expected_calibration_error, 1),
            "How far confidence and accuracy are apart.",
        ),
        ("Test pictures", f"{report.n:,}", "More than half of ten raters agreed on each."),
    )
    for column, (name, value, hint) in zip(st.columns(4), figures, strict=True):
        column.metric(name, value, help=hint, border=True)
    beside_people = (
        " On the same pictures a single human rater agrees with most of the other raters in "
        f"{percent(report.agreement.rater.value, 1)}, the model with the same raters in "
        f"{percent(report.agreement.model.value, 1)}."
        if report.agreement
        else ""
    )
    st.caption(
        f"{literal(info.architecture)} on {info.preprocessing.size_px}-pixel faces, measured without test-time "
        f"augmentation on {literal(report.basis)}.{beside_people} On other people's photos expect less."
    )
    recalls = {label: figures.recall.value for label, figures in report.per_class.items()}
    seldom = ", ".join(f"{label} ({percent(recall)} of them)" for label, recall in recalls.items() if recall < 0.5)
    if seldom:
        st.caption(f":material/warning: Seldom recognized, as the data set shows few of them: {literal(seldom)}.")


begin_page("pages/home.py", "Expression Studio")
st.markdown(
    "Drop a photo or a video or point the webcam, and see every face with the expression it seems to show, mixed ones "
    "too. Everything runs on this machine."
)
with st.container(horizontal=True):
    for label, (page, icon) in WAYS.items():
        if st.button(label, type="primary" if page == "photo" else "secondary", icon=f":material/{icon}:"):
            st.switch_page(f"pages/{page}.py")

info = model_info()
st.subheader("The model", divider="gray")
if report := shipped_report():
    show_figures(info, report)
else:
    st.caption(
        f"{literal(info.architecture)} on {info.preprocessing.size_px}-pixel faces; a model of your own, no report "
        "with it."
    )
st.html(legend_html(info.labels))

st.subheader("What it does not tell", divider="gray")
st.markdown(text("home"))
privacy_note()
