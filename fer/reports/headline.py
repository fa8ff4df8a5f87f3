"""The most important figures of a report, for any page."""

from fer.evaluation.figures import Estimate
from fer.evaluation.report import Report
from fer.faces import percent
from fer.reports.rendering import between, render


def headline(report: Report) -> list[tuple[str, str, str, str]]:
    """Return the most important figures: (name, value, interval, rule and n)."""
    short = f"rule {report.data.rule}, n = {report.n:,}"

    def share(name: str, estimate: Estimate, basis: str = short) -> tuple[str, str, str, str]:
        return name, percent(estimate.value, 1), between(estimate), basis

    figures = [share("Accuracy", report.accuracy)]
    if report.agreement:
        same = f"rule {report.data.rule}, n = {report.agreement.n:,}"
        figures += [
            share("Model agrees with raters", report.agreement.model, same),
            share("A rater agrees with raters", report.agreement.rater, same),
        ]
    error, before = (found.expected_calibration_error for found in (report.calibration, report.before))
    macro_f1 = report.macro_f1
    return [
        *figures,
        share("Balanced accuracy", report.balanced_accuracy),
        ("Macro F1", f"{macro_f1.value:.2f}", between(macro_f1, scale=1, digits=2, unit=""), short),
        share("Right with two guesses", report.top_two_accuracy),
        ("Calibration error", percent(error, 1), f"{percent(before, 1)} before temperature", short),
    ]


def headline_cards(report: Report) -> str:
    """Return the most important figures as HTML, for any page: as many beside each other as there is room for."""
    return render("headline.html", figures=headline(report))
