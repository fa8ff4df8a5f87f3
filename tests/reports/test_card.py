"""The model card: every figure with its rule and n, what is not known is not said, and drawn faces show what fails."""

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fer.evaluation.figures import DisturbedAccuracy, Estimate, Robustness
from fer.evaluation.report import Evaluation, FewPictures, FineTuned
from fer.evaluation.settings import Setting, Settings
from fer.model.prior import Reading
from fer.reports.card import model_card
from fer.reports.failures import SIDE_PX, failures, strip
from fer.reports.rendering import render
from tests.evaluation.evaluations import make_evaluation
from tests.evaluation.test_ablation import TABLE


@pytest.fixture(scope="module")
def rated() -> Evaluation:
    return make_evaluation(rated=True)


def written(*about: Any, **more: Any) -> str:
    return model_card(*about, **more).markdown("faces.png")


def sections(card: str) -> list[str]:
    """Return the parts of the first screen, and what is folded away."""
    first, *folded = card.split("\n<details>\n")
    return [*first.split("\n## ")[1:], *folded]


def test_it_has_everything_a_card_should(rated: Evaluation) -> None:
    card = written(rated.report)
    assert len(sections(card)) == 10 and all(len(section.splitlines()) > 2 for section in sections(card))
    assert card.count("<details>") == card.count("</details>") == len(model_card(rated.report).details) == 7
    assert "    python scripts/evaluate.py" in card
    assert re.search(r"\babsent\.", card), "an expression of which nothing is known"


def test_one_screen_comes_first(rated: Evaluation) -> None:
    first = model_card(rated.report).first
    assert len(first.split()) < 400 and len(re.findall(r"\*\*[\d.]+ %\*\*", first)) == 3
    bars = re.findall(r"^    (\S+) +(\d+) % of (\d+) *(█*)$", first, re.MULTILINE)
    figures = {label: one for label, one in rated.report.per_class.items() if one.support}
    assert {label: int(n) for label, _, n, _ in bars} == {label: one.support for label, one in figures.items()}
    for label, share, _, bar in bars:
        assert int(share) == round(100 * figures[label].recall.value)
        assert len(bar) == pytest.approx(20 * figures[label].recall.value, abs=0.5)


def test_what_fails_is_drawn(rated: Evaluation) -> None:
    labels = "neutral", "fear", "surprise"
    confusion = (8, 2, 0), (1, 4, 15), (0, 7, 13)
    per_class = dict(zip(labels, rated.report.per_class.values(), strict=False))
    worst = DisturbedAccuracy("blur", "σ 2 px", 40, Estimate(0.5, None, None), Estimate(-0.2, None, None))
    less, better = (
        replace(worst, setting="σ 1 px", difference=Estimate(-0.1, None, None)),
        replace(worst, name="mirrored", setting="", difference=Estimate(0.1, None, None)),
    )
    robustness = Robustness(40, 40, 0, Estimate(0.7, None, None), (less, worst, better))
    report = replace(
        rated.report,
        model=replace(rated.report.model, labels=labels),
        confusion=confusion,
        per_class=per_class,
        robustness=robustness,
    )
    fear, surprise, blurred = failures(report)
    assert re.search("fear.*surprise.* 15 of 20 ", fear.caption) and re.search(
        "surprise.*fear.* 7 of 20", surprise.caption
    )
    assert "σ 2 px" in blurred.caption and " 20.0 " in blurred.caption
    assert not np.array_equal(fear.picture, surprise.picture)
    assert blurred.picture.std() < fear.picture.std()
    side_by_side = strip([fear, surprise, blurred])
    assert side_by_side.shape == (SIDE_PX, 3 * SIDE_PX + 16, 3) and side_by_side.dtype == np.uint8
    assert np.array_equal(side_by_side[:, -SIDE_PX:], blurred.picture)
    assert "](faces.png)" in written(report)
    alone = model_card(report).markdown()
    assert "![" not in alone and " 15 of 20 " in alone


def test_what_cannot_be_drawn_is_not_shown() -> None:
    report = make_evaluation(labels=("a", "b", "c")).report
    assert failures(report) == [] and "](faces.png)" not in written(report)


def test_every_accuracy_has_its_rule_and_n(rated: Evaluation) -> None:
    for section in sections(written(rated.report)):
        if re.search(r"accuracy\W+\d", section):
            assert re.search(r"rule\s+majority", section, re.IGNORECASE), section[:60]
            assert "n =" in section


def test_figures_are_the_reports(rated: Evaluation) -> None:
    accuracy, card = rated.report.accuracy, written(rated.report)
    assert accuracy.low is not None and accuracy.high is not None
    low, high = 100 * accuracy.low, 100 * accuracy.high
    assert f"| accuracy | {100 * accuracy.value:.1f} % [{low:.1f}, {high:.1f}] |" in card
    assert "nan" not in card.lower().split("unknown")[0]


def test_without_raters_they_are_not_mentioned() -> None:
    card = written(make_evaluation().report)
    assert len(sections(card)) == len(sections(written(make_evaluation(rated=True).report))) - 2
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
    card = written(rated.report, [TABLE])
    assert len(sections(card)) == len(sections(written(rated.report))) + 1
    assert f"\n{TABLE.about} On {TABLE.basis}." in card
    assert "| the recipe | 81.2 % | 0.61 | 70.0 % | 0, 1 |" in card
    assert "    python scripts/train.py --dataset x" in card


def test_the_value_for_fine_tuning_is_included(rated: Evaluation) -> None:
    rows = (FineTuned("m.safetensors", (0, 1, 2), (0.6, 0.62, 0.65), (0.5, 0.5, 0.53)),)
    card = written(rated.report, few=FewPictures("FER+, n = 900", "python scripts/finetuning.py", rows))
    assert "| m.safetensors | 62.3 [60.0, 65.0] | 0.51 [0.50, 0.53] | 0, 1, 2 |" in card
    assert "n = 900" in card and "\n    python scripts/finetuning.py\n" in card
    other = FineTuned("other", (0, 1, 2), (0.61, 0.61, 0.66), (0.5, 0.5, 0.53))
    assert FewPictures("", "", (*rows, other)).better == 2 and FewPictures("", "", rows).better is None


def test_the_reading_of_each_kind_of_faces_is_included(rated: Evaluation) -> None:
    rows = (Setting(0.0, 0.0, 0.88, 0.54, 0.52, 0.73), Setting(0.15, 0.2, 0.872, 0.55, 0.538, None))
    settings = Settings("FER+, n = 3,191", "photos, n = 783", {"everyday": (0.15, 0.2)}, rows)
    source = replace(rated.report.model, faces="label", reading=Reading(0.0, 1.0))
    other = replace(rated.report, model=source, made=replace(rated.report.made, command="evaluate the label"))
    card = written(rated.report, settings=settings, beside=[other])
    assert "| 0.15 | 0.2 | everyday | 87.2 % | 55.0 % | 53.8 % | – |" in card
    assert "| 0 | 0 |  | 88.0 % | 54.0 % | 52.0 % | 0.73 |" in card
    assert "n = 3,191" in card and "n = 783" in card
    assert f"| m | {source.read} | {rated.report.basis} |" in card and "(τ 0, β 1)" in source.read
    assert "    evaluate the label\n" in card
    assert "(τ 0)" in render("report.txt", report=rated.report).splitlines()[0]
