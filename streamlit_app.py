"""The entry of the app: `streamlit run streamlit_app.py`."""

import streamlit as st

from fer.errors import PackageMissingError
from pages.parts.navigation import app_icon, navigation

st.set_page_config(page_icon=app_icon(), layout="wide")
page = navigation()
st.set_page_config(page_title=f"{page.title} · Expression Studio")
try:
    page.run()
except ModuleNotFoundError as error:  # training and evaluation need packages that the app alone does not bring
    st.error(str(PackageMissingError.from_import(error)), icon=":material/deployed_code:")
