"""The confusion matrix as a table of buttons.

Plotly's five megabytes of script would take longer than all the rest of the page's opening, and a table of buttons can
be used with a finger, with a keyboard and by a screen reader.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from fer.evaluation.report import Report
from fer.reports.rendering import render

_JS = """
export default function ({ parentElement, data, setTriggerValue }) {
  const focused = parentElement.activeElement?.id, box = parentElement.querySelector(".scroll");
  box.innerHTML = data;
  box.onclick = ({ target }) => target.matches("button") && setTriggerValue("field", target.id.split(" ").map(Number));
  if (focused) parentElement.getElementById(focused)?.focus();
}
"""
_component = st.components.v2.component(
    "confusion_matrix", html='<div class="scroll"></div>', css=".scroll { overflow-x: auto; }", js=_JS
)


def confusion_matrix(
    report: Report, in_percent: bool, chosen: Sequence[int], key: str, on_field: Callable[[int, int], None]
) -> None:
    """Show what was taken for what: rows are the truth, columns the answers, each row coloured by its shares.

    Args:
        report: of a model.
        in_percent: shares of each row instead of counts.
        chosen: a field to be marked, (truth, answer); empty for none.
        key: of this element.
        on_field: called with the field that was clicked, (truth, answer).
    """

    def take_click() -> None:
        if field := st.session_state[key].field:
            on_field(*field)

    table = render("matrix.html", report=report, in_percent=in_percent, chosen=list(chosen))
    _component(data=table, key=key, on_field_change=take_click)
