"""The model card: what a model is for, how good it is and where it fails, written from its report.

One screen for everybody, then all tables, folded away. After Mitchell et al. 2019, "Model Cards for Model Reporting"
(arXiv:1810.03993).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fer.evaluation.report import Ablation, FewPictures, Report, read_report, read_table
from fer.evaluation.settings import COSTS, Settings
from fer.faces import percent
from fer.model import DEFAULT_CHECKPOINT, WEIGHTS_DIR, shipped_reports
from fer.model.prior import EVERYDAY
from fer.names import literal, printable
from fer.reports.failures import Failure, failures
from fer.reports.rendering import render

SELDOM = 0.5
"""A label that is recognized in a smaller share of its pictures is named among what fails."""
_BAR = 20
"""Characters of a bar of 100 %."""

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Card:
    """A card in parts, so that a page can show them in its own way; all texts are Markdown."""

    first: str
    """The first screen, but for the examples."""
    failures: list[Failure]
    """The examples that belong below it."""
    details: dict[str, str]
    """Title → what is folded away under it."""

    def markdown(self, picture: str = "") -> str:
        """Return all in one text; `picture` names a file with the examples side by side, see `failures.strip`."""
        examples = ""
        if self.failures:
            captions = "".join(f"{place}. {literal(one.caption)}\n" for place, one in enumerate(self.failures, 1))
            image = f"On drawn faces, from left to right:\n\n![Drawn faces, one for each line below]({picture})\n\n"
            examples = f"\n{image if picture else ''}{captions}"
        folded = "".join(
            "\n".join(("", "<details>", f"<summary>{title}</summary>", "", text.strip("\n"), "", "</details>", ""))
            for title, text in self.details.items()
        )
        return f"{self.first.strip()}\n{examples}{folded}"


def card_of(path: Path) -> Card:
    """Return the card of a report file; that of a built-in model with the tables and the other reports beside it.

    Raises:
        EvaluationError: a file is missing or damaged.
    """
    report = read_report(path)
    if not path.parent.samefile(WEIGHTS_DIR):
        return model_card(report)
    prefix = "" if report.model.file == DEFAULT_CHECKPOINT.name else f"{Path(report.model.file).stem}."

    def tables(name: str, kind: type[T]) -> list[T]:
        return [read_table(file, kind) for file in sorted(WEIGHTS_DIR.glob(f"{prefix}{name}.json"))]

    return model_card(
        report,
        tables("ablation*", Ablation),
        next(iter(tables("settings", Settings)), None),
        [read_report(other) for other in shipped_reports() if not other.samefile(path)],
        next(iter(tables("finetuning", FewPictures)), None),
    )


def model_card(
    report: Report,
    ablations: Sequence[Ablation] = (),
    settings: Settings | None = None,
    beside: Sequence[Report] = (),
    few: FewPictures | None = None,
) -> Card:
    """Return the card; reports beside it are of the same model read otherwise, and of others with it."""
    seldom = [
        f"{label} ({percent(figures.recall.value)} of {figures.support:,} pictures)"
        for label, figures in report.per_class.items()
        if figures.support and figures.recall.value < SELDOM
    ]
    leaning, mistaken = _most_frequent_mistake(report)
    text = render(
        "model_card.md",
        report=report,
        own_choices=_own_choices(report.model.training),
        absent=[label for label, figures in report.per_class.items() if not figures.support],
        ablations=ablations,
        few=few,
        settings=settings,
        costs=COSTS,
        beside=beside,
        seldom=seldom,
        leaning=leaning,
        mistaken=mistaken,
        bars=_bars(report),
        everyday=next((row for row in settings.rows if settings.kind_of(row) == EVERYDAY), None) if settings else None,
    )
    first, *details = text.split("\n### ")
    return Card(first, failures(report), dict(part.split("\n", 1) for part in details))


def _bars(report: Report) -> list[str]:
    """Return a line for each expression, the best recognized first: name, share, pictures, bar."""
    present = [(label, one) for label, one in report.per_class.items() if one.support]
    found = [(one.recall.value, printable(" ".join(label.split())), one.support) for label, one in present]
    width = max(len(label) for _, label, _ in found)
    return [
        f"{label:{width}} {percent(recall):>5} of {support:<6,} {'█' * round(_BAR * recall)}".rstrip()
        for recall, label, support in sorted(found, reverse=True)
    ]


def _own_choices(training: dict[str, Any]) -> list[str]:
    """Return what was not as `fer-studio train` does by default."""
    return [
        f"{name.replace('_', ' ')} {', '.join(value) if isinstance(value, list) else value}"
        for name, value in training.get("own_choices", {}).items()
        if name not in ("epochs", "seed")
    ]


def _most_frequent_mistake(report: Report) -> tuple[str, list[str]]:
    """Return the label that most others are mostly taken for, and these others."""
    taken_for: dict[str, list[str]] = {label: [] for label in report.labels}
    for index, label in enumerate(report.labels):
        wrong = [count * (place != index) for place, count in enumerate(report.confusion[index])]
        if any(wrong):
            taken_for[report.labels[wrong.index(max(wrong))]].append(label)
    return max(taken_for.items(), key=lambda item: len(item[1]))
