"""The model card: what a model is for, what it is not for, and how good it is, written from its report.

After Mitchell et al. 2019, "Model Cards for Model Reporting" (arXiv:1810.03993).
"""

from collections.abc import Sequence
from typing import Any

from fer.evaluation.report import Ablation, FewPictures, Report
from fer.evaluation.settings import COSTS, Settings
from fer.faces import percent
from fer.reports.rendering import render

AGAIN = "How to get these figures again"
"""The last heading, above commands and hashes."""
SELDOM = 0.5
"""A label that is recognized in a smaller share of its pictures is named among the limits."""


def model_card(
    report: Report,
    ablations: Sequence[Ablation] = (),
    settings: Settings | None = None,
    beside: Sequence[Report] = (),
    few: FewPictures | None = None,
) -> str:
    """Return the card in Markdown; reports beside it are of the same model read otherwise, and of others with it."""
    seldom = [
        f"{label} ({percent(figures.recall.value)} of {figures.support:,})"
        for label, figures in report.per_class.items()
        if figures.support and figures.recall.value < SELDOM
    ]
    leaning, mistaken = _most_frequent_mistake(report)
    return render(
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
    )


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
