"""The figures of each setting, and the choice for each kind of faces."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer.errors import EvaluationError
from fer.evaluation.report import read_table
from fer.evaluation.settings import (
    CORRECTIONS,
    SHARES,
    Setting,
    Settings,
    choose,
    measure_settings,
)
from fer.model.checkpoint import ModelInfo
from fer.model.preprocessing import Preprocessing
from fer.model.prior import SecondHead
from fer.records import write_record
from fer.reports.rendering import render

LABELS = ("neutral", "anger")
INFO = ModelInfo("resnet18", LABELS, Preprocessing(), prior=(0.9, 0.1), second=SecondHead(LABELS, (0.5, 0.5), "labels"))


def test_the_second_head_helps_on_photos_and_costs_by_the_votes() -> None:
    """Raters call weak anger neutral; the label, and those who sorted the photos, call it anger."""
    weak = np.log([[0.6, 0.4, 0.1, 0.9]])
    asked = np.repeat(weak, 10, axis=0), np.array([0] * 9 + [1])
    photos = np.repeat(weak, 10, axis=0), np.array([0] * 1 + [1] * 9)
    rows = measure_settings(INFO, asked, photos)
    assert len(rows) == len(CORRECTIONS) * len(SHARES)
    found = {(row.prior_correction, row.second_share): row for row in rows}
    first, second = found[0.0, 0.0], found[0.0, 1.0]
    assert (first.accuracy, first.photos_accuracy, first.photos_balanced) == pytest.approx((0.9, 0.1, 0.5))
    assert (second.accuracy, second.photos_accuracy) == pytest.approx((0.1, 0.9))
    assert (first.photos_anger, second.photos_anger) == (0.0, 1.0)


def _row(tau: float, beta: float, accuracy: float, balanced: float) -> Setting:
    return Setting(tau, beta, accuracy, 0.5, balanced, None)


def test_each_kind_takes_the_best_affordable_setting_on_photos(tmp_path: Path) -> None:
    rows = (
        _row(0.0, 0.0, 0.880, 0.52), _row(0.0, 0.2, 0.872, 0.54), _row(0.1, 0.2, 0.870, 0.54),
        _row(0.2, 0.4, 0.856, 0.56), _row(0.0, 0.75, 0.800, 0.60),
    )  # fmt: skip
    kinds = choose(rows)
    assert kinds == {"everyday": (0.0, 0.2), "between": (0.2, 0.4), "posed": (0.25, 1.0)}
    settings = Settings("FER+, n = 3,191", "photos, n = 783", kinds, rows)
    assert [settings.kind_of(row) for row in rows] == ["", "everyday", "", "between", ""]
    write_record(tmp_path / "settings.json", settings)
    assert read_table(tmp_path / "settings.json", Settings) == settings
    text = render("settings.txt", settings=settings)
    assert "n = 3,191" in text and "n = 783" in text
    assert [line.split()[-1] for line in text.splitlines() if "every" in line or "betw" in line] == [
        "everyday", "between"
    ]  # fmt: skip
    assert "0.8000" in render("settings.txt", settings=replace(settings, kinds={}))


def test_a_table_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EvaluationError, match=r"settings\.json"):
        read_table(tmp_path / "settings.json", Settings)
