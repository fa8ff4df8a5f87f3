"""The results page: a list of all results, the newest first, or the result in the page's address."""

import streamlit as st

from pages.parts.kept_jobs import adopt_jobs
from pages.parts.navigation import begin_page
from pages.parts.result_actions import show_undo
from pages.parts.result_list import show_list
from pages.parts.result_view import back_button, show_result
from pages.parts.results import ADDRESS, result_store, show_missing
from pages.parts.session import errors_shown
from pages.parts.visitor import owner

asked = st.query_params.get(ADDRESS)
begin_page("" if asked else "Results")
with errors_shown():
    store = result_store()
    store.sweep()
    if not st.session_state.setdefault("jobs_adopted", False):
        adopt_jobs(store)
        st.session_state["jobs_adopted"] = True
    if asked is None:
        show_list(store, owner())
    elif mine := store.get(asked, owner()):
        show_result(store, mine, is_mine=True)
    elif shared := store.open_shared(asked):
        show_result(store, shared, is_mine=False)
    else:
        st.title("Results")
        show_missing()
        back_button()
    show_undo(store, owner())
