"""Names chosen by others are shown as text."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import plotly.graph_objects as go
import pytest

from fer.charts.comparison import differences
from fer.charts.expressions import count_bars, probability_bars
from fer.charts.training import class_bars, confusion_map
from fer.cli.command import say, tells_errors
from fer.errors import FerError
from fer.evaluation.comparison import compare
from fer.evaluation.predictions import read_predictions
from fer.faces import Box, Face
from fer.jobs.job import safe_name
from fer.names import from_cell, in_chart, is_refused_by_windows, literal, not_a_formula, printable
from fer.results.pictures import PictureResult, to_csv
from tests.evaluation.evaluations import make_evaluation

HOSTILE = "![x](http://evil.example/a.png) <img src=x> :smile: [a](javascript:1) $x$ **b**"
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://evil.example")')
ORDERS = ("\x1b]0;owned\x07", "\x1b[2J", "a\rb", "a\nb", "\x9b31m", "\u202egnp.exe", "\x00", "\ud800")
"""Control characters of terminals, and right-to-left overrides."""


@pytest.mark.parametrize("name", ["photo.jpg", "a_b-c (2).png", "straße 1.5.jpg", "75.0 %", "12:34", "顔.webp"])
def test_a_plain_name_is_unchanged(name: str) -> None:
    assert printable(name) == in_chart(name) == not_a_formula(name) == name
    assert literal(name).replace("\\", "") == name


@pytest.mark.parametrize("name", [HOSTILE, "`x` ~~y~~ :red[z]", "# heading", "1. list", "- list", "a\n\n# b", "&amp;"])
def test_markdown_shows_names_as_they_are(name: str) -> None:
    shown = literal(name)
    assert "\n" not in shown and shown.replace("\\", "").replace("\u2060", "") == " ".join(name.split())
    for mark in "`*~$<>|[]&":
        assert shown.count(f"\\{mark}") == shown.count(mark)
    assert not shown.startswith(("#", "-", "1."))


@pytest.mark.parametrize(
    "name", ["http://evil.example", "me@evil.example", "www.evil.example", ":material/home:", "->"]
)
def test_escaped_text_is_not_interpreted(name: str) -> None:
    assert name not in literal(name).replace("\\", "")


def strings(value: object) -> list[str]:
    """Return all texts in a figure."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    return [text for one in value for text in strings(one)] if isinstance(value, list | tuple) else []


@pytest.mark.parametrize("name", [HOSTILE, "<a href='http://evil.example'>x</a>", "%{x} <b>b</b>"])
def test_charts_show_names_as_they_are(name: str) -> None:
    face = Face(Box(0, 0, 9, 9), (), 0.9, labels=(name, "neutral"), probabilities=(0.7, 0.3))
    evaluation = make_evaluation(labels=(name, "neutral", "absent"))
    figures = [
        probability_bars(face),
        count_bars({name: 3, "neutral": 1}),
        class_bars({name: {"train": 3}}),
        confusion_map([[1, 2], [0, 3]], [name, "neutral"]),
        differences("own", {name: compare(evaluation, evaluation)}).figure,
    ]
    assert evaluation.report.labels[0] == name
    for figure in figures:
        assert isinstance(figure, go.Figure)
        texts = strings(figure.to_dict() | {"template": ""})
        assert any(in_chart(name) in text for text in texts)
        assert not any(name in text for text in texts)


@pytest.mark.parametrize("order", ORDERS)
def test_a_terminal_gets_no_control_characters(order: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(f"{order.replace(chr(10), '')} face 1")
    say("two\nlines", aside=True)

    @tells_errors
    def fails() -> int:
        raise FerError(f"found {order}")

    assert fails() == 1
    said = capsys.readouterr()
    assert all(letter.isprintable() for letter in (said.out + said.err).replace("\n", ""))
    assert said.err.startswith("two\nlines\nerror: found ")
    assert "\n" not in printable(order)


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_table_has_a_formula(formula: str, tmp_path: Path) -> None:
    face = Face(Box(0, 0, 9, 9), (), 0.9, labels=(formula, "neutral"), probabilities=(0.7, 0.3))
    rows = list(
        csv.reader(io.StringIO(to_csv([PictureResult(formula, (face,))], (formula, "neutral"), 0.5), newline=""))
    )
    cells = [cell for row in rows for cell in row]
    assert cells.count(f"'{formula}") == 3 and formula not in cells  # the column, the path and the label
    assert float(rows[1][rows[0].index("confidence")]) == pytest.approx(0.7)  # numbers stay numbers

    predictions = make_evaluation(labels=(formula, "neutral", "absent")).predictions
    predictions = replace(predictions, names=(formula, *predictions.names[1:]))
    path = tmp_path / "predictions.csv"
    path.write_text(predictions.to_csv(), encoding="utf-8", newline="")
    cells = [cell for row in csv.reader(io.StringIO(path.read_bytes().decode(), newline="")) for cell in row]
    assert f"'{formula}" in cells and formula not in cells
    again = read_predictions(path)
    assert again.names == predictions.names and (again.truth == predictions.truth).all()
    assert from_cell(not_a_formula(formula)) == formula and from_cell("'quoted'") == "'quoted'"


@pytest.mark.parametrize(
    "name", ["con", "NUL", "aux.jpg", "com1.tar.gz", "Lpt9 .txt", "a.", "b ", "what?.png", "a:b", "x\ty"]
)
def test_names_that_are_invalid_on_windows(name: str) -> None:
    assert is_refused_by_windows(name)
    assert not is_refused_by_windows(safe_name(name))


@pytest.mark.parametrize(
    "name", ["console", "nul-1", "com", "com10.txt", "my.con", "photo (2).jpg", ".hidden", "顔.webp"]
)
def test_names_that_are_valid_everywhere(name: str) -> None:
    assert not is_refused_by_windows(name)
