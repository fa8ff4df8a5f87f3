"""Many photos at once: choose, watch, look at the table, take it along."""

import streamlit as st

from fer.collection.job import KIND
from pages.parts.folder_job import show_job
from pages.parts.folder_new import new_job
from pages.parts.jobs import job_looked_at
from pages.parts.models import choose_model, model_info
from pages.parts.navigation import through_entry
from pages.parts.session import show_failure

through_entry("pages/folder.py")
st.title("Many photos")
if seen := job_looked_at(KIND):
    show_failure()
    show_job(seen)
else:
    choose_model()
    model_info()  # a model that cannot be read is said before somebody looks for photos
    show_failure()
    new_job()
