"""A report on disk survives a round trip, and is refused if it is damaged."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer.errors import EvaluationError
from fer.evaluation.report import (
    Evaluation,
    predictions_name,
    read_evaluation,
    read_report,
    to_json,
    write_report,
)
from tests.evaluation.evaluations import make_evaluation


@pytest.fixture
def evaluation() -> Evaluation:
    return make_evaluation(rated=True)


@pytest.fixture
def file(tmp_path: Path, evaluation: Evaluation) -> Path:
    path = tmp_path / "new" / "report.json"
    write_report(path, evaluation.report, evaluation.predictions)
    return path


def test_it_survives_a_round_trip(file: Path, evaluation: Evaluation) -> None:
    assert read_report(file) == evaluation.report
    assert {path.name for path in file.parent.iterdir()} == {"report.json", "report.predictions.csv"}


def test_it_is_plain_json_without_nan(file: Path) -> None:
    def refuse(constant: str) -> None:
        pytest.fail(constant)

    parts = json.loads(file.read_text(encoding="utf-8"), parse_constant=refuse)
    assert next(iter(parts)) == "format"
    assert parts["accuracy"].keys() == {"value", "low", "high"}
    absent = parts["curves"]["absent"]["roc"]
    assert "absent" in absent.pop("missing") and absent == {"x": [], "y": [], "area": None}


def test_optional_parts_may_be_missing(tmp_path: Path) -> None:
    report = make_evaluation(rated=False).report
    assert report.agreement is None and report.robustness is None
    (tmp_path / "plain.json").write_text(to_json(report), encoding="utf-8")
    assert read_report(tmp_path / "plain.json") == report


def test_predictions_are_read_with_it(file: Path, evaluation: Evaluation) -> None:
    found, expected = read_evaluation(file).predictions, evaluation.predictions
    assert (found.labels, found.names) == (expected.labels, expected.names)
    for name in ("rows", "splits", "truth", "votes", "other_votes"):
        assert np.array_equal(getattr(found, name), getattr(expected, name)), name
    assert found.probabilities == pytest.approx(expected.probabilities, rel=1e-6)


def test_the_rule_and_n_in_words(evaluation: Evaluation) -> None:
    data = replace(evaluation.report.data, rule="argmax")
    assert re.fullmatch(r"rule argmax \(.+\), n = 3,573", data.rule_and_n(3573))
    assert replace(data, is_rated=False).rule_and_n(3573) != data.rule_and_n(3573)
    assert evaluation.report.basis.startswith("pretended, test ")
    assert evaluation.report.basis.endswith(evaluation.report.data.rule_and_n(120))


def test_mean_areas_are_over_existing_curves(evaluation: Evaluation) -> None:
    report = evaluation.report
    areas = [report.curves[label].roc.area for label in ("neutral", "fear")]
    assert report.mean_roc_area == pytest.approx(sum(area or 0 for area in areas) / 2)
    assert replace(report, curves={"absent": report.curves["absent"]}).mean_average_precision is None


def test_predictions_are_named_after_the_report() -> None:
    assert predictions_name(Path("a/report.json")) == "report.predictions.csv"
    assert predictions_name(Path("model.report.json")) == "model.report.predictions.csv"


def test_a_missing_report_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"gone\.json"):
        read_report(tmp_path / "gone.json")


def test_reports_of_the_first_format_are_recognized(tmp_path: Path) -> None:
    (tmp_path / "old.json").write_text(json.dumps({"accuracy": 0.85, "n": 3137, "rule": "majority"}))
    with pytest.raises(EvaluationError, match=r"fer-report-2.*old\.json.*fer-report-1"):
        read_report(tmp_path / "old.json")


def _drop(parts: dict[str, Any]) -> None:
    del parts["macro_f1"]


def _add(parts: dict[str, Any]) -> None:
    parts["speed"]["warp"] = 9


def _retype(parts: dict[str, Any]) -> None:
    parts["n"] = "many"


def _nest(parts: dict[str, Any]) -> None:
    parts["per_class"]["fear"]["recall"] = 0.5


def _rule(parts: dict[str, Any]) -> None:
    parts["data"]["rule"] = "first"


def _negative(parts: dict[str, Any]) -> None:
    (first, second, *others), *rows = parts["confusion"]
    parts["confusion"] = [[first - 10**6, second + 10**6, *others], *rows]


def _lose_a_label(parts: dict[str, Any]) -> None:
    parts["curves"].pop(next(iter(parts["curves"])))


def _miscount(parts: dict[str, Any]) -> None:
    parts["confusion"][0][0] += 1


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_drop, "macro_f1"),
        (_add, "$.speed.warp"),
        (_retype, "$.n"),
        (_nest, "$.per_class[...].recall"),
        (_rule, "'first'"),
        (_negative, "confusion matrix"),
        (_lose_a_label, "label"),
        (_miscount, "confusion"),
    ],
)
def test_a_damaged_report_says_where(file: Path, damage: Callable[[dict[str, Any]], None], message: str) -> None:
    parts = json.loads(file.read_text(encoding="utf-8"))
    damage(parts)
    file.write_text(json.dumps(parts), encoding="utf-8")
    with pytest.raises(EvaluationError, match=re.escape(str(file))) as raised:
        read_report(file)
    assert message in str(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1, 2]",
        "null",
        '{"format": "fer-report-2", "n": NaN}',
        "\x00",
        "[" * 10**5,
        '{"format": "fer-report-2", "n": 1e999}',
        '{"format": "fer-report-2", "n": ' + "9" * 400 + "}",
    ],
)
def test_a_file_that_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "no.json").write_text(text)
    with pytest.raises(EvaluationError):
        read_report(tmp_path / "no.json")


def test_a_truncated_file_is_refused(file: Path) -> None:
    file.write_text(file.read_text(encoding="utf-8")[:-200], encoding="utf-8")
    with pytest.raises(EvaluationError, match=re.escape(str(file))):
        read_report(file)


def test_missing_damaged_or_foreign_predictions_are_refused(file: Path) -> None:
    beside = file.with_name("report.predictions.csv")
    text = beside.read_text(encoding="utf-8")
    for content, message in (
        (text.replace("probability_", "likelihood_"), "columns of probabilities"),
        ("\n".join(text.splitlines()[:1]) + "\n", "no rows"),
        ("\n".join([*text.splitlines()[:-1], text.splitlines()[-1].rpartition(",")[0]]), "could not convert"),
        (text.replace("\n0,", "\n-1,"), "missing, negative"),
        (text.replace(",fear,", ",fury,"), "fury"),
        ("", "cannot read"),
        (text.replace("\n0,", "\n1e300,"), "too large"),
        ("\n".join(text.splitlines()[:-1]) + "\n", "found others"),
    ):
        beside.write_text(content, encoding="utf-8")
        with pytest.raises(EvaluationError) as raised:
            read_evaluation(file)
        assert message in str(raised.value)
    beside.unlink()
    with pytest.raises(EvaluationError, match=r"report\.predictions\.csv"):
        read_evaluation(file)


def test_the_name_of_the_predictions_cannot_lead_elsewhere(file: Path, evaluation: Evaluation) -> None:
    elsewhere = replace(evaluation.report, predictions="../report.predictions.csv")
    file.write_text(to_json(elsewhere), encoding="utf-8")
    assert len(read_evaluation(file).predictions) == 120


def test_labels_may_be_words_that_tables_read_as_missing(tmp_path: Path) -> None:
    evaluation = make_evaluation(labels=("None", "NA", "other"))
    write_report(tmp_path / "report.json", evaluation.report, evaluation.predictions)
    assert read_evaluation(tmp_path / "report.json").predictions.labels == ("None", "NA", "other")
