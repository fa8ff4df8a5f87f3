"""The app's entry point: `streamlit run streamlit_app.py`. The server imports it once and runs it for every visitor."""

import importlib
import sys

import streamlit as st

if __name__ == "__main__":
    from pages.parts.navigation import navigation
    from pages.parts.session import errors_shown

    if "pandas" in sys.modules:  # charts fail while another visitor's page is still importing it, so wait for that
        importlib.import_module("pandas")
    page = navigation()
    st.set_page_config(page_title=f"{page.title} · Expression Studio")
    with errors_shown():
        page.run()
else:
    from pages.parts.server import SERVING

    app = st.App(__file__, **SERVING)
