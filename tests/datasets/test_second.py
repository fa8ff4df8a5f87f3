"""Another data set's labels for the same pictures: matched by number, by pixels, or not at all."""

from pathlib import Path

import numpy as np
import pytest

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.datasets.second import NO_SECOND, find_second, second_labels
from fer.errors import DatasetError
from fer.labels import FER2013
from tests.datasets.pictures import pattern, write_picture

VOTES = ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"]


def write_table(folder: Path, seeds: list[int], classes: list[int], votes: bool = False) -> Path:
    """Write fer2013.csv, and with votes fer2013new.csv, where all raters say neutral."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{label},{' '.join(map(str, pattern(seed).ravel()))},Training"
        for seed, label in zip(seeds, classes, strict=True)
    ]
    (folder / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    if votes:
        rated = [f"Training,x.png,10{',0' * 9}" for _ in seeds]
        (folder / "fer2013new.csv").write_text("\n".join([f"Usage,Image name,{','.join(VOTES)}", *rated]) + "\n")
    return folder


def write_rated(folder: Path, seeds: dict[str, int]) -> Path:
    """Write the FER+ folder of name → seed."""
    for name, seed in seeds.items():
        write_picture(folder / "FER2013Train" / name, pattern(seed))
    lines = [f'{name},"(0, 0, 48, 48)",0,10{",0" * 8}' for name in seeds]
    (folder / "FER2013Train" / "label.csv").write_text("\n".join(lines) + "\n")
    return folder


def words(second: object, dataset: FaceDataset) -> list[str | None]:
    shares = second.of(np.arange(len(dataset)))  # type: ignore[attr-defined]
    return [FER2013[row.argmax()] if row.any() else None for row in shares]


def test_kaggles_file_has_both_labels(tmp_path: Path) -> None:
    folder = write_table(tmp_path, [1, 2, 3], [0, 3, 6], votes=True)
    dataset = open_dataset(folder)
    assert dataset.is_rated
    second = second_labels(dataset, find_second([str(folder)], ""))
    assert second.labels == FER2013 and second.source == "FER2013 (fer2013.csv)"
    assert words(second, dataset) == ["anger", "happiness", "neutral"]


@pytest.mark.parametrize("where", [".", ".."])
def test_ferplus_takes_the_table_in_it_or_beside_it_by_number(tmp_path: Path, where: str) -> None:
    """Picture 2 was saved again, with other pixels: it is identified by its number."""
    folder = write_rated(tmp_path / "ferplus", {"fer0000000.png": 1, "fer0000002.png": 3})
    write_picture(folder / "FER2013Train" / "fer0000002.png", pattern(3) // 2 + 60)
    write_table(folder / where, [1, 2, 3], [0, 3, 6])
    dataset = open_dataset(folder)
    assert words(second_labels(dataset, find_second([str(folder)], "")), dataset) == ["anger", "neutral"]


def test_pixels_identify_pictures_without_numbers(tmp_path: Path) -> None:
    folder = write_rated(tmp_path / "ferplus", {"fer0000000.png": 3, "fer0000001.png": 1, "fer0000002.png": 9})
    given = write_table(tmp_path / "elsewhere", [1, 2, 3], [0, 3, 6])
    dataset = open_dataset(folder)
    assert words(second_labels(dataset, find_second([str(folder)], str(given))), dataset) == ["neutral", "anger", None]


def test_duplicates_with_contradictory_labels_have_none(tmp_path: Path) -> None:
    folder = write_table(tmp_path, [1, 2, 1, 2, 3], [0, 3, 6, 3, 1], votes=True)
    dataset = open_dataset(folder)
    assert words(second_labels(dataset, folder), dataset) == [None, "happiness", None, "happiness", "disgust"]


def test_any_two_data_sets_of_the_same_pictures_will_do(tmp_path: Path) -> None:
    for seed in range(1, 9):
        for place, is_happy in (("one", seed % 2), ("two", seed > 4)):
            split = "validation" if seed in (1, 2, 7, 8) else "train"
            write_picture(tmp_path / place / split / ("happy" if is_happy else "sad") / f"{seed}.png", pattern(seed))
    dataset = open_dataset(tmp_path / "one")
    second = second_labels(dataset, tmp_path / "two")
    for row, share in enumerate(second.of(np.arange(len(dataset)))):
        number = int(dataset.name_of(row)[-5])
        assert second.labels[share.argmax()] == ("happiness" if number > 4 else "sadness")


def test_a_missing_table_or_common_picture_is_reported(tmp_path: Path) -> None:
    folder = write_rated(tmp_path / "ferplus" / "x", {"a.png": 1})
    with pytest.raises(DatasetError, match=r"fer2013\.csv.*--second-dataset"):
        find_second([str(folder), "synthetic:80"], "")
    with pytest.raises(DatasetError, match="other"):
        second_labels(open_dataset(folder), write_table(tmp_path / "other", [7], [0]))


def test_a_change_of_the_labels_changes_the_fingerprint(tmp_path: Path) -> None:
    folder = write_table(tmp_path, [1, 2, 3], [0, 3, 6], votes=True)
    dataset = open_dataset(folder)
    before = second_labels(dataset, folder).fingerprint(dataset)
    assert NO_SECOND.fingerprint(dataset) == dataset.fingerprint() != before
    write_table(tmp_path, [1, 2, 3], [0, 4, 6], votes=True)
    assert second_labels(dataset, folder).fingerprint(dataset) != before
