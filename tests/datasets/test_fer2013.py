"""Kaggle's fer2013.csv, alone or with the FER+ votes beside it, valid and broken."""

from pathlib import Path

import numpy as np
import pytest

from fer.datasets import fer2013
from fer.errors import DatasetError
from fer.labels import FER2013, FERPLUS

USAGES = ("Training", "Training", "PublicTest", "PrivateTest")
EMOTIONS = (0, 3, 6, 1)
PICTURES = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
PIXELS = tuple(" ".join(map(str, picture.ravel().tolist())) for picture in PICTURES)
VOTE_HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
VOTES = ("4,0,0,1,3,2,0,0,0,0", "0,10,0,0,0,0,0,0,0,0", "0,0,0,0,0,0,1,8,1,0", "0,0,0,0,0,0,0,0,0,10")


def _lines() -> list[list[str]]:
    rows = zip(EMOTIONS, PIXELS, USAGES, strict=True)
    return [["emotion", "pixels", "Usage"], *([str(emotion), pixels, usage] for emotion, pixels, usage in rows)]


def _write(file: Path, lines: list[list[str]]) -> Path:
    file.write_text("".join(",".join(line) + "\n" for line in lines))
    return file


def _broken(file: Path, line: int, column: int, value: str) -> Path:
    """Write the file with one cell changed; `line` is counted from 1, as in an editor."""
    lines = _lines()
    lines[line - 1][column] = value
    return _write(file, lines)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return _write(tmp_path / "fer2013.csv", _lines())


def _write_votes(folder: Path, votes: tuple[str, ...] = VOTES) -> None:
    lines = [f"{usage},fer{row:07d}.png,{line}" for row, (usage, line) in enumerate(zip(USAGES, votes, strict=False))]
    (folder / "fer2013new.csv").write_text("\n".join([VOTE_HEADER, *lines]) + "\n")


# ---------------------------------------------------------------------------------------------- valid


@pytest.mark.parametrize("by_folder", [False, True])
def test_the_file_or_its_folder_opens(file: Path, by_folder: bool) -> None:
    path = file.parent if by_folder else file
    assert fer2013.matches(path)
    dataset = fer2013.open_path(path)
    assert dataset.name == "FER2013 (fer2013.csv)"
    assert dataset.labels == FER2013
    assert dataset.splits.tolist() == ["train", "train", "validation", "test"]
    assert dataset.truth(np.arange(4)).tolist() == list(EMOTIONS)
    assert not dataset.is_rated
    for row, picture in enumerate(PICTURES):
        assert np.array_equal(dataset.picture(row), np.stack([picture] * 3, axis=-1))


def test_kaggles_second_edition_with_spaces_in_its_header_opens(tmp_path: Path) -> None:
    lines = _lines()
    lines[0] = ["emotion", " Usage", " pixels"]
    lines[1:] = [[emotion, usage, pixels] for emotion, pixels, usage in lines[1:]]
    _write(tmp_path / "icml_face_data.csv", lines)
    assert fer2013.open_path(tmp_path).splits.tolist() == ["train", "train", "validation", "test"]


def test_with_votes_beside_it_it_is_ferplus(file: Path) -> None:
    _write_votes(file.parent)
    dataset = fer2013.open_path(file)
    assert dataset.name == "FER+ (fer2013.csv)"
    assert dataset.labels == FERPLUS
    assert dataset.votes.tolist()[0] == [4, 0, 0, 1, 3, 2, 0, 0]
    assert dataset.other_votes.tolist() == [[0, 0], [0, 0], [1, 0], [0, 10]]
    assert [FERPLUS[label] for label in dataset.truth(np.array([1, 2]))] == ["happiness", "contempt"]
    assert dataset.rows("all", "majority").tolist() == [1, 2]
    assert np.array_equal(dataset.picture(2)[..., 0], PICTURES[2])


def test_any_csv_file_is_tried_but_not_any_folder(tmp_path: Path) -> None:
    assert fer2013.matches(_write(tmp_path / "mine.CSV", _lines()))
    assert not fer2013.matches(_write(tmp_path / "mine.txt", _lines()))
    assert not fer2013.matches(tmp_path)


def test_a_trailing_comma_shifts_no_column(tmp_path: Path) -> None:
    header, *lines = _lines()
    dataset = fer2013.open_path(_write(tmp_path / "fer2013.csv", [header, *([*line, ""] for line in lines)]))
    assert dataset.truth(np.arange(4)).tolist() == list(EMOTIONS)


# ---------------------------------------------------------------------------------------------- broken


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    file = _write(tmp_path / "fer2013.csv", [line[:2] for line in _lines()])
    with pytest.raises(DatasetError, match=r"Usage.*fer2013\.csv|fer2013\.csv.*Usage"):
        fer2013.open_path(file)


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        ("1 2 3", "found 3 "),
        ("7", "found 1 "),
        (PIXELS[0] + " 7", "found 2305 "),
        (PIXELS[0].rsplit(" ", 1)[0] + " 256", "range(0, 256)"),
        (PIXELS[0].rsplit(" ", 1)[0] + " -1", "range(0, 256)"),
        (PIXELS[0].rsplit(" ", 1)[0] + " 1.5", "'1.5'"),
        (PIXELS[0].rsplit(" ", 1)[0] + " " + "9" * 30, "range(0, 256)"),
        (PIXELS[0].rsplit(" ", 1)[0] + " x", "'x'"),
        ("", "'nan'"),
    ],
)
def test_wrong_pixels_are_named_with_their_line(pixels: str, found: str, tmp_path: Path) -> None:
    file = _broken(tmp_path / "fer2013.csv", 4, 1, pixels)
    with pytest.raises(DatasetError, match=r"2304 pixels .*line 4 .*fer2013\.csv") as caught:
        fer2013.open_path(file)
    assert found in str(caught.value)


@pytest.mark.parametrize("usage", ["Test", "training", "", "7"])
def test_an_unknown_usage_is_named_with_its_line(usage: str, tmp_path: Path) -> None:
    file = _broken(tmp_path / "fer2013.csv", 3, 2, usage)
    with pytest.raises(DatasetError, match=f"PrivateTest.*'{usage or 'nan'}'.*line 3 "):
        fer2013.open_path(file)


@pytest.mark.parametrize("emotion", ["7", "-1", "2.5", "happy", ""])
def test_an_emotion_out_of_range_is_named_with_its_line(emotion: str, tmp_path: Path) -> None:
    file = _broken(tmp_path / "fer2013.csv", 5, 0, emotion)
    with pytest.raises(DatasetError, match=r"0 to 6.*line 5 "):
        fer2013.open_path(file)


@pytest.mark.parametrize(
    "content", [b"", b"\x89PNG\r\n\x1a\n\xff\xfe\x00\xff", b'emotion,pixels,Usage\n0,"1 2,Training\n']
)
def test_a_file_that_is_no_table_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "fer2013.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=r"emotion, pixels, Usage.*fer2013\.csv"):
        fer2013.open_path(tmp_path)


def test_a_table_without_lines_is_refused(tmp_path: Path) -> None:
    file = _write(tmp_path / "fer2013.csv", _lines()[:1])
    with pytest.raises(DatasetError, match="fer2013"):
        fer2013.open_path(file)


def test_votes_of_another_length_are_refused(file: Path) -> None:
    _write_votes(file.parent, VOTES[:3])
    with pytest.raises(DatasetError, match=r"fer2013new\.csv .*\b4 .*\b3\b"):
        fer2013.open_path(file)


@pytest.mark.parametrize(
    "votes", ["0,-1,0,0,0,0,0,0,0,0", "0,many,0,0,0,0,0,0,0,0", "0,,0,0,0,0,0,0,0,0", "inf" + ",0" * 9]
)
def test_wrong_votes_are_named_with_their_line(votes: str, file: Path) -> None:
    _write_votes(file.parent, (*VOTES[:2], votes, VOTES[3]))
    with pytest.raises(DatasetError, match=r"line 4 .*fer2013new\.csv"):
        fer2013.open_path(file)


def test_votes_without_a_label_are_refused(file: Path) -> None:
    _write_votes(file.parent)
    votes = file.with_name("fer2013new.csv")
    votes.write_text(votes.read_text().replace("contempt", "scorn"))
    with pytest.raises(DatasetError, match=r"fer2013new\.csv.*contempt"):
        fer2013.open_path(file)
