"""Compare two or more models on the same pictures."""

from functools import partial
from pathlib import Path

import numpy as np
import streamlit as st

from fer.charts.chart import Chart
from fer.charts.comparison import class_deltas, differences, training_curves
from fer.evaluation.comparison import Comparison, compare
from fer.evaluation.predictions import Predictions
from fer.faces import percent
from fer.names import literal, not_a_formula
from fer.reports.evaluation import html_chart
from fer.reports.rendering import between
from fer.training import runs as training_runs
from pages.parts.evaluation_charts import show_chart
from pages.parts.evaluation_pictures import pictures_of, show_pictures
from pages.parts.evaluation_reports import evaluation_at, name_of, report_at, saved_reports, short_names
from pages.parts.models import runs_folder
from pages.parts.session import FILES_AS_THEY_ARE
from pages.parts.widgets import download, one_of

BETTER, WORSE, OTHERWISE = "Only the second is right", "Only the first is right", "Both wrong in different ways"


def compare_reports() -> None:
    """Ask for reports and compare all others with the first."""
    reports = saved_reports()
    if len(reports) < 2:
        st.info(
            "Comparing takes two reports on the same pictures. Make them under **Evaluate**.",
            icon=":material/compare_arrows:",
        )
        return
    chosen = st.multiselect(
        "Reports (all are compared with the first)",
        reports,
        format_func=name_of,
        placeholder="Choose two or more …",
        key="comparison_reports",
    )
    if len(chosen) < 2:
        st.caption("They must share data set, split and rule, so that only the model differs.")
        return
    names = short_names(chosen)
    first, others = chosen[0], {names[path]: path for path in chosen[1:]}
    comparisons = {name: _compared(first, path) for name, path in others.items()}
    show_figures(first, names, dict(zip(others.values(), comparisons.values(), strict=True)))
    charts = [differences(names[first], comparisons), class_deltas(names[first], comparisons)]
    for column, chart in zip(st.columns(2, gap="large"), charts, strict=True):
        with column:
            show_chart(chart, _basis(first), "comparison")
    charts += show_training(chosen)
    with st.container(horizontal=True):
        for chart in charts:
            download(literal(f"{chart.title} (HTML)"), partial(html_chart, chart), f"{chart.name}.html")
    show_differing(first, names[first], others, comparisons)


def show_figures(first: Path, names: dict[Path, str], comparisons: dict[Path, Comparison]) -> None:
    """Show the figures and whether the differences could be chance."""
    report, first_name = report_at(first), names[first]
    only = "only this right", f"only {first_name} right"
    columns = ("model", "reading", "accuracy", "macro F1", "Δ accuracy", "Δ macro F1", *only, "p")
    own = (
        not_a_formula(first_name),
        report.model.read_as,
        percent(report.accuracy.value, 1),
        f"{report.macro_f1.value:.2f}",
    )
    rows = [dict(zip(columns, (*own, *["–"] * (len(columns) - len(own))), strict=True))]
    for path, one in comparisons.items():
        values = (
            not_a_formula(names[path]),
            report_at(path).model.read_as,
            percent(one.accuracies[1], 1),
            f"{one.macro_f1s[1]:.2f}",
            f"{100 * one.accuracy.value:+.1f} ({between(one.accuracy, unit='')})",
            f"{100 * one.macro_f1.value:+.1f} ({between(one.macro_f1, unit='')})",
            f"{one.only_b_right:,}",
            f"{one.only_a_right:,}",
            f"{one.p_value:.2g}",
        )
        rows.append(dict(zip(columns, values, strict=True)))
    st.markdown(f"On **{literal(report.basis)}**.")
    for path, name in names.items():
        if knew := report_at(path).knew:
            how, count = knew
            note = f"{name} was {how} {count:,} of these pictures or duplicates of them: its figures may be too high."
            st.warning(literal(note), icon=":material/history_edu:")
    st.dataframe(rows, hide_index=True, key="comparison table")
    st.caption(
        f"Δ: percentage points above {literal(first_name)} with 95 % confidence intervals (paired bootstrap). p: the "
        "probability that two equally good models differ at least this much (McNemar's exact test). For two models, "
        "p < 0.05 is unlikely to be chance; comparing more models calls for a smaller p."
    )


def show_training(chosen: list[Path]) -> list[Chart]:
    """Show the training curves of the runs in one chart and return it; return nothing if there are no curves."""
    runs = dict.fromkeys(path.relative_to(runs_folder()).parts[0] for path in chosen if runs_folder() in path.parents)
    views = [seen for name in runs if (seen := training_runs.view(runs_folder() / name)).metrics]
    if not views:
        return []
    chart = training_curves({seen.name: seen.metrics for seen in views})
    basis = "measured on " + "; ".join(f"{seen.name}: {seen.validated_by}" for seen in views)
    show_chart(chart, basis, "comparison")
    return [chart]


def show_differing(first: Path, first_name: str, others: dict[str, Path], comparisons: dict[str, Comparison]) -> None:
    """Show the pictures where two models disagree."""
    st.markdown("**Pictures where they differ**")
    name = next(iter(others))
    if len(others) > 1:
        name = st.selectbox("Second model", list(others), key="comparison_other")
    one, other = evaluation_at(first).predictions, evaluation_at(others[name]).predictions
    places = np.array(comparisons[name].differing, int)
    groups = grouped(one, other, places)
    kind = one_of("Which", {kind: f"{kind} ({len(groups[kind]):,})" for kind in groups}, "comparison_kind")
    st.caption(literal(f"First: {first_name}; second: {name}. R{_basis(first)[1:]}."))
    dataset = pictures_of(report_at(first), first)
    show_pictures([("first", one), ("second", other)], groups[kind], dataset, f"differing {first} {name} {kind}")


def grouped(one: Predictions, other: Predictions, places: np.ndarray) -> dict[str, np.ndarray]:
    """Return the places where two models differ, grouped by which is right; the labels may be ordered differently."""
    words, words_other = np.array(one.labels), np.array(other.labels)
    truth = words[one.truth[places]]
    right, right_other = words[one.predicted[places]] == truth, words_other[other.predicted[places]] == truth
    return {BETTER: places[right_other], WORSE: places[right], OTHERWISE: places[~right & ~right_other]}


def _basis(first: Path) -> str:
    report = report_at(first)
    return report.data.rule_and_n(report.n)


@st.cache_resource(max_entries=32, show_spinner="Comparing …", hash_funcs=FILES_AS_THEY_ARE)
def _compared(first: Path, other: Path) -> Comparison:
    return compare(evaluation_at(first), evaluation_at(other))
