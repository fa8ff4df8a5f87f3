"""The entry of the app: `streamlit run streamlit_app.py`."""

import streamlit as st

from fer.display.widgets import app_icon

st.set_page_config(page_icon=app_icon(), layout="wide")

page = st.navigation(
    [
        st.Page("pages/home.py", title="Home", icon=":material/home:", default=True),
        st.Page("pages/photo.py", title="Photo", icon=":material/photo_camera:"),
        st.Page("pages/webcam.py", title="Webcam", icon=":material/videocam:"),
    ]
)
st.set_page_config(page_title=f"{page.title} · Expression Studio")
page.run()
