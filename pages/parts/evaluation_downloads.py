"""What a report is about, and all of it as files."""

from functools import partial
from pathlib import Path

import streamlit as st

from fer.evaluation.report import Report
from fer.reports.evaluation import basis_of, html_chart, html_report, report_charts
from pages.parts.evaluation_charts import show_chart
from pages.parts.evaluation_reports import may_see_paths
from pages.parts.widgets import download


def show_downloads(report: Report, path: Path) -> None:
    """Say what was measured, how, and offer it as files."""
    allowed = may_see_paths(path)
    left, right = st.columns(2, gap="large")
    with left:
        show_facts(report, with_command=allowed)
    with right:
        if allowed:
            show_files(report, path)
        else:
            st.caption("Files are for those who may train, as they name paths of this machine.")


def show_facts(report: Report, with_command: bool) -> None:
    """Say what was measured, on what, and how."""
    model, data, speed, made = report.model, report.data, report.speed, report.made
    left_out = sum(data.unknown_labels.values()) + len(data.broken) + data.no_face
    side_px = model.size_px
    facts = {
        "Model": f"{model.architecture}, faces of {side_px} × {side_px} pixels, {len(model.labels)} labels",
        "Answers": model.read,
        "Size": f"{speed.parameters:,} parameters, {speed.file_bytes / 1e6:.1f} MB",
        "Speed": f"{speed.milliseconds_per_face:.1f} ms a face, one thread of {speed.processor}",
        "Trained on": f"{model.training.get('dataset', 'not known')}, {model.training.get('epochs', '?')} epochs",
        "Measured on": report.basis + (f"; {left_out:,} left out" if left_out else ""),
        "When": made.time,
        "Computed by": made.runtime,
        "With": ", ".join(f"{name} {version}" for name, version in made.versions.items()),
        "Intervals": f"95 %, {made.resamples:,} resamples, seed {made.seed}",
    }
    st.markdown("**What was measured**")
    st.table(facts, border="horizontal")
    if with_command:
        st.markdown("**How to get these figures again**")
        st.code(made.command, language="bash", wrap_lines=True)
    st.caption(f"Model file SHA-256 {model.sha256[:16]}…, data fingerprint {data.fingerprint[:16]}…")


def show_files(report: Report, path: Path) -> None:
    """Offer the report, the predictions, a page of all charts, and each chart."""
    st.markdown("**Files**")
    stem = path.parent.name if path.name == "report.json" else path.name.removesuffix(".report.json")
    beside = path.with_name(Path(report.predictions).name)
    with st.container(horizontal=True):
        download("One-page report (HTML)", lambda: html_report(report), f"{stem}.html")
        download("All figures (JSON)", path.read_text, f"{stem}.report.json")
        if beside.is_file():
            download("Predictions (CSV)", beside.read_text, f"{stem}.predictions.csv")
    st.caption("They open without the app and without the internet. No picture of a face is in them.")
    st.markdown("**Each chart**")
    charts = {chart.title: chart for chart in report_charts(report)}
    chart = charts[st.selectbox("Chart", list(charts), label_visibility="collapsed", key="download_chart")]
    download("This chart (HTML)", partial(html_chart, chart), f"{chart.name}.html")
    st.caption("As a page that can be zoomed and read off; the camera above the chart saves it as a picture (PNG).")
    show_chart(chart, basis_of(chart, report), f"download {path}")
