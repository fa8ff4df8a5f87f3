"""Data sets as released by their authors are read completely, and ignored files are reported."""

import re
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.datasets.labeled import split_of
from fer.datasets.names import person_on
from fer.errors import DatasetError
from tests.datasets.pictures import pattern, write_picture

FOUR = ("angry", "happy", "sad", "neutral")


def _words(dataset: FaceDataset) -> list[str]:
    return [dataset.labels[label] for label in dataset.truth(np.arange(len(dataset)))]


def _names(dataset: FaceDataset) -> list[str]:
    return [Path(str(picture)).name for picture in dataset.pictures]


def _read_as(dataset: FaceDataset) -> dict[str, str]:
    """Return picture → label."""
    return dict(zip(_names(dataset), _words(dataset), strict=True))


def _sides(dataset: FaceDataset) -> dict[str, set[str]]:
    """Return person → splits."""
    pairs = zip(dataset.subjects.tolist(), dataset.splits.tolist(), strict=True)
    sides: dict[str, set[str]] = {}
    for person, split in pairs:
        sides.setdefault(person, set()).add(split)
    return sides


def _write(*files: Path) -> None:
    for number, file in enumerate(files):
        write_picture(file, pattern(number, 24))


# Split folders


@pytest.mark.parametrize(
    ("word", "split"),
    [
        ("PublicTest", "validation"),
        ("Private_Test", "test"),
        ("Train_Set", "train"),
        ("VALIDATION", "validation"),
        ("testing", "test"),
        ("tests", ""),
        ("happy", ""),
    ],
)
def test_a_split_by_any_word_for_it(word: str, split: str) -> None:
    assert split_of(word) == split


def test_the_folders_of_fer2013_keep_their_splits(tmp_path: Path) -> None:
    sizes = {"Training": 8, "PublicTest": 3, "PrivateTest": 2}
    _write(*(tmp_path / part / word / f"{n}.png" for part, size in sizes.items() for word in FOUR for n in range(size)))
    dataset = open_dataset(tmp_path)
    assert Counter(dataset.splits.tolist()) == {"train": 32, "validation": 12, "test": 8}
    assert all(str(number) in dataset.notes[0] for number in (32, 12, 8))
    assert len(dataset.notes) == 2 and "happy → happiness" in dataset.notes[1]


def test_ignored_pictures_are_counted_by_folder(tmp_path: Path) -> None:
    _write(*(tmp_path / "train" / word / f"{n}.png" for word in FOUR for n in range(5)))
    _write(tmp_path / "extra" / "happy" / "1.png", tmp_path / "train" / "stray.png", tmp_path / "@eaDir" / "1.png")
    _write(tmp_path / "train" / "happy" / "deeper" / "1.png")
    dataset = open_dataset(tmp_path)
    assert len(dataset) == 20
    (aside,) = [note for note in dataset.notes if "train/happy/deeper" in note]
    assert set(re.findall(r"\d+ in \S+(?=[,.])", aside)) == {
        "1 in extra/happy",
        "1 in train",
        "1 in train/happy/deeper",
    }
    assert re.search(r"\b3\b", aside) and "@eaDir" not in aside


def test_added_splits_are_reported(tmp_path: Path) -> None:
    _write(*(tmp_path / part / word / f"{n}.png" for part in ("train", "test") for word in FOUR for n in range(10)))
    notes = open_dataset(tmp_path).notes
    assert "36 train, 4 validation, 40 test" in notes[0]
    assert any("validation" in note for note in notes[1:])


# RAF-DB


def _rafdb(home: Path, list_folder: str, pictures: str, ending: str = "_aligned") -> Path:
    lines = [f"{split}_{n:05d}.jpg {n}" for split in ("train", "test") for n in range(1, 8)]
    (home / list_folder).mkdir(parents=True, exist_ok=True)
    (home / list_folder / "list_patition_label.txt").write_text("\n".join(lines) + "\n")
    _write(*(home / pictures / f"{line.split('.')[0]}{ending}.jpg" for line in lines))
    return home


RAFDB = ["surprise", "fear", "disgust", "happiness", "sadness", "anger", "neutral"]


@pytest.mark.parametrize(
    ("list_folder", "pictures", "ending"),
    [
        ("basic/EmoLabel", "basic/Image/aligned", "_aligned"),
        ("EmoLabel", "Image/aligned", ""),
        (".", "aligned", "_aligned"),
    ],
)
def test_rafdb_by_its_list(tmp_path: Path, list_folder: str, pictures: str, ending: str) -> None:
    dataset = open_dataset(_rafdb(tmp_path / "raf", list_folder, pictures, ending))
    assert dataset.name == "RAF-DB (raf)"
    assert _words(dataset) == RAFDB * 2
    # The authors define no validation pictures, and these are too few to take one of each expression.
    assert dataset.splits.tolist()[7:] == ["test"] * 7
    assert not dataset.knows_everybody


def test_rafdb_reports_missing_pictures_and_invalid_lines(tmp_path: Path) -> None:
    home = _rafdb(tmp_path, ".", "aligned")
    (home / "aligned" / "train_00003_aligned.jpg").unlink()
    _write(home / "original" / "train_00001.jpg")
    dataset = open_dataset(home)
    assert len(dataset) == 13
    assert any("train_00003.jpg" in note for note in dataset.notes)
    assert any("1 in original" in note for note in dataset.notes)
    table = home / "list_patition_label.txt"
    table.write_text(table.read_text() + "train_00008.jpg 8\n")
    with pytest.raises(DatasetError, match=r"train_00008\.jpg 8.* 15 "):
        open_dataset(home)


def test_rafdb_without_its_pictures_says_what_to_unpack(tmp_path: Path) -> None:
    (tmp_path / "EmoLabel").mkdir()
    (tmp_path / "EmoLabel" / "list_patition_label.txt").write_text("train_00001.jpg 5\n")
    with pytest.raises(DatasetError, match=r"aligned\.zip"):
        open_dataset(tmp_path)


# AffectNet


def _affectnet(home: Path, dtype: type = str) -> Path:
    for folder, count in (("train_set", 11), ("val_set", 8)):
        (home / folder / "annotations").mkdir(parents=True)
        for n in range(count):
            _write(home / folder / "images" / f"{n}.jpg")
            np.save(home / folder / "annotations" / f"{n}_exp.npy", np.array(n, dtype))
            np.save(home / folder / "annotations" / f"{n}_lnd.npy", np.zeros(136))
    return home


@pytest.mark.parametrize("dtype", [str, int, np.uint8])
def test_affectnet_by_its_annotations(tmp_path: Path, dtype: type) -> None:
    dataset = open_dataset(_affectnet(tmp_path, dtype))
    words = ["neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt"]
    read = {split: {} for split in ("train", "validation")}
    for name, word, split in zip(_names(dataset), _words(dataset), dataset.splits.tolist(), strict=True):
        read[split][name] = word
    assert read["train"] == read["validation"] == {f"{n}.jpg": word for n, word in enumerate(words)}
    assert any(re.match(r"3\b", note) for note in dataset.notes)  # none, uncertain, no face


def test_affectnet_in_a_zip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FER_DATA", str(tmp_path / "data"))
    home = _affectnet(tmp_path / "AffectNet")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for file in filter(Path.is_file, home.rglob("*")):
            archive.write(file, file.relative_to(tmp_path))
    assert len(open_dataset(tmp_path / "a.zip")) == 16


def test_affectnet_with_a_broken_or_missing_annotation(tmp_path: Path) -> None:
    home = _affectnet(tmp_path)
    (home / "train_set" / "annotations" / "0_exp.npy").unlink()
    assert any(note.startswith("1 ") for note in open_dataset(home).notes)
    np.save(home / "val_set" / "annotations" / "0_exp.npy", np.array([{"a": 1}], object))
    with pytest.raises(DatasetError, match=r"val_set/annotations/0_exp\.npy"):
        open_dataset(home)


# File names


KDEF = [f"{session}{person}{code}S.JPG" for session in "AB" for person in ("AF01", "AM02", "AF03", "AM04")
        for code in ("AF", "AN", "DI", "HA", "NE", "SA", "SU")]  # fmt: skip
JAFFE = [f"{person}.{code}{n}.{n}.tiff" for person in ("KA", "KL", "YM") for code in ("AN", "FE", "HA") for n in (1, 2)]
RAFD = [f"Rafd090_{n:02d}_Caucasian_{sex}_{word}_frontal.jpg" for n, sex in ((1, "female"), (3, "male"), (7, "male"))
        for word in ("angry", "contemptuous", "happy")]  # fmt: skip


def test_kdef_tells_expression_and_person(tmp_path: Path) -> None:
    names = [f"{name[0]}{name[2:]}" for name in KDEF]  # AF01ANS: session A, F01, AN, frontal
    _write(*(tmp_path / name[:4] / name for name in names))
    dataset = open_dataset(tmp_path)
    read = _read_as(dataset)
    assert [read[f"AF01{code}S.JPG"] for code in ("AF", "AN", "DI", "HA", "NE", "SA", "SU")] == [
        "fear", "anger", "disgust", "happiness", "neutral", "sadness", "surprise",
    ]  # fmt: skip
    assert set(dataset.subjects) == {"F01", "M02", "F03", "M04"}  # both sessions are of the same person
    assert all(len(sides) == 1 for sides in _sides(dataset).values())
    assert set(dataset.splits) == {"train", "validation", "test"}


@pytest.mark.parametrize(
    ("names", "people", "labels"),
    [
        (JAFFE, {"KA", "KL", "YM"}, ("anger", "fear", "happiness")),
        (RAFD, {"01", "03", "07"}, ("anger", "contempt", "happiness")),
    ],
)
def test_flat_folders_of_coded_names(tmp_path: Path, names: list[str], people: set[str], labels: tuple[str]) -> None:
    _write(*(tmp_path / name for name in names))
    (tmp_path / "README.txt").write_text("about")
    dataset = open_dataset(tmp_path)
    assert len(dataset) == len(names) and dataset.labels == labels
    assert set(dataset.subjects) == people
    assert all(len(sides) == 1 for sides in _sides(dataset).values())


def test_coded_names_in_folders_of_splits_and_of_expressions(tmp_path: Path) -> None:
    split = tmp_path / "split"
    _write(*(split / ("test" if name.startswith("YM") else "train") / name for name in JAFFE))
    assert {person: sides for person, sides in _sides(open_dataset(split)).items() if person == "YM"} == {
        "YM": {"test"}
    }
    classes = tmp_path / "classes"
    _write(*(classes / ("happy" if ".HA" in name else "not happy") / name for name in JAFFE))
    dataset = open_dataset(classes)  # the folders take precedence
    assert dataset.labels == ("happiness", "not happy") and set(dataset.subjects) == {"KA", "KL", "YM"}


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("S010_004_00000017.png", "S010"),
        ("s130_013_00000009.PNG", "S130"),
        ("S010_004.png", ""),
        ("IMG_004_00000017.png", ""),
        ("S0101_004_00000017.png", ""),
        ("BM31HAFR.JPG", "M31"),
        ("AF01ANSX.JPG", ""),
        ("NA.SU3.214.tiff", "NA"),
        ("subject07.happy.png", "SUBJECT07"),
        ("smile_person-3.jpg", "PERSON-3"),
        ("Training_305.jpg", ""),
        ("impersonator1.jpg", ""),
    ],
)
def test_the_person_in_a_files_name(name: str, person: str) -> None:
    assert person_on(Path(name)) == person


# Tables


def _table(file: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    file.write_text("\n".join(lines) + "\n", encoding=encoding)
    return file


@pytest.mark.parametrize("given", ["labels.csv", "."])
def test_a_table_of_paths_labels_splits_and_people(tmp_path: Path, given: str) -> None:
    _write(*(tmp_path / "images" / f"{n}.png" for n in range(6)))
    words = ["angry", "Happy", "joy"] * 2
    splits = ["train", "train", "val", "PrivateTest", "test", "train"]
    lines = [f"images/{n}.png,{word},{split},P{n}" for n, (word, split) in enumerate(zip(words, splits, strict=True))]
    _table(tmp_path / "labels.csv", ["Image Path,Label,Split,Subject ID", *lines])
    dataset = open_dataset(tmp_path / given)
    assert _words(dataset) == ["anger", "happiness", "happiness"] * 2
    assert dataset.splits.tolist() == ["train", "train", "validation", "test", "test", "train"]
    assert dataset.subjects.tolist() == [f"P{n}" for n in range(6)]


def test_tables_beside_each_other_are_splits(tmp_path: Path) -> None:
    _write(*(tmp_path / part / f"{n}.png" for part in ("train", "test") for n in range(12)))
    for part in ("train", "test"):
        _table(
            tmp_path / f"{part}_labels.csv",
            ["filename;emotion", *(f"/kaggle/input/{part}/{n}.png;{FOUR[n % 2]}" for n in range(12))],
            "utf-8-sig",
        )
    dataset = open_dataset(tmp_path)
    assert Counter(dataset.splits.tolist()) == {"train": 10, "validation": 2, "test": 12}
    assert {Path(str(picture)).parent.name for picture in np.array(dataset.pictures)[dataset.splits == "test"]} == {
        "test"
    }


def test_tables_of_known_numbers(tmp_path: Path) -> None:
    _write(*(tmp_path / "raf" / "train" / str(n) / f"train_{n:05d}_aligned.jpg" for n in range(1, 8)))
    _table(
        tmp_path / "raf" / "train_labels.csv", ["image,label", *(f"train_{n:05d}_aligned.jpg,{n}" for n in range(1, 8))]
    )
    assert _words(open_dataset(tmp_path / "raf")) == RAFDB
    _write(*(tmp_path / "aff" / "1" / f"{n}.jpg" for n in range(9)))
    _table(
        tmp_path / "aff" / "training.csv", ["subDirectory_filePath,expression", *(f"1/{n}.jpg,{n}" for n in range(9))]
    )
    assert _words(open_dataset(tmp_path / "aff"))[6:] == ["anger", "contempt"]


def test_a_table_with_other_numbers_or_without_its_pictures_is_refused(tmp_path: Path) -> None:
    _write(*(tmp_path / f"{n}.png" for n in range(3)))
    table = _table(tmp_path / "labels.csv", ["path,label", *(f"{n}.png,{n}" for n in range(3))])
    with pytest.raises(DatasetError, match=r"labels\.csv.* 0, 1, 2"):
        open_dataset(table)
    _table(table, ["path,label", "gone.png,happy"])
    with pytest.raises(DatasetError, match=r"gone\.png"):
        open_dataset(table)
    _table(table, ["path,label", "0.png,glücklich"], "latin-1")
    with pytest.raises(DatasetError, match=r"UTF-8.*labels\.csv"):
        open_dataset(table)


def test_a_table_reaches_no_picture_outside_its_folder(tmp_path: Path) -> None:
    _write(tmp_path / "secret.png", tmp_path / "mine" / "0.png")
    outside = (f"{tmp_path}/secret.png", "../secret.png")
    _table(tmp_path / "mine" / "labels.csv", ["path,label", "0.png,happy", *(f"{path},sad" for path in outside)])
    dataset = open_dataset(tmp_path / "mine")
    assert _names(dataset) == ["0.png"]
    assert any(re.match(r"2\b", note) for note in dataset.notes)


def test_class_folders_take_precedence_over_a_table(tmp_path: Path) -> None:
    _write(*(tmp_path / word / f"{n}.png" for word in FOUR for n in range(3)))
    _table(tmp_path / "labels.csv", ["path,label", *(f"{word}/{n}.png,sad" for word in FOUR for n in range(3))])
    dataset = open_dataset(tmp_path)
    assert dataset.labels == ("anger", "happiness", "neutral", "sadness")
    assert any("labels.csv" in note for note in dataset.notes)
