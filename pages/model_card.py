"""The model card: what a model is for, how good it is, where it fails; all tables are folded away."""

import streamlit as st

from fer.names import literal
from fer.reports.card import card_of
from pages.parts.evaluation_reports import choose_report, may_see_paths
from pages.parts.navigation import begin_page
from pages.parts.session import errors_shown
from pages.parts.widgets import download

begin_page()
with errors_shown():
    path = choose_report()
    if path and may_see_paths(path):
        card = card_of(path)
        st.html("<style>[data-testid=stMarkdownContainer] table { display: block; overflow-x: auto; }</style>")
        st.markdown(card.first)
        with st.container(horizontal=True):
            for example in card.failures:
                with st.container(width=130):  # six in a row
                    st.image(example.picture, caption=literal(example.caption))
        for title, text in card.details.items():
            with st.expander(title):
                st.markdown(text)
        download("Model card (Markdown)", card.markdown(), "model-card.md")
    elif path:
        st.info("Not available to remote visitors: this card names paths on the app's machine.", icon=":material/lock:")
