"""What a visitor's session is asked and told."""

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

_FAILURE = "failure"


def forget_upload(file_id: str) -> None:
    """Free the memory that an uploaded file takes, once it was copied to the disk."""
    context = get_script_run_ctx()
    if context is not None and isinstance(context.uploaded_file_mgr, MemoryUploadedFileManager):
        context.uploaded_file_mgr.remove_file(context.session_id, file_id)


def session_id() -> str:
    """Return what the server knows this visitor by, for as long as the page is open."""
    context = get_script_run_ctx()
    return context.session_id if context else ""


def attempt(action: Callable[[], object]) -> NoReturn:
    """Do what a pressed button says and show the page anew, with what went wrong (`show_failure`).

    Not in a callback of the button: that would know only what the other fields said before the press.
    """
    try:
        action()
    except (FerError, OSError) as error:
        st.session_state[_FAILURE] = problem_of(error)
    st.rerun()


def show_failure() -> None:
    """Show what went wrong with the last button, once."""
    if message := st.session_state.pop(_FAILURE, None):
        st.error(for_visitor(message), icon=":material/error:")


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show what goes wrong within, in place of the rest of it; of a package that is missing, what brings it."""
    try:
        yield
    except ModuleNotFoundError as error:
        st.error(str(PackageMissingError.from_import(error)), icon=":material/deployed_code:")
    except (FerError, OSError) as error:
        st.error(for_visitor(problem_of(error)), icon=":material/error:")


def lasting(name: str, shown: object) -> dict[str, Any]:
    """Return the arguments that let a widget's choice last while other pages are looked at; Streamlit forgets it then.

    Args:
        name: of the choice in the session; nothing is there before somebody chooses.
        shown: what the widget is to show: the choice, or what stands for it where it is not to be had any more.
    """
    widget = f"{name}_widget"
    st.session_state[widget] = shown
    return {"key": widget, "on_change": lambda: st.session_state.update({name: st.session_state[widget]})}


def _as_it_is(path: Path) -> tuple[str, int]:
    return str(path), changed_ns(path)


FILES_AS_THEY_ARE: dict[str | type, Callable[[Any], object]] = {type(Path()): _as_it_is}
"""For Streamlit's caches: a file that was written anew is another one."""
