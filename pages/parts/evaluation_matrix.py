"""The confusion matrix as a table of buttons.

Plotly's five megabytes of script would take longer than all the rest of the page's opening, and a table of buttons can
be used with a finger, with a keyboard and by a screen reader.
"""

import html
from collections.abc import Callable, Sequence

import numpy as np
import streamlit as st

from fer.evaluation.report import Report

_CSS = """
.scroll { overflow-x: auto; }
table { border-collapse: separate; border-spacing: 2px; font: 0.875rem var(--st-font); color: var(--st-text-color); }
table { width: 100%; max-width: 34rem; table-layout: fixed; }
col:first-child { width: 5.4rem; }
col { width: 2rem; }
th { font-weight: normal; }
th[scope=row] { text-align: right; padding-right: 0.4rem; overflow-wrap: anywhere; }
th[scope=col] { vertical-align: bottom; height: 5.2rem; padding: 0 0 0.3rem; }
th[scope=col] span { writing-mode: vertical-rl; transform: rotate(180deg); white-space: nowrap; }
.axis { opacity: 0.75; font-size: 0.8rem; text-align: right; vertical-align: bottom; padding: 0 0.4rem 0.3rem 0; }
td { padding: 0; }
button {
  width: 100%; height: 2.5rem; padding: 0; border: 0; border-radius: 0.2rem; cursor: pointer;
  font: inherit; font-variant-numeric: tabular-nums; color: #111827;
  background: color-mix(in srgb, #4C97D4 var(--share), #EEF3F8);
}
button:hover { outline: 2px solid #D55E00; }
button[aria-pressed=true] { outline: 3px solid #D55E00; outline-offset: -1px; }
button:focus-visible { outline: 3px solid var(--st-primary-color); }
"""
_JS = """
export default function ({ parentElement, data, setTriggerValue }) {
  const focused = parentElement.activeElement?.id, box = parentElement.querySelector(".scroll");
  box.innerHTML = data;
  box.onclick = ({ target }) => target.matches("button") && setTriggerValue("field", target.id.split(" ").map(Number));
  if (focused) parentElement.getElementById(focused)?.focus();
}
"""
_component = st.components.v2.component("confusion_matrix", html='<div class="scroll"></div>', css=_CSS, js=_JS)


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

    _component(data=_table(report, in_percent, list(chosen)), key=key, on_field_change=take_click)


def _table(report: Report, in_percent: bool, chosen: list[int]) -> str:
    """Return the table as HTML. The id of a button is its row and its column."""
    counts = np.array(report.confusion)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    labels = [html.escape(label) for label in report.labels]
    head = "".join(f'<th scope="col"><span>{label}</span></th>' for label in labels)
    rows = [f'<tr><td class="axis">truth ↓ answer →</td>{head}</tr>']
    for row, truth in enumerate(labels):
        fields = f'<th scope="row">{truth}</th>'
        for column, answer in enumerate(labels):
            count, share = counts[row, column], shares[row, column]
            words = f"{truth} taken for {answer}: {count} ({share:.0f} %)"
            pressed = str([row, column] == chosen).lower()
            fields += (
                f'<td><button id="{row} {column}" title="{words}" aria-label="{words}" aria-pressed="{pressed}" '
                f'style="--share: {share}%">{f"{share:.0f}" if in_percent else f"{count:,}"}</button></td>'
            )
        rows.append(f"<tr>{fields}</tr>")
    columns = "<col>" * (1 + len(labels))
    style = f"min-width: {5.4 + 2 * len(labels)}rem"
    return f'<table style="{style}"><colgroup>{columns}</colgroup>{"".join(rows)}</table>'
