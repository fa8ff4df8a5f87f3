"""A report as one HTML page that opens without a server and without the internet: plotly.js is in it, once."""

import html
from collections.abc import Iterable
from importlib.resources import files

import plotly.graph_objects as go

from fer.charts.chart import Chart
from fer.charts.evaluation import classes, confusion, precision_recall, roc
from fer.charts.trust import by_agreement, people, reliability, robustness
from fer.evaluation.report import Report
from fer.reports.headline import headline_cards

_STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;background:#fff;color:#1b222c}
h1{line-height:1.2}h2{margin:2.5rem 0 .3rem}p{margin:.3rem 0}.note{opacity:.75}code{overflow-wrap:anywhere}
.chart{overflow-x:auto}
@media(prefers-color-scheme:dark){body{background:#12161c;color:#e8ecf1}}
@media print{h2,.chart{break-inside:avoid}}
"""
_DARK = """
if (matchMedia("(prefers-color-scheme: dark)").matches)
  for (const plot of document.querySelectorAll(".js-plotly-plot"))
    Plotly.relayout(plot, {"font.color": "#e8ecf1"});
"""
PLOT_CONFIG = {"displaylogo": False, "modeBarButtons": [["toImage"]], "responsive": True}
"""Plotly's bar above a figure: only the button that saves it as PNG."""


def report_charts(report: Report) -> list[Chart]:
    """Return all charts that a report has something for."""
    charts = [confusion(report), classes(report), roc(report), precision_recall(report), reliability(report)]
    if report.agreement:
        charts += [people(report.agreement), by_agreement(report.agreement)]
    if report.robustness:
        charts.append(robustness(report.robustness))
    return charts


def basis_of(chart: Chart, report: Report) -> str:
    """Return the rule and the n that stand beside a chart's figures: some have pictures of their own."""
    part = {
        "people": report.agreement,
        "by-agreement": report.agreement,
        "robustness": report.robustness,
    }.get(chart.name, report)
    return report.data.rule_and_n(part.n if part else report.n)


def html_report(report: Report) -> str:
    """Return the whole page."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{html.escape(report.model.file)}: evaluation</title><style>{_STYLE}</style>",
        f"<script>{_plotly_js()}</script>",
        *_body(report),
        f"<script>{_DARK}</script></html>",
    ]
    return "\n".join(parts)


def html_chart(chart: Chart) -> str:
    """Return one chart as an HTML page of its own."""
    page: str = _themeless(chart).to_html(include_plotlyjs=True, full_html=True, config=PLOT_CONFIG)
    return page


def _body(report: Report) -> Iterable[str]:
    model, made, data = report.model, report.made, report.data
    yield f"<h1>{html.escape(model.file)}</h1><p>Measured on {html.escape(report.basis)}.</p>"
    yield f'{headline_cards(report)}<p class="note">Ranges are 95 % intervals.</p>'
    for chart in report_charts(report):
        yield f"<h2>{html.escape(chart.title)}</h2><p>{html.escape(chart.reading)}</p>"
        yield f'<p class="note">{html.escape(basis_of(chart, report))}</p>'
        plot = _themeless(chart).to_html(include_plotlyjs=False, full_html=False, config=PLOT_CONFIG)
        yield f'<div class="chart">{plot}</div>'
    versions = ", ".join(f"{name} {version}" for name, version in made.versions.items())
    yield (
        "<h2>How it was measured</h2>"
        f"<p>{html.escape(model.architecture)}, {model.size_px} × {model.size_px} pixels, "
        f"{report.speed.parameters:,} parameters, {report.speed.milliseconds_per_face:.1f} ms a face on one thread of "
        f"{html.escape(report.speed.processor)}.</p><p><code>{html.escape(made.command)}</code></p>"
        f'<p class="note">Model SHA-256 <code>{model.sha256}</code><br>Data fingerprint <code>{data.fingerprint}</code>'
        f"<br>{html.escape(made.time)} · {html.escape(versions)}</p>"
    )


def _themeless(chart: Chart) -> go.Figure:
    """Return the figure without a background, so that it fits a light page and a dark one."""
    clear = {"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"}
    grid = {"gridcolor": "rgba(128,135,146,.25)", "automargin": True}
    figure = go.Figure(chart.figure).update_layout(template="plotly_white", **clear)
    return figure.update_xaxes(**grid).update_yaxes(**grid)


def _plotly_js() -> str:
    return (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
