"""A report and a comparison for a terminal."""

from fer.evaluation.comparison import Comparison
from fer.evaluation.report import Report
from fer.reports.rendering import render


def report_text(report: Report) -> str:
    """Return the figures of a report, in lines."""
    return render("report.txt", report=report).rstrip()


def comparison_text(comparison: Comparison, names: tuple[str, str]) -> str:
    """Return a comparison, in lines.

    Args:
        comparison: what to show.
        names: what the two models are called.
    """
    return render("comparison.txt", comparison=comparison, names=names).rstrip()
