"""Train a model: choose pictures, start, watch the run, use the result."""

import streamlit as st

from fer.training import runs
from pages.parts.models import runs_folder
from pages.parts.navigation import begin_page
from pages.parts.permissions import refuse, training_allowed
from pages.parts.session import errors_shown
from pages.parts.widgets import one_of

begin_page("Training")
with errors_shown():
    # Imported late, because they need packages that the app alone does not install.
    from pages.parts.training_runs import ADDRESS, all_runs
    from pages.parts.training_setup import NEW, RUNS, new_training

    allowed = training_allowed()
    views = runs.views(runs_folder())
    if not allowed:
        refuse("Training, deleting and reading folders are")
        all_runs(views, allowed)
        st.stop()
    if st.session_state.pop("training_started", False):
        st.session_state["training_section"] = RUNS
    elif "training_section" not in st.session_state:
        at_work = ADDRESS in st.query_params or any(view.active for view in views)
        st.session_state["training_section"] = RUNS if at_work else NEW
    if one_of("Section", [NEW, RUNS], "training_section") == NEW:
        st.query_params.pop(ADDRESS, None)
        new_training(views)
    else:
        all_runs(views, allowed)
