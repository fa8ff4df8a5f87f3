"""Train a model: choose pictures, start, watch, use the result."""

import streamlit as st

from fer.training import runs
from pages.parts.navigation import through_entry
from pages.parts.permissions import training_allowed
from pages.parts.places import runs_folder
from pages.parts.session import show_failure
from pages.parts.training_runs import all_runs
from pages.parts.training_setup import NEW, RUNS, new_training

through_entry("pages/training.py")
st.title("Training")
allowed = training_allowed()
show_failure()
views = runs.views(runs_folder())
if not allowed:
    st.info(
        "Training, deleting and reading folders are switched off for visitors from other machines. Whoever runs the "
        "app allows them with FER_ALLOW_TRAINING=1 in its environment.",
        icon=":material/lock:",
    )
    all_runs(views, allowed)
    st.stop()
if st.session_state.pop("training_started", False):
    st.session_state["training_section"] = RUNS
elif "training_section" not in st.session_state:
    st.session_state["training_section"] = RUNS if any(view.active for view in views) else NEW
section = st.segmented_control(
    "Section", [NEW, RUNS], key="training_section", required=True, label_visibility="collapsed"
)
if section == NEW:
    new_training(views)
else:
    all_runs(views, allowed)
