"""The most important figures of a report, for any page, and the words of its first chart."""

import html

from fer.evaluation.figures import Estimate
from fer.evaluation.report import Report
from fer.faces import percent


def with_interval(estimate: Estimate, scale: float = 100.0, digits: int = 1, unit: str = " %") -> str:
    """Return "84.0 to 86.5 %", or nothing where there is no interval."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{scale * estimate.low:.{digits}f} to {scale * estimate.high:.{digits}f}{unit}"


def headline(report: Report) -> list[tuple[str, str, str, str]]:
    """Return the most important figures: (name, value, interval, rule and n)."""
    short = f"rule {report.data.rule}, n = {report.n:,}"

    def share(name: str, estimate: Estimate, basis: str = short) -> tuple[str, str, str, str]:
        return name, percent(estimate.value, 1), with_interval(estimate), basis

    figures = [share("Accuracy", report.accuracy)]
    if report.agreement:
        same = f"rule {report.data.rule}, n = {report.agreement.n:,}"
        figures += [
            share("Model agrees with raters", report.agreement.model, same),
            share("A rater agrees with raters", report.agreement.rater, same),
        ]
    error, before = (found.expected_calibration_error for found in (report.calibration, report.before))
    return [
        *figures,
        share("Balanced accuracy", report.balanced_accuracy),
        (
            "Macro F1",
            f"{report.macro_f1.value:.2f}",
            with_interval(report.macro_f1, scale=1, digits=2, unit=""),
            short,
        ),
        share("Right with two guesses", report.top_two_accuracy),
        ("Calibration error", percent(error, 1), f"{percent(before, 1)} before temperature", short),
    ]


def headline_cards(report: Report) -> str:
    """Return the most important figures as HTML, for any page: as many beside each other as there is room for."""
    border = "border:1px solid #80879266;border-radius:.6rem;padding:.6rem .8rem"
    cards = "".join(
        f'<div style="{border}">'
        f'<div style="font-size:.85rem;line-height:1.3">{html.escape(name)}</div>'
        f'<div style="font-size:1.75rem;line-height:1.3;font-weight:600">{value}</div>'
        f'<div style="font-size:.9rem">{interval or "&nbsp;"}</div>'
        f'<div style="font-size:.75rem;opacity:.75">{html.escape(basis)}</div></div>'
        for name, value, interval, basis in headline(report)
    )
    columns = "grid-template-columns:repeat(auto-fill,minmax(max(9rem,22%),1fr))"
    return f'<div style="display:grid;{columns};gap:.6rem;margin:.4rem 0">{cards}</div>'
