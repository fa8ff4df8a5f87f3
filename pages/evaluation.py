"""How good a model is: read a report, compare, measure, look at a data set."""

import streamlit as st

from fer.errors import FerError
from pages.parts.evaluation_report import one_report
from pages.parts.navigation import through_entry
from pages.parts.session import show_failure

REPORT, COMPARE, EVALUATE, DATA = "Report", "Compare", "Evaluate", "Data set"
ICONS = {REPORT: "insights", COMPARE: "compare_arrows", EVALUATE: "play_circle", DATA: "photo_library"}

through_entry("pages/evaluation.py")
st.title("Evaluation")
show_failure()
if st.session_state.pop("evaluation_ended", False):
    st.session_state["evaluation_section"] = REPORT
section = st.segmented_control(
    "Section",
    list(ICONS),
    format_func=lambda name: f":material/{ICONS[name]}: {name}",
    default=REPORT,
    required=True,
    label_visibility="collapsed",
    key="evaluation_section",
)
try:
    # The others are imported when somebody wants them: this one has to open at once.
    if section == COMPARE:
        from pages.parts.evaluation_compare import compare_reports

        compare_reports()
    elif section == EVALUATE:
        from pages.parts.evaluation_start import evaluate_models

        evaluate_models()
    elif section == DATA:
        from pages.parts.evaluation_dataset import look_at_dataset

        look_at_dataset()
    else:
        one_report()
except FerError as error:
    st.error(str(error), icon=":material/error:")
