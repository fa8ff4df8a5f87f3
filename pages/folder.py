"""Many photos at once: choose them, watch the progress, look through the faces, export them."""

import streamlit as st

from fer.collection.job import KIND
from fer.results.result import FOLDER
from pages.parts.folder_job import show_job
from pages.parts.folder_new import new_job
from pages.parts.kept_jobs import job_looked_at
from pages.parts.models import choose_model, model_info
from pages.parts.navigation import begin_page
from pages.parts.result_actions import show_undo
from pages.parts.results import result_store
from pages.parts.session import errors_shown
from pages.parts.visitor import owner

with st.container(horizontal=True, vertical_alignment="center"):
    begin_page("Many photos")
    corner = st.empty()
with errors_shown():
    seen, result = job_looked_at(KIND)
    if seen:
        show_job(seen, result)
    else:
        model_info()  # what is wrong with the model has to be said where everybody sees it
        with corner.popover("Settings", icon=":material/tune:"):
            choose_model()
        new_job()
    show_undo(result_store(), owner(), FOLDER)
