"""A report and a comparison for a terminal."""

from fer.evaluation.comparison import Comparison
from fer.evaluation.figures import Agreement, Estimate, Reliability, Robustness
from fer.evaluation.report import Report


def report_text(report: Report) -> str:
    """Return the figures of a report, in lines."""
    lines = [
        report.basis,
        f"accuracy {with_interval(report.accuracy)}, one of the two most probable "
        f"{with_interval(report.top_two_accuracy)}",
        f"balanced accuracy {with_interval(report.balanced_accuracy)}",
        f"macro F1 {with_interval(report.macro_f1)}, macro precision {with_interval(report.macro_precision)}",
        f"mean ROC area {_number(report.mean_roc_area)}, "
        f"mean average precision {_number(report.mean_average_precision)}",
        f"calibration: {_reliability(report.calibration)}",
        f"     before: {_reliability(report.before)}",
        f"in brackets: 95 % intervals, {report.made.resamples:,} bootstrap resamples; in the table score intervals",
        "",
        *_table(report),
        *(_agreement(report.agreement, report) if report.agreement else []),
        *(_robustness(report.robustness, report) if report.robustness else []),
        "",
        f"{report.speed.parameters:,} parameters, {report.speed.file_bytes / 1e6:.1f} MB, "
        f"{report.speed.milliseconds_per_face:.1f} ms per face on one thread of {report.speed.processor}",
        *_left_out(report),
    ]
    return "\n".join(lines)


def comparison_text(comparison: Comparison, names: tuple[str, str]) -> str:
    """Return a comparison, in lines.

    Args:
        comparison: what to show.
        names: what the two models are called.
    """
    a, b = names
    lines = [
        comparison.basis,
        f"a: {a}",
        f"b: {b}",
        "",
        f"accuracy  a {comparison.accuracies[0]:.4f}  b {comparison.accuracies[1]:.4f}  "
        f"b − a {with_interval(comparison.accuracy, sign=True)}",
        f"macro F1  a {comparison.macro_f1s[0]:.4f}  b {comparison.macro_f1s[1]:.4f}  "
        f"b − a {with_interval(comparison.macro_f1, sign=True)}",
        f"only a is right on {comparison.only_a_right}, only b on {comparison.only_b_right} pictures; "
        f"McNemar's exact test: p = {comparison.p_value:.2g}",
        f"they differ on {len(comparison.differing)} of {comparison.n:,} pictures",
        "in brackets: 95 % intervals, paired bootstrap",
        "",
        f"{'b − a':12} precision  recall      F1  support",
    ]
    for label, delta in comparison.per_class.items():
        lines.append(f"{label:12} {delta.precision:+9.3f} {delta.recall:+7.3f} {delta.f1:+7.3f} {delta.support:8d}")
    return "\n".join(lines)


def with_interval(estimate: Estimate, sign: bool = False) -> str:
    """Return "0.8524 [0.840, 0.865]"."""
    form, short = ("+.4f", "+.3f") if sign else (".4f", ".3f")
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:{form}}"
    return f"{estimate.value:{form}} [{estimate.low:{short}}, {estimate.high:{short}}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _reliability(figures: Reliability) -> str:
    return (
        f"error {figures.expected_calibration_error:.4f}, Brier {figures.brier_score:.4f}, "
        f"−log likelihood {figures.negative_log_likelihood:.4f} at temperature {figures.temperature:.3f}"
    )


def _table(report: Report) -> list[str]:
    lines = [f"{'':12} {'precision':22} {'recall':22} {'F1':22} support"]
    for label, figures in report.per_class.items():
        cells = [
            with_interval(figure) if figures.support else "–"
            for figure in (figures.precision, figures.recall, figures.f1)
        ]
        lines.append(f"{label:12} {cells[0]:22} {cells[1]:22} {cells[2]:22} {figures.support:7d}")
    return lines


def _agreement(agreement: Agreement, report: Report) -> list[str]:
    rater, model = agreement.rater_distances, agreement.model_distances
    lines = [
        "",
        f"beside people (rule {report.data.rule}, n = {agreement.n:,}, {agreement.votes_per_picture:.1f} votes a "
        "picture), agreement with what most of the other raters say:",
        f"a single rater {with_interval(agreement.rater)}   the model {with_interval(agreement.model)}   "
        f"difference {with_interval(agreement.difference, sign=True)}",
        f"distance to the others' votes: KL rater {rater.kullback_leibler:.3f}, model {model.kullback_leibler:.3f} "
        f"(votes ‖ answer, nats, smoothing {agreement.smoothing:g}); Jensen–Shannon rater {rater.jensen_shannon:.3f}, "
        f"model {model.jensen_shannon:.3f}",
    ]
    for group in agreement.by_agreement:
        if group.accuracy:
            lines.append(
                f"{100 * group.above:4.0f} to {100 * group.up_to:3.0f} % of the raters agree: accuracy "
                f"{with_interval(group.accuracy)}, n = {group.n:,}"
            )
    return lines


def _robustness(robustness: Robustness, report: Report) -> list[str]:
    drawn = f", drawn from {robustness.of:,}" if robustness.n < robustness.of else ""
    lines = [
        "",
        f"on pictures made worse (rule {report.data.rule}, n = {robustness.n:,}{drawn}), difference to the same "
        "pictures as they are:",
        f"{'as they are':34} {with_interval(robustness.clean)}",
    ]
    for worse in robustness.disturbed:
        name = f"{worse.name} {worse.setting}".strip()
        lines.append(f"{name:34} {with_interval(worse.accuracy)}   {with_interval(worse.difference, sign=True)}")
    return lines


def _left_out(report: Report) -> list[str]:
    data = report.data
    lines = [
        f"left out: {count} pictures of {word}, which the model does not know"
        for word, count in data.unknown_labels.items()
    ]
    if data.broken:
        lines.append(f"left out: {len(data.broken)} pictures that cannot be read; the first: {data.broken[0]}")
    if data.no_face:
        lines.append(f"left out: {data.no_face} pictures without a face")
    return lines
