"""Many photos at once: choose, watch, look at the table, take it along."""

import streamlit as st

from fer.collection.job import find
from pages.parts.folder_job import show_job
from pages.parts.folder_new import JOB, new_job
from pages.parts.models import choose_model, model_info
from pages.parts.navigation import through_entry
from pages.parts.places import collections_folder
from pages.parts.session import show_failure

through_entry("pages/folder.py")
st.title("Many photos")
# The address holds it, so that a closed tab can be opened again; the session does while other pages are looked at.
asked_for = st.query_params.get(JOB) or st.session_state.get(JOB)
seen = find(collections_folder(), asked_for) if asked_for else None
if seen:
    st.query_params[JOB] = st.session_state[JOB] = seen.name
    show_failure()
    show_job(seen)
else:
    st.query_params.pop(JOB, None)
    choose_model()
    model_info()  # a model that cannot be read is said before somebody looks for photos
    show_failure()
    if asked_for:
        st.info("What was here has been deleted.", icon=":material/delete:")
        st.session_state.pop(JOB, None)
    new_job()
