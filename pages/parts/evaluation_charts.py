"""The charts of a report with how to read them, how it was measured, and its exports."""

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from fer.charts import evaluation as evaluation_plots
from fer.charts.chart import Chart, as_table, themed
from fer.evaluation.figures import Robustness
from fer.evaluation.report import Report
from fer.faces import percent
from fer.names import literal
from fer.reports.evaluation import PLOT_CONFIG, basis_of, cards, headline, html_chart, html_report, report_charts
from fer.reports.gallery import Card, gallery
from fer.reports.rendering import between
from pages.parts.evaluation_reports import may_see_paths
from pages.parts.samples import PHOTO, sample_picture
from pages.parts.widgets import cells, download, introduce

FACE = 160, 56, 286, 182
"""The face on the sample photo, cropped as in FER2013: left, top, right, bottom in pixels."""


def show_chart(chart: Chart, basis: str, key: object) -> None:
    """Show a chart with how to read it, its rule and n, and its data as a table to download.

    The camera icon above the chart saves it as SVG.
    """
    introduce(literal(chart.title), f"{chart.reading} {literal(basis[:1].upper() + basis[1:])}.")
    figure = themed(chart.figure, st.context.theme.type == "dark")
    saving = {"toImageButtonOptions": {"filename": chart.name, "format": "svg"}}
    st.plotly_chart(figure, config=PLOT_CONFIG | saving, key=f"{chart.name} {key}", alt=chart.title)
    st.download_button(
        "Data (CSV)",
        partial(as_table, chart.figure),
        f"{chart.name}.csv",
        "text/csv",
        icon=":material/table:",
        type="tertiary",
        on_click="ignore",
        key=f"data {chart.name} {key}",
    )


def show_charts(charts: list[Chart], report: Report, path: Path) -> None:
    """Show charts of a report side by side."""
    for column, chart in zip(st.columns(len(charts), gap="large"), charts, strict=True):
        with column:
            show_chart(chart, basis_of(chart, report), path)


def show_expressions(report: Report, path: Path) -> None:
    """Show the figures of each expression."""
    show_charts([evaluation_plots.classes(report)], report, path)
    rows = []
    for label, figures in report.per_class.items():
        row: dict[str, Any] = {"expression": label, "pictures": figures.support, "predictions": figures.predicted}
        for name, one in (("precision", figures.precision), ("recall", figures.recall), ("F1", figures.f1)):
            interval = between(one, scale=1, digits=2, unit="")
            row[name] = f"{one.value:.2f}" + (f" ({interval})" if interval else "")
        rows.append(row)
    st.dataframe(cells(rows), hide_index=True, key=f"classes {path}")
    show_charts([evaluation_plots.roc(report), evaluation_plots.precision_recall(report)], report, path)


def show_confidence(report: Report, path: Path) -> None:
    """Show how well the confidence is calibrated."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_charts([evaluation_plots.reliability(report)], report, path)
    with right:
        introduce("In figures", "Lower is better. The temperature was fitted on validation pictures, never on these.")
        st.table(evaluation_plots.reliability_table(report), border="horizontal", hide_index=True)


def show_people(report: Report, path: Path) -> None:
    """Compare the model with human raters."""
    found = report.agreement
    if found is None:
        return
    left, right = st.columns(2, gap="large")
    with right:
        show_charts([evaluation_plots.by_agreement(found)], report, path)
    with left:
        show_charts([evaluation_plots.people(found)], report, path)
        interval = between(found.difference, unit="")
        st.caption(
            f"Model minus rater: {100 * found.difference.value:+.1f} points ({interval}), on the same pictures with "
            f"{found.votes_per_picture:.1f} votes each. A rater has one vote; the model learned from the votes of "
            "many."
        )
        rows = [
            {
                "distance to the other raters' votes": name,
                "a single rater": f"{getattr(found.rater_distances, figure):.2f}",
                "the model": f"{getattr(found.model_distances, figure):.2f}",
            }
            for name, figure in (
                ("Kullback–Leibler, nats", "kullback_leibler"),
                ("Jensen–Shannon, 0 to 1", "jensen_shannon"),
            )
        ]
        st.table(rows, border="horizontal", hide_index=True)


def show_robustness(report: Report, path: Path) -> None:
    """Show how accurate the model is on degraded pictures."""
    if report.robustness:
        left, right = st.columns(2, gap="large")
        with left:
            show_charts([evaluation_plots.robustness(report.robustness)], report, path)
        with right:
            show_worse_faces(report.robustness)
    else:
        st.info("This report has no robustness test. Run one under **Evaluate**.", icon=":material/blur_on:")


def show_worse_faces(found: Robustness) -> None:
    """Show one face degraded in each way, with the accuracy on all pictures degraded so."""
    from fer.evaluation.robustness import DISTURBANCES  # slow to import

    left, top, right, bottom = FACE
    face = sample_picture(PHOTO)[top:bottom, left:right]
    accuracies = {(one.name, one.setting): one.accuracy for one in found.disturbed}
    ways = [one for one in DISTURBANCES if (one.name, one.setting) in accuracies]
    introduce("Examples", "One face, degraded in each way, with the accuracy on all pictures degraded like that.")
    tiles = [Card("original", "original", {}, image=face, note=f"original: {percent(found.clean.value)}")]
    for way in ways:
        name, share = f"{way.name} {way.setting}".strip(), percent(accuracies[way.name, way.setting].value)
        tiles.append(Card(name, name, {}, image=way.apply(face, 0), note=f"{name}: {share}"))
    st.html(gallery(tiles=tiles))


def show_downloads(report: Report, path: Path) -> None:
    """Show what was measured and how, with the files to download."""
    allowed = may_see_paths(path)
    st.html(cards(headline(report)))
    st.caption(
        "Ranges are 95 % confidence intervals. "
        + "Agreement with raters is the share of pictures where most other raters say the same."
        * (report.agreement is not None)
    )
    if allowed:
        show_files(report, path)
    else:
        st.caption("The files are not offered to remote visitors, because they name paths on this machine.")
    with st.expander("How this was measured", icon=":material/straighten:"):
        show_facts(report, with_command=allowed)


def show_facts(report: Report, with_command: bool) -> None:
    """Show what was measured, on what, and how."""
    model, data, speed, made = report.model, report.data, report.speed, report.made
    left_out = sum(data.unknown_labels.values()) + len(data.broken) + data.no_face
    side_px = model.size_px
    facts = {
        "Model": f"{model.architecture}, faces of {side_px} × {side_px} pixels, {len(model.labels)} labels",
        "Reading": model.read,
        "Size": f"{speed.parameters:,} parameters, {speed.file_bytes / 1e6:.1f} MB",
        "Speed": f"{speed.milliseconds_per_face:.1f} ms per face on one thread of {speed.processor}",
        "Trained on": f"{model.training.get('dataset', 'unknown')}, {model.training.get('epochs', '?')} epochs",
        "Measured on": report.basis + (f"; {left_out:,} left out" if left_out else ""),
        **({"Data notes": " ".join(data.notes)} if data.notes else {}),
        "When": made.time,
        "Runtime": made.runtime,
        "Packages": ", ".join(f"{name} {version}" for name, version in made.versions.items()),
        "Intervals": f"95 %, {made.resamples:,} resamples, seed {made.seed}",
    }
    st.table({name: literal(fact) for name, fact in facts.items()}, border="horizontal")
    if with_command:
        st.markdown("**Command to reproduce these figures**")
        st.code(made.command, language="bash", wrap_lines=True)
    st.caption(f"Model file SHA-256 {model.sha256[:16]}…, data fingerprint {data.fingerprint[:16]}…")


def show_files(report: Report, path: Path) -> None:
    """Offer the report, its figures, the predictions and each chart."""
    st.markdown("**Files**")
    stem = path.parent.name if path.name == "report.json" else path.name.removesuffix(".report.json")
    beside = path.with_name(Path(report.predictions).name)
    with st.container(horizontal=True):
        download("One-page report (HTML)", lambda: html_report(report), f"{stem}.html")
        download("All figures (JSON)", path.read_text, f"{stem}.report.json")
        if beside.is_file():
            download("Predictions (CSV)", beside.read_text, f"{stem}.predictions.csv")
    st.caption("They open without the app and offline, and they contain no faces.")
    st.markdown("**Single chart**")
    charts = {chart.title: chart for chart in report_charts(report)}
    chart = charts[st.selectbox("Chart", list(charts), label_visibility="collapsed", key="download_chart")]
    download("This chart (HTML)", partial(html_chart, chart), f"{chart.name}.html")
    st.caption("An interactive page. The camera icon above the chart saves it as SVG.")
    show_chart(chart, basis_of(chart, report), f"download {path}")
