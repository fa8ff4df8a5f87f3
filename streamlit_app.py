"""The entry of the app: `streamlit run streamlit_app.py`."""

import streamlit as st

from pages.parts.navigation import app_icon, navigation

st.set_page_config(page_icon=app_icon(), layout="wide")
page = navigation()
st.set_page_config(page_title=f"{page.title} · Expression Studio")
page.run()
