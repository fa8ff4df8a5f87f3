"""The model card: every figure has its rule and n, and unknown ones are left out."""

import re
from dataclasses import replace

import pytest

from fer.evaluation.report import Evaluation, FewPictures, FineTuned
from fer.evaluation.settings import Setting, Settings
from fer.model.prior import Reading
from fer.reports.card import model_card
from fer.reports.rendering import render
from tests.evaluation.evaluations import make_evaluation
from tests.evaluation.test_ablation import TABLE


@pytest.fixture(scope="module")
def rated() -> Evaluation:
    return make_evaluation(rated=True)


def sections(card: str) -> list[str]:
    return card.split("\n## ")[1:]


def test_it_has_everything_a_card_should(rated: Evaluation) -> None:
    card = model_card(rated.report)
    assert len(sections(card)) == 9 and all(len(section.splitlines()) > 2 for section in sections(card))
    assert "    python scripts/evaluate.py" in card
    assert re.search(r"\babsent\.", card), "an expression of which nothing is known"


def test_every_accuracy_has_its_rule_and_n(rated: Evaluation) -> None:
    for section in sections(model_card(rated.report)):
        if "ccuracy" in section:
            assert re.search(r"rule\s+majority", section, re.IGNORECASE), section[:60]
            assert "n =" in section


def test_figures_are_the_reports(rated: Evaluation) -> None:
    accuracy, card = rated.report.accuracy, model_card(rated.report)
    assert accuracy.low is not None and accuracy.high is not None
    low, high = 100 * accuracy.low, 100 * accuracy.high
    assert f"| accuracy | {100 * accuracy.value:.1f} % [{low:.1f}, {high:.1f}] |" in card
    assert "nan" not in card.lower().split("unknown")[0]


def test_without_raters_they_are_not_mentioned() -> None:
    card = model_card(make_evaluation().report)
    assert len(sections(card)) == len(sections(model_card(make_evaluation(rated=True).report))) - 2
    assert "FER2013" not in card, "the rights of another data set"


def test_the_terminal_says_the_same_with_rule_and_n(rated: Evaluation) -> None:
    text = render("report.txt", report=rated.report)
    assert text.startswith(rated.report.basis)
    assert f"accuracy {rated.report.accuracy.value:.4f} [" in text
    assert rated.report.agreement and f" {rated.report.agreement.rater.value:.4f} [" in text
    assert text.count("rule majority, n = 120") == 1 and re.search(r"rule majority, n = 20\D+120\b", text)
    absent = next(line for line in text.splitlines() if line.startswith("absent"))
    assert absent.split() == ["absent", "–", "–", "–", "0"]


def test_a_comparison_for_a_terminal(rated: Evaluation) -> None:
    from fer.evaluation.comparison import compare

    better = make_evaluation(seed=3, skill=3, rated=True)
    text = render("comparison.txt", comparison=compare(rated, better), names=("one.json", "other.json"))
    assert text.startswith(rated.report.basis)
    assert "b: other.json" in text and "McNemar" in text and "+0." in text


def test_the_recipe_is_included_if_it_was_measured(rated: Evaluation) -> None:
    card = model_card(rated.report, [TABLE])
    assert len(sections(card)) == len(sections(model_card(rated.report))) + 1
    assert f"\n{TABLE.about} On {TABLE.basis}." in card
    assert "| the recipe | 81.2 % | 0.61 | 70.0 % | 0, 1 |" in card
    assert "    python scripts/train.py --dataset x" in card


def test_the_value_for_fine_tuning_is_included(rated: Evaluation) -> None:
    rows = (FineTuned("m.safetensors", (0, 1, 2), (0.6, 0.62, 0.65), (0.5, 0.5, 0.53)),)
    card = model_card(rated.report, few=FewPictures("FER+, n = 900", "python scripts/finetuning.py", rows))
    assert "| m.safetensors | 62.3 [60.0, 65.0] | 0.51 [0.50, 0.53] | 0, 1, 2 |" in card
    assert "n = 900" in card and "\n    python scripts/finetuning.py\n" in card


def test_the_reading_of_each_kind_of_faces_is_included(rated: Evaluation) -> None:
    rows = (Setting(0.0, 0.0, 0.88, 0.54, 0.52, 0.73), Setting(0.15, 0.2, 0.872, 0.55, 0.538, None))
    settings = Settings("FER+, n = 3,191", "photos, n = 783", {"everyday": (0.15, 0.2)}, rows)
    source = replace(rated.report.model, faces="label", reading=Reading(0.0, 1.0))
    other = replace(rated.report, model=source, made=replace(rated.report.made, command="evaluate the label"))
    card = model_card(rated.report, settings=settings, beside=[other])
    assert "| 0.15 | 0.2 | everyday | 87.2 % | 55.0 % | 53.8 % | – |" in card
    assert "| 0 | 0 |  | 88.0 % | 54.0 % | 52.0 % | 0.73 |" in card
    assert "n = 3,191" in card and "n = 783" in card
    assert f"| m | {source.read} | {rated.report.basis} |" in card and "(τ 0, β 1)" in source.read
    assert "    evaluate the label\n" in card
    assert "(τ 0)" in render("report.txt", report=rated.report).splitlines()[0]
