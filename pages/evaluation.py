"""How good a model is: read a report, compare models, evaluate one, inspect a data set."""

import streamlit as st

from pages.parts.evaluation_report import one_report
from pages.parts.evaluation_reports import choose_report
from pages.parts.navigation import begin_page
from pages.parts.session import errors_shown
from pages.parts.widgets import one_of

REPORT, COMPARE, EVALUATE, DATA = "Report", "Compare", "Evaluate", "Data set"
SECTIONS = {
    REPORT: ":material/insights: Report",
    COMPARE: ":material/compare_arrows: Compare",
    EVALUATE: ":material/play_circle: Evaluate",
    DATA: ":material/photo_library: Data set",
}
ADDRESS = "section"
"""What the address calls the part of the page that is looked at: a reload in the middle of an evaluation shows it."""

begin_page("Evaluation")
if st.session_state.pop("evaluation_ended", False):
    st.session_state["evaluation_section"] = REPORT
elif "evaluation_section" not in st.session_state and (asked := st.query_params.get(ADDRESS)) in SECTIONS:
    st.session_state["evaluation_section"] = asked
section = one_of("Section", SECTIONS, "evaluation_section")
if section == REPORT:  # whose address is that of the report
    st.query_params.pop(ADDRESS, None)
else:
    st.query_params.from_dict({ADDRESS: section})
with errors_shown():
    # The other sections are imported on demand, so that the report opens at once.
    if section == COMPARE:
        from pages.parts.evaluation_compare import compare_reports

        compare_reports()
    elif section == EVALUATE:
        from pages.parts.evaluation_start import evaluate_models

        evaluate_models()
    elif section == DATA:
        from pages.parts.evaluation_dataset import look_at_dataset

        look_at_dataset()
    elif path := choose_report():
        one_report(path)
