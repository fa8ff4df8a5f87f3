"""What a report says of when to trust a model, as charts: its confidence, people beside it, worse pictures."""

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from fer.charts.chart import (
    DASHES,
    FIRST,
    GUIDE,
    PERCENT,
    ROW_ABOVE,
    SECOND,
    SYMBOLS,
    THIRD,
    Chart,
    bars_layout,
    lay_out,
    pattern,
    percents,
    whiskers,
)
from fer.evaluation.figures import Agreement, Estimate, Robustness
from fer.evaluation.report import Report
from fer.faces import percent


def reliability(report: Report) -> Chart:
    """Return the reliability diagram before and after temperature scaling, above how many pictures each bin has."""
    figure = make_subplots(rows=2, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.04)
    guide = {"color": GUIDE, "dash": "dot"}
    figure.add_scatter(x=[0, 100], y=[0, 100], mode="lines", line=guide, name="as it should be", hoverinfo="skip")
    for name, found, color, number, shape in (
        ("before", report.before, SECOND, 1, "/"),
        ("after", report.calibration, FIRST, 0, ""),
    ):
        filled = [bin for bin in found.bins if bin.confidence is not None and bin.accuracy is not None]
        figure.add_scatter(
            x=[100 * (bin.confidence or 0) for bin in filled],
            y=[100 * (bin.accuracy or 0) for bin in filled],
            name=f"{name} (error {100 * found.expected_calibration_error:.1f} %)",
            mode="lines+markers",
            line={"color": color, "width": 2.5, "dash": DASHES[number]},
            marker={"symbol": SYMBOLS[number], "size": 8},
            customdata=[bin.n for bin in filled],
            hovertemplate=f"{name}: %{{x:.0f}} % sure, %{{y:.0f}} % right, n = %{{customdata:,}}<extra></extra>",
            cliponaxis=False,
        )
        figure.add_bar(
            x=[50 * (bin.low + bin.high) for bin in found.bins],
            y=[bin.n for bin in found.bins],
            name=name,
            marker={"color": color, "pattern": pattern(shape)},
            hovertemplate=f"{name}: %{{y:,}} pictures<extra></extra>",
            showlegend=False,
            row=2,
            col=1,
        )
    lay_out(figure, 520, PERCENT, legend=ROW_ABOVE, barmode="group", dragmode=False)
    figure.update_xaxes(title="confidence", row=2)
    figure.update_yaxes(title="right", row=1, **PERCENT)
    figure.update_yaxes(title="pictures", nticks=3, row=2)
    return Chart(
        "reliability",
        "Is its confidence right?",
        "Each point is a group of pictures, before and after the temperature was set: how sure the model was, and how "
        "often it was right; below the dotted line it is too sure, above it too timid, and the bars say how many "
        "pictures a group has.",
        figure,
    )


def reliability_table(report: Report) -> list[dict[str, str]]:
    """Return the figures of calibration before and after, a dict for each row."""

    names = {
        "temperature": "temperature",
        "expected_calibration_error": "expected calibration error",
        "brier_score": "Brier score (0 to 2)",
        "negative_log_likelihood": "negative log likelihood",
    }
    sides = {"before": report.before, "after": report.calibration}
    return [
        {"figure": name, **{side: f"{getattr(found, field):.3f}" for side, found in sides.items()}}
        for field, name in names.items()
    ]


def people(agreement: Agreement) -> Chart:
    """Return how often a single rater, and how often the model, says what most of the other raters say."""
    figure = go.Figure()
    rows = ("a single rater", agreement.rater, SECOND, "/"), ("the model", agreement.model, FIRST, "")
    for name, share, color, shape in rows:
        figure.add_bar(
            x=[100 * share.value],
            y=[f"{name}<br><b>{percent(share.value, 1)}</b>"],
            orientation="h",
            error_x=whiskers([share]),
            marker={"color": color, "pattern": pattern(shape)},
            hovertemplate=f"{name}: %{{x:.1f}} %<extra></extra>",
            showlegend=False,
        )
    bars_layout(figure, rows=2, row_px=48)
    figure.update_layout(height=140)
    return Chart(
        "people",
        "Beside people",
        "How often each says what most of the other raters of the same picture say; where the 95 % intervals (lines) "
        "are apart, the difference is no chance.",
        figure,
    )


def by_agreement(agreement: Agreement) -> Chart:
    """Return the model's accuracy by how much the raters agree."""
    bins = [(bin, bin.accuracy) for bin in agreement.by_agreement if bin.accuracy]
    accuracies = [accuracy for _, accuracy in bins]
    names = [f"{100 * bin.above:.0f}–{100 * bin.up_to:.0f}" for bin, _ in bins]
    figure = go.Figure(
        go.Bar(
            x=names,
            y=percents(accuracies),
            error_y=whiskers(accuracies),
            marker={"color": FIRST},
            text=[f"n = {bin.n:,}" for bin, _ in bins],
            textposition="inside",
            insidetextanchor="start",
            textangle=0,
            textfont={"color": "white"},
            hovertemplate="%{x} % agree: %{y:.1f} % right, %{text}<extra></extra>",
        )
    )
    x = {"type": "category", "title": "% of the raters chose the label", "tickangle": 0}
    lay_out(figure, 320, x, PERCENT | {"title": "accuracy"}, bargap=0.2, dragmode=False)
    return Chart(
        "by-agreement",
        "Where people agree, and where not",
        "Further right are pictures on which more raters chose the same label: what people find hard to tell, the "
        "model does, too, if the bars rise to the right.",
        figure,
    )


def robustness(found: Robustness) -> Chart:
    """Return the accuracy on pictures that were made worse, beside the same ones as they are."""
    names = ["as they are", *(f"{one.name} {one.setting}".strip() for one in found.disturbed)]
    shares: list[Estimate] = [found.clean, *(one.accuracy for one in found.disturbed)]
    kinds = ["", *(one.name for one in found.disturbed)]
    order = {kind: number for number, kind in enumerate(dict.fromkeys(kinds))}
    figure = go.Figure(
        go.Bar(
            x=percents(shares),
            y=[f"{name} · <b>{100 * share.value:.0f}</b>" for name, share in zip(names, shares, strict=True)],
            orientation="h",
            error_x=whiskers(shares),
            # Neighbours of one kind share colour and pattern, so that the eye finds where another begins.
            marker={
                "color": [THIRD if not kind else (FIRST, "#5A93B8")[order[kind] % 2] for kind in kinds],
                "pattern": pattern("") | {"shape": ["" if order[kind] % 2 else "/" for kind in kinds]},
            },
            customdata=names,
            hovertemplate="%{customdata}: %{x:.1f} %<extra></extra>",
            showlegend=False,
        )
    )
    figure.add_vline(x=100 * found.clean.value, line={"color": GUIDE, "dash": "dot", "width": 2})
    bars_layout(figure, rows=len(names), row_px=23)
    return Chart(
        "robustness",
        "On worse pictures",
        "Accuracy after the same pictures were blurred, darkened, turned, …: the further a bar ends left of the dotted "
        "line, the more is lost; the lines are 95 % intervals.",
        figure,
    )
