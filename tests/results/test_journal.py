"""The results of pictures survive whatever happens to the process and the file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fer.errors import CollectionError
from fer.faces import Box, Face
from fer.results.journal import Finished, PictureTask, open_results, read_finished
from fer.results.pictures import PictureResult

ROOT = Path(__file__).parents[2]
FACE = Face(Box(1, 2, 3, 4), ((1.5, 2.5),), 0.99, labels=("anger", "happiness"), probabilities=(0.25, 0.75))


@pytest.fixture
def pictures(tmp_path: Path) -> list[PictureTask]:
    found = [PictureTask(tmp_path / name, name) for name in ("a.jpg", "b.jpg", "c.jpg")]
    for picture in found:
        picture.path.write_text(picture.name)
    return found


def done(picture: PictureTask, *faces: Face, error: str | None = None) -> Finished:
    return Finished(picture, PictureResult(picture.name, faces, error), ("data:image/jpeg;base64,AA==",))


def test_a_finished_picture_survives_json() -> None:
    finished = done(PictureTask(Path("/x/a.jpg"), "a.jpg", Path("/y/a.png")), FACE)
    assert Finished.from_dict(json.loads(json.dumps(finished.to_dict()))) == finished


def test_finished_pictures_are_not_missing(tmp_path: Path, pictures: list[PictureTask]) -> None:
    file = tmp_path / "new folder" / "results.jsonl"
    with open_results(file, pictures, "model") as known:
        assert known.missing() == pictures
        known.add(done(pictures[2], FACE))
        known.add(done(pictures[0]))
    with open_results(file, pictures, "model") as known:
        assert known.missing() == [pictures[1]]
        assert list(known.results()) == [PictureResult("a.jpg"), PictureResult("c.jpg", (FACE,))]  # as the pictures are
        known.add(done(pictures[1]))
        assert known.missing() == []
    assert [one.picture for one in read_finished(file)] == pictures


def test_without_a_file_it_is_temporary(pictures: list[PictureTask]) -> None:
    with open_results(None, pictures, "model") as known:
        known.add(done(pictures[1], FACE))
        assert list(known.results()) == [PictureResult("b.jpg", (FACE,))]


def test_a_changed_file_or_another_model_is_processed_again(tmp_path: Path, pictures: list[PictureTask]) -> None:
    file = tmp_path / "results.jsonl"
    with open_results(file, pictures, "model") as known:
        for picture in pictures:
            known.add(done(picture, FACE))
    os.utime(pictures[0].path, (1, 1))
    pictures[1].path.write_text("another size")
    with open_results(file, pictures, "model") as known:
        assert known.missing() == pictures[:2]
        known.add(done(pictures[0]))
    assert read_finished(file)[0].result.faces == ()  # the last line holds
    with open_results(file, pictures, "another model") as known:
        assert known.missing() == pictures


def test_unreadable_pictures_are_tried_again(tmp_path: Path, pictures: list[PictureTask]) -> None:
    file = tmp_path / "results.jsonl"
    with open_results(file, pictures, "model") as known:
        known.add(done(pictures[0], error="a.jpg is damaged"))
        assert pictures[0] in known.missing()
    with open_results(file, pictures, "model") as known:
        assert pictures[0] in known.missing()
        assert [result.error for result in known.results()] == ["a.jpg is damaged"]


def test_a_lost_copy_is_written_again(tmp_path: Path, pictures: list[PictureTask]) -> None:
    picture = PictureTask(pictures[0].path, "a.jpg", tmp_path / "copy.png")
    with open_results(None, [picture], "model") as known:
        picture.output.write_text("copy")  # type: ignore[union-attr]
        known.add(done(picture, FACE))
        assert known.missing() == []
        picture.output.unlink()  # type: ignore[union-attr]
        assert known.missing() == [picture]


def test_a_truncated_line_does_not_count(tmp_path: Path, pictures: list[PictureTask]) -> None:
    file = tmp_path / "results.jsonl"
    with open_results(file, pictures, "model") as known:
        known.add(done(pictures[0], FACE))
        known.add(done(pictures[1], FACE))
    whole = file.read_bytes()
    for cut in (1, 20, 100):
        file.write_bytes(whole[:-cut])
        assert [one.picture for one in read_finished(file)] == pictures[:1]
        with open_results(file, pictures, "model") as known:
            assert known.missing() == pictures[1:]
            known.add(done(pictures[1], FACE))
        assert file.read_bytes() == whole


def test_another_file_is_left_unchanged(tmp_path: Path, pictures: list[PictureTask]) -> None:
    file = tmp_path / "faces.csv"
    file.write_text("path,face\n")
    with pytest.raises(CollectionError, match=r"faces\.csv"), open_results(file, pictures, "model"):
        pass
    assert file.read_text() == "path,face\n"


def test_one_process_at_a_time(tmp_path: Path, pictures: list[PictureTask]) -> None:
    file = tmp_path / "results.jsonl"
    with (
        open_results(file, pictures, "model"),
        pytest.raises(CollectionError, match=r"results\.jsonl"),
        open_results(file, pictures, "model"),
    ):
        pass


def test_one_file_under_two_names_is_two_pictures(pictures: list[PictureTask]) -> None:
    with open_results(None, [pictures[0], pictures[1], pictures[0]], "model") as known:
        assert known.missing() == pictures[:2]
        known.add(done(pictures[0], FACE))
        assert [result.path for result in known.results()] == ["a.jpg", "a.jpg"]


@pytest.mark.parametrize(
    "change",
    [
        {"faces": None}, {"faces": [7]}, {"faces": [{}]}, {"path": 5}, {"output": []}, {"thumbnails": 5}, {"error": []},
        {"faces": [FACE.to_dict() | {"box": ["1", 2, 3, 4]}]}, {"faces": [FACE.to_dict() | {"probabilities": {}}]},
        {"faces": [FACE.to_dict() | {"probabilities": {"anger": "0.5"}}]}, {"file": ["x"]}, {"key": 7},
        {"faces": [FACE.to_dict() | {"opinions": {"raters": 5}}]}, {"faces": [FACE.to_dict() | {"score": None}]},
    ],
    ids=str,
)  # fmt: skip
def test_a_line_of_another_type_is_processed_again(
    change: dict[str, object], tmp_path: Path, pictures: list[PictureTask]
) -> None:
    file = tmp_path / "results.jsonl"
    with open_results(file, pictures, "model") as known:
        for picture in pictures:
            known.add(done(picture, FACE))
    header, first, *others = file.read_text().splitlines()
    file.write_text("\n".join([header, json.dumps(json.loads(first) | change), *others, ""]))
    assert [one.picture.name for one in read_finished(file)] == ["b.jpg", "c.jpg"]
    with open_results(file, pictures, "model") as known:
        assert known.missing() == pictures[:1]
        assert [result.path for result in known.results()] == ["b.jpg", "c.jpg"]


def test_foreign_lines_are_skipped(
    tmp_path: Path, pictures: list[PictureTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "results.jsonl"
    with open_results(file, pictures, "model") as known:
        known.add(done(pictures[0], FACE))
    monkeypatch.setattr("fer.results.journal._LONGEST_LINE_BYTES", 2000)
    with file.open("ab") as lines:
        lines.write(b"[" * 1999 + b"\n" + b"x" * 5000 + b"\n" + b'{"key": 1e999}\n' + b"\xff\xfe\n[]\nnull\n")
    with open_results(file, pictures, "model") as known:
        assert known.missing() == pictures[1:]
        known.add(done(pictures[1], FACE))
    assert [one.picture for one in read_finished(file)] == pictures[:2]


def test_a_full_disk_loses_nothing_that_was_written(
    tmp_path: Path, pictures: list[PictureTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "results.jsonl"
    with open_results(file, pictures, "model") as known:
        known.add(done(pictures[0], FACE))
    room = file.stat().st_size + 100
    code = f"""
import resource, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from fer.errors import CollectionError, lacks_room
from fer.results.journal import PictureTask, open_results
from tests.results.test_journal import FACE, done
pictures = [PictureTask(Path({str(tmp_path)!r}) / name, name) for name in ("a.jpg", "b.jpg", "c.jpg")]
resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))
try:
    with open_results(Path({str(file)!r}), pictures, "model") as known:
        known.add(done(pictures[1], FACE))
except CollectionError as error:
    print(lacks_room(error), error)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith("True ") and str(file) in said
    assert file.stat().st_size <= room
    with open_results(file, pictures, "model") as known:
        assert known.missing() == pictures[1:]
        known.add(done(pictures[1], FACE))
        assert [result.path for result in known.results()] == ["a.jpg", "b.jpg"]
