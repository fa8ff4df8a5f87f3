"""Errors, actions and lasting choices in a visitor's session."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

from fer.errors import FerError, PackageMissingError, problem_of
from fer.files import changed_ns
from pages.parts.permissions import for_visitor

_FAILURE, _MENTIONED = "failure", "mentioned"


def forget_upload(file_id: str) -> None:
    """Free the memory of an uploaded file after it was copied to disk."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def session_id() -> str:
    """Return the ID of this visitor's session, which lasts as long as the page is open."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def attempt(action: Callable[[], object]) -> NoReturn:
    """Perform a button's action and rerun the page, which shows the error if there was one (`show_failure`).

    A callback of the button would only see the values that other fields had before the click.
    """
    try:
        action()
    except (FerError, OSError) as error:
        st.session_state[_FAILURE] = problem_of(error)
    st.rerun()


def mention(message: str) -> None:
    """Show a message on the page that opens next, which a message on this page would not outlive."""
    st.session_state[_MENTIONED] = message


def show_failure() -> None:
    """Show the error of the last action and what is to be mentioned, once."""
    if message := st.session_state.pop(_MENTIONED, None):
        st.info(for_visitor(message), icon=":material/info:")
    if message := st.session_state.pop(_FAILURE, None):
        st.error(for_visitor(message), icon=":material/error:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error raised inside instead of the rest of the block; for a missing package, how to install it."""
    try:
        yield
    except ModuleNotFoundError as error:
        st.error(str(PackageMissingError.from_import(error)), icon=":material/deployed_code:")
    except (FerError, OSError) as error:
        st.error(for_visitor(problem_of(error)), icon=":material/error:")


def lasting(name: str, shown: object) -> dict[str, Any]:
    """Return arguments that keep a widget's choice while other pages are open; Streamlit would forget it.

    Args:
        name: the key of the choice in the session, set once the visitor chooses.
        shown: what the widget shows: the choice, or a default if the choice is no longer available.
    """
    widget = f"{name}_widget"
    st.session_state[widget] = shown
    return {"key": widget, "on_change": lambda: st.session_state.update({name: st.session_state[widget]})}


def _as_it_is(path: Path) -> tuple[str, int]:
    return str(path), changed_ns(path)


FILES_AS_THEY_ARE: dict[str | type, Callable[[Any], object]] = {type(Path()): _as_it_is}
"""For Streamlit's caches: a rewritten file counts as a new one."""
