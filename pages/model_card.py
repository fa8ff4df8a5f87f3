"""The model card: what a model is for and not for, and how good it is."""

import streamlit as st

from fer.reports.card import model_card
from pages.parts.evaluation_reports import choose_report, may_see_paths, report_at
from pages.parts.navigation import begin_page
from pages.parts.session import errors_shown
from pages.parts.widgets import download

begin_page("pages/model_card.py")
with errors_shown():
    path = choose_report()
    if path and may_see_paths(path):
        card = model_card(report_at(path))
        st.markdown(card)
        download("Model card (Markdown)", card, "MODEL_CARD.md")
    elif path:
        st.info("The card of this model names paths of the machine it was measured on.", icon=":material/lock:")
