"""Microsoft's FER+ folders, valid and broken."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.datasets import ferplus
from fer.datasets.dataset import prepare_faces
from fer.errors import DatasetError
from fer.labels import FERPLUS
from fer.model.preprocessing import Preprocessing

BOX = '"(0, 0, 48, 48)"'


def _write(folder: Path, *votes: str, first: int = 0) -> None:
    """Write a split folder: a gray picture for each line of votes, with brightness 10, 20, …"""
    folder.mkdir(parents=True)
    lines = []
    for number, line in enumerate(votes):
        name = f"fer{first + number:07d}.png"
        Image.fromarray(np.full((48, 48), 10 * (number + 1), np.uint8)).save(folder / name)
        lines.append(f"{name},{BOX},{line}")
    (folder / "label.csv").write_text("\n".join(lines) + "\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    _write(tmp_path / "FER2013Train", "4,0,0,1,3,2,0,0,0,0", "6,0,1,1,0,0,0,0,2,0", "0,0,0,0,0,0,0,0,0,10")
    _write(tmp_path / "FER2013Valid", "0,10,0,0,0,0,0,0,0,0", first=28709)
    _write(tmp_path / "FER2013Test", "0,0,0,0,0,0,1,8,1,0", "0,0,9,0,0,0,1,0,0,0", first=32298)
    return tmp_path


def test_the_three_folders_are_the_three_splits(root: Path) -> None:
    assert ferplus.matches(root)
    dataset = ferplus.open_path(root)
    assert dataset.labels == FERPLUS
    assert dataset.splits.tolist() == ["train", "train", "train", "validation", "test", "test"]
    assert dataset.rows("train", "majority").tolist() == [1]
    assert dataset.rows("train", "argmax").tolist() == [0, 1]
    assert dataset.rows("test", "majority").tolist() == [4, 5]


def test_each_column_of_votes_is_its_label(root: Path) -> None:
    dataset = ferplus.open_path(root)
    assert dataset.votes.tolist()[0] == [4, 0, 0, 1, 3, 2, 0, 0]
    assert dataset.other_votes.tolist() == [[0, 0], [2, 0], [0, 10], [0, 0], [1, 0], [0, 0]]
    assert [dataset.labels[label] for label in dataset.truth(np.array([3, 4, 5]))] == [
        "happiness",
        "contempt",
        "surprise",
    ]


def test_each_line_has_its_picture(root: Path) -> None:
    dataset = ferplus.open_path(root)
    assert [int(dataset.picture(row)[0, 0, 0]) for row in range(6)] == [10, 20, 30, 10, 10, 20]


def test_one_folder_is_enough(tmp_path: Path) -> None:
    _write(tmp_path / "FER2013Test", "0,10,0,0,0,0,0,0,0,0")
    assert ferplus.open_path(tmp_path).splits.tolist() == ["test"]


def test_a_byte_order_mark_and_empty_lines_do_no_harm(tmp_path: Path) -> None:
    _write(tmp_path / "FER2013Test", "0,10,0,0,0,0,0,0,0,0")
    file = tmp_path / "FER2013Test" / "label.csv"
    file.write_text("\ufeff" + file.read_text() + "\r\n\r\n", encoding="utf-8")
    dataset = ferplus.open_path(tmp_path)
    assert len(dataset) == 1
    assert dataset.picture(0).shape == (48, 48, 3)


def test_other_folders_do_not_match(tmp_path: Path) -> None:
    assert not ferplus.matches(tmp_path)
    (tmp_path / "FER2013Train").mkdir()
    assert not ferplus.matches(tmp_path)
    assert not ferplus.matches(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ("fer1.png,1,2,3", 4),
        (f"fer1.png,{BOX},0,10,0,0,0,0,0,0,0", 11),
        (f"fer1.png,{BOX},0,10,0,0,0,0,0,0,0,0,0", 13),
        ("fer1.png,(0, 0, 48, 48),0,10,0,0,0,0,0,0,0,0", 15),
        (f"fer1.png,{BOX},0,-1,0,0,0,0,0,0,0,0", 12),
        (f"fer1.png,{BOX},0,many,0,0,0,0,0,0,0,0", 12),
        (f"fer1.png,{BOX},0,nan,0,0,0,0,0,0,0,0", 12),
        (f"fer1.png,{BOX},0,inf,0,0,0,0,0,0,0,0", 12),
        (f"fer1.png,{BOX},0,,0,0,0,0,0,0,0,0", 12),
        ("fer1.png", 1),
    ],
)
def test_an_invalid_line_is_named(line: str, columns: int, root: Path) -> None:
    file = root / "FER2013Valid" / "label.csv"
    file.write_text(file.read_text() + line + "\n")
    with pytest.raises(DatasetError, match=rf"{columns} columns .*line 2 .*FER2013Valid.*fer1\.png"):
        ferplus.open_path(root)


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\xff\xfe\x00", "Ärger".encode("latin-1")])
def test_a_binary_label_file_is_refused(content: bytes, root: Path) -> None:
    (root / "FER2013Train" / "label.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"label\.csv"):
        ferplus.open_path(root)


def test_an_empty_label_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "FER2013Train").mkdir()
    (tmp_path / "FER2013Train" / "label.csv").write_text("")
    with pytest.raises(DatasetError, match=r"FER\+|ferplus"):
        ferplus.open_path(tmp_path)


def test_a_missing_picture_is_left_out_and_named(root: Path) -> None:
    (root / "FER2013Train" / "fer0000001.png").unlink()
    prepared = prepare_faces(ferplus.open_path(root), np.arange(3), Preprocessing())
    assert prepared.rows.tolist() == [0, 2]
    assert len(prepared.broken) == 1
    assert "fer0000001.png" in prepared.broken[0]
