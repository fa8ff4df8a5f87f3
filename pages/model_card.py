"""The model card: what a model is for and not for, and how good it is."""

import streamlit as st

from fer.errors import FerError
from fer.reports.card import model_card
from pages.parts.evaluation_reports import choose_report, is_shipped, report_at
from pages.parts.navigation import through_entry
from pages.parts.permissions import training_allowed

through_entry("pages/model_card.py")
try:
    path = choose_report()
    if path is None:
        st.info("No model was evaluated yet.", icon=":material/description:")
    elif not is_shipped(path) and not training_allowed():
        st.info("The card of this model names paths of the machine it was measured on.", icon=":material/lock:")
    else:
        card = model_card(report_at(path))
        st.markdown(card)
        st.download_button(
            "Model card (Markdown)", card, "MODEL_CARD.md", icon=":material/download:", on_click="ignore"
        )
except FerError as error:
    st.error(str(error), icon=":material/error:")
