"""The model card: what a model is for, how good it is and where it fails."""

import streamlit as st

from fer.reports.card import AGAIN, model_card
from pages.parts.evaluation_reports import choose_report, may_see_paths, report_at
from pages.parts.navigation import begin_page
from pages.parts.session import errors_shown
from pages.parts.widgets import download

begin_page("pages/model_card.py")
with errors_shown():
    path = choose_report()
    if path and may_see_paths(path):
        card = model_card(report_at(path))
        shown, _, how = card.partition(f"## {AGAIN}\n")
        st.html("<style>[data-testid=stMarkdownContainer] table { display: block; overflow-x: auto; }</style>")
        st.markdown(shown)
        with st.expander("How this was measured", icon=":material/straighten:"):
            st.markdown(how)
        download("Model card (Markdown)", card, "MODEL_CARD.md")
    elif path:
        st.info(
            "Not available from other machines: this card names paths on the app's machine.", icon=":material/lock:"
        )
