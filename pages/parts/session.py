"""What a visitor's session is asked and told."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import streamlit as st
from streamlit import runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer.errors import FerError

if TYPE_CHECKING:
    pass

_FAILURE = "failure"


def presence() -> Callable[[], bool]:
    """Return what says, from any thread, whether this visitor's page is still open."""
    context = get_script_run_ctx()
    if context is None or not runtime.exists():  # in tests there is nobody to leave
        return lambda: True
    return partial(runtime.get_instance().is_active_session, context.session_id)


def forget_upload(file_id: str) -> None:
    """Free the memory that an uploaded file takes, once it was copied to the disk."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def attempt(action: Callable[[], object]) -> NoReturn:
    """Do what a pressed button says and show the page anew, with what went wrong (`show_failure`).

    Not in a callback of the button: that would know only what the other fields said before the press.
    """
    try:
        action()
    except FerError as error:
        st.session_state[_FAILURE] = str(error)
    st.rerun()


def show_failure() -> None:
    """Show what went wrong with the last button, once."""
    if message := st.session_state.pop(_FAILURE, None):
        st.error(message, icon=":material/error:")
