"""CK+ in its three forms, valid and broken."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.errors import DatasetError
from tests.datasets.pictures import pattern, write_picture

EYES = ((120.0, 100.0), (157.0, 100.0))
"""Centers of the eyes in the frames below; 37 px apart, the crop's side is 100 px."""


def _landmarks(file: Path, eyes: tuple[tuple[float, float], ...] = EYES) -> None:
    points = np.tile(np.mean(eyes, axis=0), (68, 1))
    points[36:42], points[42:48] = eyes
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"   {x:.7e}   {y:.7e}\n" for x, y in points))


def _sequence(root: Path, subject: str, number: str, emotion: str | None, frames: int = 6) -> None:
    for frame in range(1, frames + 1):
        name = f"{subject}_{number}_{frame:08d}"
        picture = np.full((240, 320), 20 * frame, np.uint8)
        write_picture(root / "cohn-kanade-images" / subject / number / f"{name}.png", picture)
        _landmarks(root / "Landmarks" / subject / number / f"{name}_landmarks.txt")
    folder = root / "Emotion" / subject / number
    folder.mkdir(parents=True)
    if emotion is not None:
        (folder / f"{subject}_{number}_{frames:08d}_emotion.txt").write_text(emotion)


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """Four people with two labeled sequences each and one without a label."""
    root = tmp_path / "CK+"
    for person, subject in enumerate(("S005", "S010", "S011", "S506")):
        _sequence(root, subject, "001", f"   {3 + person:.7e}\n")
        _sequence(root, subject, "002", "   7.0000000e+00\n", frames=4)
        _sequence(root, subject, "003", None)
    (root / "cohn-kanade-images" / "S010" / "001" / ".DS_Store").write_bytes(b"")
    (root / "cohn-kanade-images" / "S010" / ".DS_Store").write_bytes(b"")
    return root


def _brightness(dataset: FaceDataset) -> list[int]:
    return [int(dataset.picture(row)[0, 0, 0]) // 20 for row in range(len(dataset))]


# The official trees


def test_the_last_three_frames_of_labeled_sequences_count(official: Path) -> None:
    dataset = open_dataset(official)
    assert dataset.name == "CK+ (CK+)"
    assert dataset.labels == ("happiness", "surprise", "sadness", "disgust", "fear")
    assert len(dataset) == 4 * 2 * 3
    assert _brightness(dataset)[:6] == [4, 5, 6, 2, 3, 4]
    words = [dataset.labels[label] for label in dataset.truth(np.arange(len(dataset)))]
    assert words[::3] == ["disgust", "surprise", "fear", "surprise", "happiness", "surprise", "sadness", "surprise"]
    assert dataset.subjects.tolist() == ["S005"] * 6 + ["S010"] * 6 + ["S011"] * 6 + ["S506"] * 6
    (note,) = [note for note in dataset.notes if "emotion file" in note]
    assert note.startswith("4 ")


def test_nobody_is_in_two_splits(official: Path) -> None:
    dataset = open_dataset(official)
    assert set(dataset.splits) == {"train", "validation", "test"}
    for subject in set(dataset.subjects):
        assert len(set(dataset.splits[dataset.subjects == subject])) == 1


def test_the_first_frame_is_neutral_if_requested(official: Path) -> None:
    dataset = open_dataset(f"{official}:neutral")
    assert dataset.labels[0] == "neutral"
    assert len(dataset) == 4 * 2 * 4
    assert _brightness(dataset)[:8] == [1, 4, 5, 6, 1, 2, 3, 4]
    assert dataset.votes[:, 0].tolist() == [1, 0, 0, 0] * 8


def test_a_sequence_of_three_frames_has_no_neutral_one(tmp_path: Path) -> None:
    _sequence(tmp_path, "S005", "001", "5", frames=3)
    assert open_dataset(f"{tmp_path}:neutral").labels == ("happiness",)


def test_neutral_is_refused_for_another_layout(tmp_path: Path) -> None:
    for name in ("angry", "happy"):
        write_picture(tmp_path / name / "1.png", pattern(1))
    with pytest.raises(DatasetError, match=r"CK\+.*angry/, happy/.*:neutral"):
        open_dataset(f"{tmp_path}:neutral")


def test_faces_are_cropped_as_in_fer2013(official: Path) -> None:
    frame = np.zeros((240, 320), np.uint8)
    for x, y in EYES:
        frame[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = 255
    file = official / "cohn-kanade-images" / "S005" / "001" / "S005_001_00000006.png"
    Image.fromarray(frame).save(file)
    crop = open_dataset(official).picture(2)[..., 0]
    assert crop.shape == (100, 100)
    rows, columns = np.nonzero(crop > 128)
    assert rows.mean() == pytest.approx(39, abs=1)
    assert columns[columns < 50].mean() == pytest.approx(50 - 18.5, abs=1)
    assert columns[columns > 50].mean() == pytest.approx(50 + 18.5, abs=1)


def test_a_tilted_head_is_turned_upright(official: Path) -> None:
    eyes = ((120.0, 90.0), (150.0, 110.0))
    frame = np.zeros((240, 320), np.uint8)
    for x, y in eyes:
        frame[int(y) - 2 : int(y) + 3, int(x) - 2 : int(x) + 3] = 255
    name = "S005_001_00000006"
    Image.fromarray(frame).save(official / "cohn-kanade-images" / "S005" / "001" / f"{name}.png")
    _landmarks(official / "Landmarks" / "S005" / "001" / f"{name}_landmarks.txt", eyes)
    crop = open_dataset(official).picture(2)[..., 0]
    rows, columns = np.nonzero(crop > 128)
    left, right = rows[columns < crop.shape[1] / 2].mean(), rows[columns > crop.shape[1] / 2].mean()
    assert left == pytest.approx(right, abs=1)
    assert left == pytest.approx(0.39 * crop.shape[0], abs=1.5)


@pytest.mark.parametrize(
    ("images", "emotions"),
    [
        ("extended-cohn-kanade-images", "Emotion_labels"),
        ("extended-cohn-kanade-images/cohn-kanade-images", "Emotion_labels/Emotion"),
    ],
)
def test_other_folder_names_are_known(official: Path, images: str, emotions: str) -> None:
    for old, new in (("cohn-kanade-images", images), ("Emotion", emotions)):
        (official / new).parent.mkdir(exist_ok=True)
        (official / old).rename(official / new)
    assert len(open_dataset(official)) == 24


def test_without_emotions_it_is_refused(official: Path) -> None:
    (official / "Emotion").rename(official / "elsewhere")
    with pytest.raises(DatasetError, match=r"Emotion.*cohn-kanade"):
        open_dataset(official)


def test_without_one_emotion_file_it_is_refused(tmp_path: Path) -> None:
    _sequence(tmp_path, "S005", "001", None)
    with pytest.raises(DatasetError, match=r"_emotion\.txt.* 1 sequences"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("text", ["", "8.0000000e+00", "-1", "2.5", "happy", "nan"])
def test_an_unknown_emotion_is_named_with_its_file(official: Path, text: str) -> None:
    (official / "Emotion" / "S010" / "001" / "S010_001_00000006_emotion.txt").write_text(text)
    with pytest.raises(DatasetError, match=r"0 to 7 .*S010_001_00000006_emotion\.txt"):
        open_dataset(official)


def test_whole_frames_without_landmarks_are_refused(official: Path) -> None:
    (official / "Landmarks").rename(official / "elsewhere")
    with pytest.raises(DatasetError, match=r"Landmarks.*320x240"):
        open_dataset(official)


def test_square_pictures_without_landmarks_are_crops_already(tmp_path: Path) -> None:
    _sequence(tmp_path, "S005", "001", "1")
    for number in range(1, 7):
        frame = tmp_path / "cohn-kanade-images" / "S005" / "001" / f"S005_001_{number:08d}.png"
        Image.fromarray(pattern(number, 64)).save(frame)
    (tmp_path / "Landmarks").rename(tmp_path / "elsewhere")
    dataset = open_dataset(tmp_path)
    assert np.array_equal(dataset.picture(2)[..., 0], pattern(6, 64))


@pytest.mark.parametrize(
    "text", [None, "", "1 2\n" * 67, "1 2 3\n" * 68, "nan nan\n" * 68, "words\n" * 68, "5 5\n" * 68]
)
@pytest.mark.filterwarnings("ignore:loadtxt")
def test_wrong_landmarks_are_named_with_their_file(official: Path, text: str | None) -> None:
    file = official / "Landmarks" / "S011" / "001" / "S011_001_00000005_landmarks.txt"
    file.unlink() if text is None else file.write_text(text)
    with pytest.raises(DatasetError, match=r"68.*S011_001_00000005_landmarks\.txt"):
        open_dataset(official)


def test_a_new_frame_changes_the_fingerprint(official: Path) -> None:
    before = open_dataset(official).fingerprint()
    assert open_dataset(official).fingerprint() == before
    _sequence(official, "S999", "001", "1")
    assert open_dataset(official).fingerprint() != before


# CK+48


def _ck48(root: Path, people: int = 12) -> Path:
    for person in range(people):
        for number, word in enumerate(("anger", "happy", "sadness")):
            for frame in range(3):
                name = f"S{person + 5:03d}_{number + 1:03d}_{frame + 10:08d}.png"
                write_picture(root / word / name, pattern(person * 100 + number * 10 + frame))
    return root


def test_file_names_of_ck48_identify_people(tmp_path: Path) -> None:
    dataset = open_dataset(_ck48(tmp_path / "CK+48"))
    assert dataset.labels == ("anger", "happiness", "sadness")
    assert len(set(dataset.subjects)) == 12
    assert dataset.subjects[0] == "S005"
    assert set(dataset.splits) == {"train", "validation", "test"}
    for subject in set(dataset.subjects):
        assert len(set(dataset.splits[dataset.subjects == subject])) == 1


def test_existing_split_folders_are_kept_even_if_they_divide_people(tmp_path: Path) -> None:
    for split, frame in (("train", 1), ("val", 2), ("test", 3)):
        write_picture(tmp_path / split / "happy" / f"S010_004_{frame:08d}.png", pattern(frame))
    dataset = open_dataset(tmp_path)
    assert set(dataset.subjects) == {"S010"}
    assert sorted(dataset.splits) == ["test", "train", "validation"]


# ckextended.csv


def _table(
    file: Path, emotions: list[str], pixels: list[str] | None = None, header: str = "emotion,pixels,Usage"
) -> Path:
    pixels = pixels or [" ".join(map(str, pattern(row).ravel().tolist())) for row in range(len(emotions))]
    lines = [f"{emotion},{text},Training" for emotion, text in zip(emotions, pixels, strict=True)]
    file.write_text("\n".join([header, *lines]) + "\n")
    return file


@pytest.mark.parametrize("name", ["", "ckextended.csv"])
def test_ckextended_has_eight_classes_in_its_own_order(tmp_path: Path, name: str) -> None:
    _table(tmp_path / "ckextended.csv", [str(number) for number in range(8)])
    dataset = open_dataset(tmp_path / name)
    words = [dataset.labels[label] for label in dataset.truth(np.arange(8))]
    assert words == ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral", "contempt"]
    assert np.array_equal(dataset.picture(3)[..., 0], pattern(3))
    assert set(dataset.subjects) == {""}
    assert not dataset.knows_everybody


def test_its_own_split_is_ignored_and_duplicates_stay_together(tmp_path: Path) -> None:
    seeds = [seed for seed in range(30) for _ in range(2)]
    pixels = [" ".join(map(str, pattern(seed).ravel().tolist())) for seed in seeds]
    dataset = open_dataset(_table(tmp_path / "ckextended.csv", [str(seed % 2) for seed in seeds], pixels))
    assert set(dataset.splits) == {"train", "validation", "test"}
    assert dataset.splits[::2].tolist() == dataset.splits[1::2].tolist()


def test_a_broken_ckextended_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"0 to 7.*'8'.*line 3 .*ckextended\.csv"):
        open_dataset(_table(tmp_path / "ckextended.csv", ["0", "8"]))
    with pytest.raises(DatasetError, match=r"2304 .*line 2 .* 3\b"):
        open_dataset(_table(tmp_path / "ckextended.csv", ["0"], ["1 2 3"]))
    with pytest.raises(DatasetError, match=r"pixels.*ckextended\.csv|ckextended\.csv.*pixels"):
        open_dataset(_table(tmp_path / "ckextended.csv", ["0"], header="emotion,pictures,Usage"))
