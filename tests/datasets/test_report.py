"""The report on a data set describes its content and what should be checked."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.datasets.report import FEW_PICTURES, GAP_PX, TILE_PX, contact_sheet, report
from fer.errors import DatasetError
from fer.reports.rendering import render
from tests.datasets.pictures import pattern, write_picture


def _dataset(seeds: list[int], classes: list[int], splits: list[str], **fields: object) -> FaceDataset:
    votes = np.eye(2, dtype=np.float32)[classes]
    dataset = FaceDataset("own", ("anger", "fear"), votes, np.array(splits), [pattern(seed) for seed in seeds])
    return replace(dataset, **fields)  # type: ignore[arg-type]


def _balanced() -> FaceDataset:
    splits = (["train"] * 20 + ["validation"] * 2 + ["test"] * 2) * 2
    return _dataset(list(range(48)), [0] * 24 + [1] * 24, splits)


def test_a_good_data_set_has_figures_and_no_warnings() -> None:
    seen: list[tuple[int, int]] = []
    found = report(_balanced(), lambda *done: seen.append(done))
    assert found.counts == {label: {"train": 20, "validation": 2, "test": 2} for label in ("anger", "fear")}
    assert found.rules["argmax"] == found.rules["majority"] == {"train": 40, "validation": 4, "test": 4}
    assert found.sizes is not None
    assert found.sizes.smallest == found.sizes.median == found.sizes.largest == (48, 48)
    assert (found.sizes.gray, found.sizes.color) == (48, 0)
    assert (found.copies.within, found.copies.across, found.broken, found.flat) == (0, 0, (), 0)
    assert (found.subjects, found.subjects_across, found.warnings) == ({}, 0, ())
    assert seen[-1] == (48, 48)


def test_a_report_is_plain_json_and_a_text() -> None:
    found = report(_balanced())
    assert json.loads(json.dumps(found.to_dict()))["counts"]["fear"]["train"] == 20
    text = render("dataset.txt", report=found)
    assert text.startswith("own: 48 pictures\n")
    assert [line.split() for line in text.splitlines()[2:7:4]] == [
        ["train", "validation", "test", "all"],
        ["total", "40", "4", "4", "48"],
    ]
    assert "majority" not in text


def test_both_rules_are_reported_with_several_raters() -> None:
    votes = np.array([[6, 4], [5, 5], [9, 0]], np.float32)
    found = report(_dataset([1, 2, 3], [0, 0, 0], ["train"] * 3, votes=votes))
    assert found.is_rated
    assert found.rules == {"majority": {"train": 2}, "argmax": {"train": 3}}
    assert re.search(r"^majority\D* 2 ", render("dataset.txt", report=found), re.MULTILINE)


def test_duplicates_are_counted_and_listed_those_across_splits_first() -> None:
    found = report(_dataset([1, 1, 2, 2, 3], [0, 0, 0, 1, 0], ["train", "train", "train", "test", "test"]))
    assert (found.copies.within, found.copies.across, found.copies.labelled_differently) == (1, 1, 1)
    assert found.copies.across_splits == {"train and test": 1}
    assert found.copies.examples == (("picture 3", "picture 4"), ("picture 1", "picture 2"))
    assert found.copies.pairs == ((2, 3), (0, 1))
    assert "pairs" not in found.to_dict()["copies"]
    assert any(warning.startswith("1 ") for warning in found.warnings)
    assert "picture 3 = picture 4" in render("dataset.txt", report=found)


def test_people_are_counted_by_split_with_a_warning_across_splits() -> None:
    subjects = np.array(["A", "A", "B", "B", ""])
    found = report(_dataset([1, 2, 3, 4, 5], [0] * 5, ["train", "train", "train", "test", "test"], subjects=subjects))
    assert found.subjects == {"train": 2, "test": 1}
    assert found.subjects_across == 1
    assert any(warning.startswith("1 ") for warning in found.warnings)


def test_small_imbalanced_and_missing_classes_give_warnings() -> None:
    found = report(_dataset(list(range(27)), [0] * 25 + [1, 0], ["train"] * 26 + ["validation"]))
    for fact in (rf"{FEW_PICTURES}\D*fear \(1\)", r"anger\D* 25 \D*fear 1\b", r"validation.* fear", r"\btest\b"):
        assert any(re.search(fact, warning) for warning in found.warnings), fact


def test_broken_flat_and_tiny_files_are_reported(tmp_path: Path) -> None:
    for number in range(6):
        write_picture(tmp_path / "happy" / f"{number}.png", pattern(number, 20))
    write_picture(tmp_path / "happy" / "flat.png", np.full((20, 20), 77, np.uint8))
    write_picture(tmp_path / "sad" / "color.png", np.dstack([pattern(7, 90), pattern(8, 90), pattern(9, 90)]))
    (tmp_path / "sad" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "bored").mkdir()
    found = report(open_dataset(tmp_path))
    assert found.sizes is not None
    assert (found.sizes.smallest, found.sizes.median, found.sizes.largest) == ((20, 20), (20, 20), (90, 90))
    assert (found.sizes.gray, found.sizes.color) == (7, 1)
    assert found.flat == 1
    assert len(found.broken) == 1
    assert "broken.png" in found.broken[0]
    assert found.warnings[0].startswith("1 of 9 ")
    assert found.warnings[1].startswith("1 ")
    assert "32" in found.warnings[2]
    (note,) = [note for note in found.notes if "bored" in note]
    assert note in render("dataset.txt", report=found)


def test_a_data_set_of_broken_files_has_a_report(tmp_path: Path) -> None:
    for number in range(7):
        (tmp_path / "happy").mkdir(exist_ok=True)
        (tmp_path / "happy" / f"{number}.png").write_bytes(b"no picture")
    found = report(open_dataset(tmp_path))
    assert found.sizes is None
    assert len(found.broken) == 7
    lines = [line for line in render("dataset.txt", report=found).splitlines() if line.startswith("broken")]
    assert len(lines) == 6 and " 2 " in lines[-1]


def test_a_data_set_that_vanishes_is_an_error(tmp_path: Path) -> None:
    file = write_picture(tmp_path / "data" / "happy" / "1.png", pattern(1))
    dataset = open_dataset(tmp_path / "data")
    file.unlink()
    file.parent.rmdir()
    with pytest.raises(DatasetError, match=r"/happy .*data"):
        report(dataset)


# The contact sheet


def test_the_sheet_has_a_row_of_training_pictures_for_each_class() -> None:
    dataset = _balanced()
    sheet = contact_sheet(dataset, per_class=3)
    assert sheet.dtype == np.uint8
    assert sheet.shape[0] == 2 * (TILE_PX + GAP_PX) + GAP_PX
    left = sheet.shape[1] - 3 * (TILE_PX + GAP_PX)
    for row in range(2):
        top = GAP_PX + row * (TILE_PX + GAP_PX)
        assert sheet[top : top + TILE_PX, :left].min() < 100  # its name
        for column in range(3):
            x = left + column * (TILE_PX + GAP_PX)
            assert sheet[top : top + TILE_PX, x : x + TILE_PX].std() > 20


def test_the_sheet_skips_broken_pictures_and_empty_classes(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"no picture")
    dataset = FaceDataset(
        "own",
        ("anger", "fear"),
        np.array([[1, 0], [1, 0]], np.float32),
        np.array(["train"] * 2),
        [tmp_path / "1.png", pattern(3)],
    )
    sheet = contact_sheet(dataset, per_class=2)
    assert sheet[-TILE_PX:, -2 * TILE_PX :].min() == 255
    assert (sheet[:TILE_PX, -2 * (TILE_PX + GAP_PX) :].std(), sheet[:TILE_PX, -TILE_PX:].min()) > (20, 254)
