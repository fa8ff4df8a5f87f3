"""The model card: what a model is for, what it is not for, and how good it is, written from its report.

After Mitchell et al. 2019, "Model Cards for Model Reporting" (arXiv:1810.03993).
"""

import textwrap
from collections.abc import Iterable
from typing import Any

from fer.evaluation.ablation import Ablation
from fer.evaluation.figures import Agreement, Estimate, Robustness
from fer.evaluation.report import DataSource, Report
from fer.faces import percent

SELDOM = 0.5
"""A label that is recognized in a smaller share of its pictures is named among the limits."""
_WIDTH = 118

USE = """\
## What it is for

Guessing what people would *call* the expression of a face in a picture: to study, to teach, to sort one's own photos,
to build on. Read its answers as probabilities, and let a person decide.

## What it is not for

* It does not know what somebody feels: the same face can go with many feelings, and the same feeling with many faces
  ([Barrett et al. 2019](https://doi.org/10.1177/1529100619832930)).
* Not to judge people: whom to hire, to admit, to treat, to suspect. Inferring emotions at work or in schools is
  prohibited in the European Union (AI Act, Article 5(1)(f)).
* Not to diagnose, and not to watch people who have not agreed."""

FER2013_PICTURES = """
The pictures are those of FER2013: faces found by web searches, 48 × 48 pixels, gray, collected for a competition
([Goodfellow et al. 2013](https://arxiv.org/abs/1307.0414)), without a clear licence; none of them comes with the
model."""
FER2013_LABELS = """
The labels are the competition's, one a picture, mostly of the word that it was searched with; many are doubtful."""
FERPLUS_LABELS = """
The labels are those of FER+: ten raters a picture, MIT licence
([Barsoum et al. 2016](https://arxiv.org/abs/1608.01041))."""


def model_card(report: Report, ablation: Ablation | None = None) -> str:
    """Return the card in Markdown, with what each ingredient of the recipe is worth where it was measured."""
    parts = [
        *_model(report),
        USE,
        *_data(report),
        *_figures(report),
        *_calibration(report),
        *(_people(report.agreement, report.data) if report.agreement else ()),
        *(_robustness(report.robustness, report.data) if report.robustness else ()),
        *(_recipe(ablation) if ablation else ()),
        *_limits(report),
        *_again(report),
    ]
    return "\n\n".join(parts) + "\n"


def _model(report: Report) -> Iterable[str]:
    model, speed, training = report.model, report.speed, report.model.training
    yield f"# Model card: {model.file}"
    yield "Written by `scripts/evaluate.py` from the model's report; change nothing here by hand."
    yield _paragraph(
        f"{model.architecture} for faces of {model.size_px} × {model.size_px} pixels: {speed.parameters:,} parameters, "
        f"{speed.file_bytes / 1e6:.1f} MB, {speed.milliseconds_per_face:.1f} ms per face on one thread of "
        f"{speed.processor} (median of {speed.repeats}). Trained on {training.get('dataset', 'unnamed data')}, "
        f"{training.get('epochs', 'an unknown number of')} epochs, seed {training.get('seed', 'unknown')}"
        f"{_own_choices(training)}. It names "
        f"{len(model.labels)} expressions, with a probability "
        f"{'of its own for each' if model.multilabel else 'for each that together are 1'}: {', '.join(model.labels)}."
    )


def _own_choices(training: dict[str, Any]) -> str:
    """Return what was not as `scripts/train.py` does by default, to be said within a sentence."""
    chosen = {name: value for name, value in training.get("own_choices", {}).items() if name not in ("epochs", "seed")}
    if not chosen:
        return ""
    words = (
        f"{name.replace('_', ' ')} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in chosen.items()
    )
    return f", and not as by default: {'; '.join(words)}"


def _data(report: Report) -> Iterable[str]:
    yield "## Data and its rights"
    yield _paragraph(
        f"Measured on {report.data.name}, {report.data.split} split, fingerprint `{report.data.fingerprint[:16]}`."
        f"{_rights(report.data.name)}"
    )


def _rights(dataset: str) -> str:
    """Return what is known of the pictures and the labels of a data set, and nothing of others."""
    if "FER+" in dataset:
        return FER2013_PICTURES + FERPLUS_LABELS
    return FER2013_PICTURES + FER2013_LABELS if "FER2013" in dataset else ""


def _figures(report: Report) -> Iterable[str]:
    yield "## How good it is"
    yield _paragraph(
        f"On {report.basis}, without test-time augmentation. In brackets: 95 % intervals (bootstrap over pictures, "
        f"{report.made.resamples:,} resamples, seed {report.made.seed})."
    )
    yield _table(
        ("figure", "value"),
        [
            ("accuracy", _percent(report.accuracy)),
            ("one of the two most probable is right", _percent(report.top_two_accuracy)),
            ("balanced accuracy (mean recall)", _percent(report.balanced_accuracy)),
            ("macro F1", _ratio(report.macro_f1)),
            ("macro precision", _ratio(report.macro_precision)),
            ("mean area below the ROC curves", _number(report.mean_roc_area)),
            ("mean average precision", _number(report.mean_average_precision)),
        ],
    )
    yield "Each expression on the same pictures, with score intervals (Wilson):"
    yield _table(
        ("expression", "precision", "recall", "F1", "pictures"),
        [
            (label, *map(_ratio, (figures.precision, figures.recall, figures.f1)), f"{figures.support:,}")
            for label, figures in report.per_class.items()
            if figures.support
        ],
    )
    absent = [label for label, figures in report.per_class.items() if not figures.support]
    if absent:
        yield f"Not on these pictures, so nothing is known: {', '.join(absent)}."


def _calibration(report: Report) -> Iterable[str]:
    before, after = report.before, report.calibration
    yield "## Whether its confidence is right"
    yield _paragraph(
        f"{_capital(report.data.rule_and_n(report.n))}; before and after dividing the logits by a temperature of "
        f"{after.temperature:.3f}, which was fitted on validation pictures."
    )
    pairs = [
        ("expected calibration error (15 bins)", before.expected_calibration_error, after.expected_calibration_error),
        ("Brier score (0 to 2)", before.brier_score, after.brier_score),
        ("negative log likelihood", before.negative_log_likelihood, after.negative_log_likelihood),
    ]
    yield _table(("figure", "before", "after"), [(name, f"{one:.3f}", f"{other:.3f}") for name, one, other in pairs])


def _people(agreement: Agreement, data: DataSource) -> Iterable[str]:
    rater, model = agreement.rater_distances, agreement.model_distances
    yield "## Beside people"
    yield _paragraph(
        "Each rater in turn is compared with what most of the others say, and the model with the same others "
        f"({data.rule_and_n(agreement.n)}, {agreement.votes_per_picture:.1f} votes a picture). A vote for none of the "
        "expressions agrees with nobody; of several leading labels each counts for its part."
    )
    yield _table(
        ("", "a single rater", "the model"),
        [
            ("agrees with most of the others", _percent(agreement.rater), _percent(agreement.model)),
            (
                f"KL(votes ‖ answer), nats, smoothing {agreement.smoothing:g}",
                f"{rater.kullback_leibler:.2f}",
                f"{model.kullback_leibler:.2f}",
            ),
            ("Jensen–Shannon distance, 0 to 1", f"{rater.jensen_shannon:.2f}", f"{model.jensen_shannon:.2f}"),
        ],
    )
    yield f"Accuracy by how many of the raters chose the top label (rule {data.rule}, n = {agreement.n:,}):"
    yield _table(
        ("of the raters", "accuracy", "pictures"),
        [
            (f"{percent(group.above)} to {percent(group.up_to)}", _percent(group.accuracy), f"{group.n:,}")
            for group in agreement.by_agreement
            if group.accuracy
        ],
    )


def _robustness(robustness: Robustness, data: DataSource) -> Iterable[str]:
    drawn = f", drawn at random from {robustness.of:,}" if robustness.n < robustness.of else ""
    yield "## On worse pictures"
    yield _paragraph(
        f"{_capital(data.rule_and_n(robustness.n))}{drawn}. Lengths in pixels are of a picture 48 wide. Differences "
        "are to the same pictures as they are, in percentage points, with paired bootstrap intervals."
    )
    yield _table(
        ("picture", "accuracy", "difference"),
        [
            ("as it is", _percent(robustness.clean), ""),
            *(
                (f"{worse.name} {worse.setting}".strip(), _percent(worse.accuracy), _points(worse.difference))
                for worse in robustness.disturbed
            ),
        ],
    )


def _recipe(ablation: Ablation) -> Iterable[str]:
    yield "## What each ingredient of the recipe is worth"
    yield _paragraph(
        "The recipe's first step, made short and with torchvision's stem to be affordable, with one thing changed at a "
        f"time, each time from chance; on {ablation.basis}. “Worse pictures”: the mean accuracy over all the ways "
        f"above, n = {ablation.sample:,}. Longer trainings may rank them otherwise: what keeps a network from learning "
        "by heart costs at first. `scripts/ablation.py` measures the table."
    )
    yield _table(
        ("ingredient", "accuracy", "macro F1", "worse pictures", "seeds"),
        [
            (
                row.name,
                percent(row.accuracy, 1),
                f"{row.macro_f1:.2f}",
                percent(row.worse_pictures, 1),
                ", ".join(map(str, row.seeds)),
            )
            for row in ablation.rows
        ],
    )
    yield "\n".join(f"    {row.command}" for row in ablation.rows)


def _limits(report: Report) -> Iterable[str]:
    seldom = [
        f"{label} ({percent(figures.recall.value)} of {figures.support:,})"
        for label, figures in report.per_class.items()
        if figures.support and figures.recall.value < SELDOM
    ]
    leaning, mistaken = _most_frequent_mistake(report)
    limits = [
        f"Seldom recognized: {', '.join(seldom)} pictures." if seldom else "",
        f"It leans to {leaning}: its most frequent mistake on {', '.join(mistaken)}." if len(mistaken) > 1 else "",
        "On other pictures than those it was trained on, or like them, expect less.",
        "Age, gender, skin colour and origin of the people on the pictures are not recorded. For whom it is right less "
        "often is not known; other models of this kind are, for some groups and ages.",
        "The truth here is what raters said of one still picture without its situation; they often disagree.",
    ]
    yield "## Limits"
    yield "\n".join(_paragraph(f"* {limit}", indent="  ") for limit in limits if limit)


def _most_frequent_mistake(report: Report) -> tuple[str, list[str]]:
    """Return the label that most others are mostly taken for, and these others."""
    taken_for: dict[str, list[str]] = {label: [] for label in report.labels}
    for index, label in enumerate(report.labels):
        wrong = [count * (place != index) for place, count in enumerate(report.confusion[index])]
        if any(wrong):
            taken_for[report.labels[wrong.index(max(wrong))]].append(label)
    return max(taken_for.items(), key=lambda item: len(item[1]))


def _again(report: Report) -> Iterable[str]:
    versions = ", ".join(f"{name} {version}" for name, version in report.made.versions.items())
    yield "## How to get these figures again"
    yield f"    {report.made.command}"
    yield (
        f"Model file: SHA-256 `{report.model.sha256}`\\\n"
        f"Data set: fingerprint `{report.data.fingerprint}`\\\n"
        f"Measured {report.made.time} with {versions}."
    )


def _paragraph(text: str, indent: str = "") -> str:
    return textwrap.fill(
        " ".join(text.split()), _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _percent(estimate: Estimate | None) -> str:
    return _with_interval(estimate, 100, ".1f", " %")


def _points(estimate: Estimate) -> str:
    return _with_interval(estimate, 100, "+.1f")


def _ratio(estimate: Estimate) -> str:
    return _with_interval(estimate, 1, ".2f")


def _with_interval(estimate: Estimate | None, factor: int, form: str, unit: str = "") -> str:
    """Return "85.2 % [84.0, 86.5]"."""
    if estimate is None:
        return "–"
    value = f"{factor * estimate.value:{form}}{unit}"
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} [{factor * estimate.low:{form}}, {factor * estimate.high:{form}}]"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
