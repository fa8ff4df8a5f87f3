"""What charts say can be read, on light pages and on dark ones: 4.5 to 1 (WCAG 2.2, 1.4.3)."""

import re
import tomllib
from pathlib import Path

import pytest

from fer.charts.chart import themed
from fer.charts.evaluation import by_agreement
from fer.charts.training import confusion_map
from tests.evaluation.evaluations import make_evaluation

ROOT = Path(__file__).parents[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors, "#RRGGBB": 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_labels_before_the_page() -> None:
    theme = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())["theme"]
    style = (ROOT / "pages/parts/style.css").read_text()
    (colors,) = re.findall(r"\.bartext-outside \{ fill: light-dark\((#\w{6}), (#\w{6})\)", style)
    for name, color in zip(("light", "dark"), colors, strict=True):
        assert contrast(color, theme[name]["backgroundColor"]) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_on_the_fields_of_a_matrix(dark: bool) -> None:
    (fields,) = themed(confusion_map([[9, 1], [2, 8]], ("neutral", "fear")), dark).data
    assert min(contrast(fields.textfont.color, color) for _, color in fields.colorscale) >= 4.5


def test_numbers_on_bars() -> None:
    agreement = make_evaluation(rated=True).report.agreement
    assert agreement
    (bars,) = by_agreement(agreement).figure.data
    assert contrast("#FFFFFF", bars.marker.color) >= 4.5 and bars.textfont.color == "white"
