"""One call opens every layout, and reports what it looked for if there is none."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.datasets import open_dataset
from fer.errors import DatasetError
from fer.labels import FER2013, FERPLUS


def _picture(file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((48, 48), 90, np.uint8)).save(file)


def test_drawn_faces_by_their_name() -> None:
    dataset = open_dataset("synthetic:80")
    assert dataset.name.startswith("drawn faces ") and "80" in dataset.name and len(dataset) == 80


def test_ferplus_folders(tmp_path: Path) -> None:
    _picture(tmp_path / "FER2013Test" / "fer0032298.png")
    (tmp_path / "FER2013Test" / "label.csv").write_text('fer0032298.png,"(0, 0, 48, 48)",0,10,0,0,0,0,0,0,0,0\n')
    dataset = open_dataset(str(tmp_path))
    assert (dataset.name, dataset.labels) == (f"FER+ ({tmp_path.name})", FERPLUS)


@pytest.mark.parametrize("name", ["", "fer2013.csv"])
def test_fer2013_by_its_file_and_by_its_folder(name: str, tmp_path: Path) -> None:
    pixels = " ".join(["90"] * 2304)
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n3,{pixels},Training\n")
    assert open_dataset(tmp_path / name).labels == FER2013


def test_class_folders(tmp_path: Path) -> None:
    for name in ("angry", "happy"):
        _picture(tmp_path / name / "1.png")
    assert open_dataset(tmp_path).labels == ("anger", "happiness")


@pytest.mark.parametrize("above", ["faces", "deep/deeper/deepest"])
def test_nested_single_folders_are_searched(above: str, tmp_path: Path) -> None:
    for name in ("angry", "happy"):
        _picture(tmp_path / above / name / "1.png")
    (tmp_path / "__MACOSX").mkdir()
    assert open_dataset(tmp_path).labels == ("anger", "happiness")


def test_a_single_class_folder_is_not_searched(tmp_path: Path) -> None:
    _picture(tmp_path / "angry" / "1.png")
    assert open_dataset(tmp_path).labels == ("anger",)


def test_a_missing_path_is_named() -> None:
    with pytest.raises(DatasetError, match="no/such/place"):
        open_dataset("no/such/place")


def test_a_misspelt_word_is_a_missing_path() -> None:
    with pytest.raises(DatasetError, match="synthetic"):
        open_dataset("synthetic:lots")


def test_a_path_that_no_system_can_look_up_is_an_error_with_a_text() -> None:
    with pytest.raises(DatasetError, match="xxx"):
        open_dataset("x" * 5000)


def test_an_empty_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=re.escape(str(tmp_path))):
        open_dataset(tmp_path)


def test_the_actual_content_is_listed(tmp_path: Path) -> None:
    for number in range(9):
        _picture(tmp_path / f"{number}.png")
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"0\.png, 1\.png.* 2 more"):
        open_dataset(tmp_path)


def test_a_file_that_is_no_table_is_named(tmp_path: Path) -> None:
    _picture(tmp_path / "face.png")
    with pytest.raises(DatasetError, match=r"face\.png"):
        open_dataset(tmp_path / "face.png")


def test_a_table_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("day,price\n1,2\n")
    with pytest.raises(DatasetError, match=r"day, price.*emotion, pixels, Usage"):
        open_dataset(tmp_path / "prices.csv")
