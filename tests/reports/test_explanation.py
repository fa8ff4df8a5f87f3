"""The picture with the heat map, and its text."""

import base64
import re
from dataclasses import replace

import numpy as np

from fer.draw.picture import heat_picture
from fer.faces import Box, Face, difference
from fer.images import read_image
from fer.model.checkpoint import ModelInfo
from fer.model.preprocessing import Preprocessing
from fer.recognition.explain import Covered, Explanation
from fer.reports.explanation import (
    change,
    explanation_html,
    explanation_page,
    explanation_section,
)

LABELS = ("happiness", "neutral", "<shy>")
CROP = np.full((60, 60, 3), 128, np.uint8)


def face(*probabilities: float) -> Face:
    return Face(Box(0, 0, 60, 60), (), 1.0, labels=LABELS, probabilities=probabilities)


def covered(part: str, *probabilities: float, channels: int = 1) -> Covered:
    return Covered(part, np.full((channels, 48, 48), 90, np.uint8), face(*probabilities))


def explanation(*parts: Covered, temperature: float = 1.2, multilabel: bool = False) -> Explanation:
    heat = np.zeros((3, 3), np.float32)
    heat[2, 1] = 1.0
    info = ModelInfo("resnet18", LABELS, Preprocessing(), temperature, multilabel=multilabel)
    parts = parts or (covered("the mouth", 0.21, 0.6, 0.19), covered("the eyes", 0.93, 0.05, 0.02))
    return Explanation(face(0.93, 0.05, 0.02), heat, parts, info)


def text_of(page: str) -> str:
    inline = re.sub(r"</?(b|span)\b[^>]*>", "", page)
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", inline))


def pictures_in(page: str) -> int:
    return page.count("<img ")


def heading(explained: Explanation) -> str:
    """The heading of the parts."""
    (found,) = re.findall(r"font-weight:600\">([^<]*)<", explanation_html(explained, CROP))
    return str(found)


def test_the_effect_of_covering_in_words() -> None:
    whole = explanation()
    assert [change(whole, one) for one in whole.covered] == [
        "happiness 93 % → 21 %, now neutral 60 %",
        "happiness 93 % → 93 %",
    ]


def test_the_page_has_confidence_alternatives_and_reasons() -> None:
    page = explanation_html(explanation(), CROP)
    text = text_of(page)
    assert re.search(r"93 % .*happiness.* neutral, 5 %", text)
    assert re.search(rf"the mouth\W+{re.escape(change(explanation(), explanation().covered[0]))}", text)
    encoded = re.search(r'src="data:image/png;base64,([^"]+)" alt="[^"]*happiness"', page)
    assert encoded is not None
    shown = read_image(base64.b64decode(encoded[1]))
    assert np.array_equal(shown, heat_picture(CROP, explanation().heat))  # type: ignore[arg-type]


def test_parts_without_effect_are_listed_after_the_first_three() -> None:
    same = (0.93, 0.05, 0.02)
    parts = [covered(f"part {number}", *same) for number in range(5)]
    page = explanation_html(explanation(*parts), CROP)
    assert pictures_in(page) == 1 + 3 and "part 3, part 4" in text_of(page)
    parts[4] = covered("part 4", 0.96, 0.02, 0.02)  # more probable than before
    page = explanation_html(explanation(*parts), CROP)
    assert pictures_in(page) == 1 + 4 and "part 3, part 4" not in text_of(page)


def test_a_changed_label_decides_however_little_the_figure_changes() -> None:
    close, same = (
        replace(explanation(covered("the eyes", *shares)), face=face(0.46, 0.44, 0.1))
        for shares in ((0.44, 0.46, 0.1), (0.45, 0.44, 0.11))
    )
    assert heading(close) != heading(same)


def test_nothing_is_presented_as_certain() -> None:
    text = text_of(explanation_html(replace(explanation(), face=face(0.9991, 0.0007, 0.0002)), CROP))
    assert text.index("ver 99 %") < text.index("under 1 %") and "100 %" not in text


def test_a_model_without_a_temperature_is_not_calibrated() -> None:
    assert explanation_html(explanation(temperature=1.0), CROP) != explanation_html(explanation(temperature=1.1), CROP)
    assert explanation_html(explanation(temperature=1.2), CROP) == explanation_html(explanation(temperature=1.1), CROP)


def test_expressions_of_a_multilabel_model_are_no_alternatives() -> None:
    one, several = (text_of(explanation_html(explanation(multilabel=kind), CROP)) for kind in (False, True))
    assert "alternative" in one and "alternative" not in several and ": neutral, 5 %" in several


def test_a_model_of_one_label_has_no_alternative() -> None:
    only = Face(Box(0, 0, 9, 9), (), 1.0, labels=("smile",), probabilities=(0.7,))
    info = ModelInfo("resnet18", ("smile",), Preprocessing(), multilabel=True)
    text = text_of(explanation_html(Explanation(only, None, (), info), CROP))
    assert re.search(r"70 % .*smile\.", text)


def test_missing_parts_are_reported() -> None:
    whole, without = explanation(), explanation_html(replace(explanation(), heat=None), CROP)
    assert pictures_in(without) == pictures_in(explanation_html(whole, CROP)) - 1 and "the mouth" in text_of(without)
    assert whole.heat is not None
    found, nothing = (
        text_of(explanation_html(replace(whole, heat=heat), CROP)) for heat in (whole.heat, np.zeros_like(whole.heat))
    )
    assert nothing.count("happiness") == found.count("happiness") + 1


def test_labels_and_names_cannot_change_the_page() -> None:
    shy = replace(explanation(covered("the eyes", 0.1, 0.1, 0.8, channels=3)), face=face(0.1, 0.2, 0.7))
    section = explanation_section("<script>.png, face 1", shy, CROP)
    assert "<shy>" not in section and "<script>" not in section
    assert "&lt;shy&gt;" in section and "&lt;script&gt;.png, face 1" in section


def test_a_section_has_both_readings_if_they_differ() -> None:
    both = replace(face(0.6, 0.3, 0.1), opinions=((0.2, 0.7, 0.1), (0.8, 0.1, 0.1)))
    section = explanation_section("a.png, face 1", replace(explanation(), face=both), CROP)
    assert difference(both) in section
    table = section[section.index("<table") : section.index("</table>")]
    assert re.findall(r"font-weight:700\">([^<]+)<", table) == ["80\u00a0%", "70\u00a0%"]
    assert table.count("<tr>") == 1 + len(LABELS) and table.count('scope="row"') == len(LABELS)
    same = replace(both, opinions=both.opinions and (both.opinions[0],) * 2)
    assert "<table" not in explanation_section("a.png, face 1", replace(explanation(), face=same), CROP)


def test_the_page_is_self_contained() -> None:
    section = explanation_section("a.png, face 1", explanation(), CROP)
    page = explanation_page([section, section])
    assert page.startswith("<!doctype html>") and page.count(section) == 2
    assert not re.search(r"(src|href)=.?http|url\(", page)
    assert "<p>" in explanation_page([]) and "<section>" not in explanation_page([])
