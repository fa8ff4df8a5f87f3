"""The confusion matrix as a table of buttons.

Plotly's five megabytes of script would take longer than all the rest of the page's opening, and a table of buttons can
be used with a finger, with a keyboard and by a screen reader.
"""

from collections.abc import Callable

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
}
button:hover { outline: 2px solid #D55E00; }
button[aria-pressed=true] { outline: 3px solid #D55E00; outline-offset: -1px; }
button:focus-visible { outline: 3px solid var(--st-primary-color); }
"""
_JS = """
export default function ({ parentElement, data, setTriggerValue }) {
  const make = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const focused = parentElement.activeElement?.id;
  const table = make("table", "", { style: `min-width: ${5.4 + 2 * data.labels.length}rem` });
  const columns = make("colgroup", ""), head = make("tr", "");
  columns.append(make("col", ""), ...data.labels.map(() => make("col", "")));
  head.append(make("td", "truth ↓ answer →", { class: "axis" }));
  for (const label of data.labels) {
    const cell = make("th", "", { scope: "col" });
    cell.append(make("span", label));
    head.append(cell);
  }
  table.append(columns, head);
  data.labels.forEach((truth, row) => {
    const line = make("tr", "");
    line.append(make("th", truth, { scope: "row" }));
    data.labels.forEach((answer, column) => {
      const count = data.counts[row][column], share = data.shares[row][column];
      const words = `${truth} taken for ${answer}: ${count} (${Math.round(share)} %)`;
      const button = make("button", data.in_percent ? Math.round(share) : count.toLocaleString("en"), {
        id: `field-${row}-${column}`,
        title: words,
        "aria-label": words,
        "aria-pressed": row === data.chosen?.[0] && column === data.chosen?.[1],
        style: `background: color-mix(in srgb, #4C97D4 ${share}%, #EEF3F8)`,
      });
      button.onclick = () => setTriggerValue("field", [row, column]);
      const cell = make("td", "");
      cell.append(button);
      line.append(cell);
    });
    table.append(line);
  });
  parentElement.querySelector(".scroll").replaceChildren(table);
  if (focused) parentElement.getElementById(focused)?.focus();
}
"""
_component = st.components.v2.component("confusion_matrix", html='<div class="scroll"></div>', css=_CSS, js=_JS)


def confusion_matrix(
    report: Report, in_percent: bool, chosen: tuple[int, int] | None, key: str, on_field: Callable[[int, int], None]
) -> None:
    """Show what was taken for what: rows are the truth, columns the answers, each row coloured by its shares.

    Args:
        report: of a model.
        in_percent: shares of each row instead of counts.
        chosen: a field to be marked, (truth, answer).
        key: of this element.
        on_field: called with the field that was clicked, (truth, answer).
    """
    counts = np.array(report.confusion)
    shares = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    def take_click() -> None:
        if field := st.session_state[key].field:
            on_field(*field)

    _component(
        data={
            "labels": list(report.labels),
            "counts": counts.tolist(),
            "shares": shares.tolist(),
            "in_percent": in_percent,
            "chosen": chosen,
        },
        key=key,
        on_field_change=take_click,
    )
