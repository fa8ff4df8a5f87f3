"""Many pictures give the same results as each of them alone, whatever is among them."""

import errno
import os
import threading
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fer.collection.job import Request, pictures_of
from fer.collection.pipeline import BATCH_FACES, recognize_pictures, write_preview, write_whole
from fer.errors import CollectionError, ImageError, lacks_room
from fer.faces import Face
from fer.images import list_images, read_image
from fer.recognition.recognizer import Recognizer
from fer.results.journal import Finished, PictureTask


@pytest.fixture(scope="module")
def recognizer(tiny_checkpoint: Path) -> Recognizer:
    return Recognizer.load(tiny_checkpoint)


@pytest.fixture(scope="module")
def pictures(many_photos: Path) -> list[PictureTask]:
    return [PictureTask(path, path.relative_to(many_photos).as_posix()) for path in list_images([many_photos])]


def by_name(finished: list[Finished]) -> dict[str, Finished]:
    assert len({one.picture for one in finished}) == len(finished)
    return {one.picture.name: one for one in finished}


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 3])
def test_every_picture_comes_once_with_the_same_faces_as_alone(
    recognizer: Recognizer, pictures: list[PictureTask], workers: int
) -> None:
    threads = torch.get_num_threads()
    found = by_name(list(recognize_pictures(recognizer, pictures, workers=workers)))
    assert torch.get_num_threads() == threads
    assert found.keys() == {picture.name for picture in pictures}
    assert "broken.jpg" in (error := found["broken.jpg"].result.error or "")
    assert str(found["broken.jpg"].picture.path.parent) not in error
    assert found["nobody.png"].result.faces == () and found["nobody.png"].result.error is None
    height, width, _ = read_image(found["nobody.png"].picture.path).shape
    assert found["nobody.png"].result.size_wh == (width, height) and found["broken.jpg"].result.size_wh is None
    for name in ("00.jpg", "below/00.jpg", "11.jpg"):
        (face,), (expected,) = found[name].result.faces, recognizer.recognize(read_image(found[name].picture.path))
        np.testing.assert_allclose(face.box.xyxy, expected.box.xyxy, atol=1e-3)  # a different order of summation
        np.testing.assert_allclose(face.landmarks, expected.landmarks, atol=1e-3)
        np.testing.assert_allclose(face.probabilities, expected.probabilities, atol=1e-5)


@pytest.mark.slow
def test_the_network_sees_faces_of_several_pictures_at_once(
    recognizer: Recognizer, pictures: list[PictureTask], monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    logits = recognizer.classifier.logits
    monkeypatch.setattr(recognizer.classifier, "logits", lambda pixels: batches.append(len(pixels)) or logits(pixels))
    assert len(list(recognize_pictures(recognizer, pictures))) == 26
    assert sum(batches) == 24 and max(batches) <= BATCH_FACES
    assert len(batches) < 24


def test_few_pictures_are_in_memory_at_once(recognizer: Recognizer, pictures: list[PictureTask]) -> None:
    """However slowly the results are consumed, only a few pictures are read ahead."""
    read: list[str] = []

    def finish(picture: PictureTask, image: np.ndarray, faces: tuple[Face, ...]) -> tuple[str, ...]:
        read.append(picture.name)
        return ()

    stream = recognize_pictures(recognizer, pictures * 4, finish, workers=2)
    next(stream)
    assert len(read) < 40
    stream.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pictures")]


def test_a_copy_that_cannot_be_written_is_an_error_of_its_picture(
    recognizer: Recognizer, pictures: list[PictureTask], tmp_path: Path
) -> None:
    wanted = [
        PictureTask(pictures[0].path, "good", tmp_path / "a.png"),
        PictureTask(pictures[0].path, "bad", tmp_path / "b"),
    ]
    (tmp_path / "b").mkdir()
    found = by_name(list(recognize_pictures(recognizer, wanted, partial(write_whole, 0.45))))
    assert found["good"].result.error is None and str(tmp_path) not in (found["bad"].result.error or "")
    assert read_image(tmp_path / "a.png").shape == read_image(pictures[0].path).shape
    assert "bad" in (found["bad"].result.error or "") and len(found["bad"].result.faces) == 1


def test_previews_are_small_and_thumbnails_are_of_faces(
    recognizer: Recognizer, tmp_path: Path, astronaut: np.ndarray
) -> None:
    image = np.kron(astronaut, np.ones((4, 4, 1), np.uint8))
    faces = tuple(recognizer.recognize(image))
    picture = PictureTask(tmp_path / "photo.jpg", "photo.jpg", tmp_path / "copies" / "photo.jpg.jpg")
    (thumbnail,) = write_preview(recognizer.info, picture, image, faces)
    assert thumbnail.startswith("data:image/jpeg;base64,") and len(thumbnail) < 10_000
    copy = read_image(picture.output)  # type: ignore[arg-type]
    assert copy.shape == (1280, 1280, 3)
    box = faces[0].box
    edge = copy[round(box.y1 * 1280 / 2048) : round(box.y2 * 1280 / 2048), round(box.x1 * 1280 / 2048) + 1]
    assert edge.std(axis=0).max() < 25  # the line of the box is around the face


def test_other_errors_are_not_hidden(recognizer: Recognizer, pictures: list[PictureTask]) -> None:
    def finish(picture: PictureTask, image: np.ndarray, faces: tuple[Face, ...]) -> tuple[str, ...]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(recognize_pictures(recognizer, pictures, finish))


@pytest.mark.slow
def test_a_picture_that_takes_too_long_affects_no_other(
    recognizer: Recognizer, pictures: list[PictureTask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer.decoders.MOST_SECONDS", 0.5)
    path = tmp_path / "many scans.jpg"
    Image.new("L", (4000, 4000), 100).save(path, progressive=True)
    data = path.read_bytes()
    path.write_bytes(data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 20_000 + data[-2:])
    found = by_name(list(recognize_pictures(recognizer, [PictureTask(path, path.name), *pictures[:4]])))
    assert path.name in (found.pop(path.name).result.error or "")
    assert [one.result.error for one in found.values()] == [None] * 4


def test_no_pictures(recognizer: Recognizer) -> None:
    assert list(recognize_pictures(recognizer, [])) == []


def test_an_error_says_which_picture(recognizer: Recognizer, pictures: list[PictureTask]) -> None:
    def finish(picture: PictureTask, image: np.ndarray, faces: tuple[Face, ...]) -> tuple[str, ...]:
        raise ImageError("no room")

    (finished,) = recognize_pictures(recognizer, pictures[:1], finish)
    assert finished.result.error == f"{pictures[0].name}: no room"


@pytest.mark.slow
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_a_full_disk_makes_no_photo_unreadable(
    recognizer: Recognizer, pictures: list[PictureTask], number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(path: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr("fer.collection.pipeline.write_atomically", full)
    copies = [replace(picture, output=tmp_path / f"{place}.jpg") for place, picture in enumerate(pictures)]
    done: list[Finished] = []
    with pytest.raises(CollectionError, match=str(tmp_path)) as caught:
        for one in recognize_pictures(recognizer, copies, partial(write_preview, recognizer.info)):
            done.append(one)
    assert lacks_room(caught.value) == (number == errno.ENOSPC)
    assert {one.picture.name for one in done if one.result.error is not None} <= {"broken.jpg"}


@pytest.mark.slow
def test_a_photo_with_the_longest_name_gets_its_copy(
    recognizer: Recognizer, astronaut: np.ndarray, tmp_path: Path
) -> None:
    source = tmp_path / "photos"
    source.mkdir()
    for letter in "ab":
        Image.fromarray(astronaut[:256, 100:356]).save(source / f"{letter * 251}.jpg")
    tasks = pictures_of(tmp_path / "job", Request("photos", Path("model"), source))
    done = list(recognize_pictures(recognizer, tasks, partial(write_preview, recognizer.info)))
    assert [one.result.error for one in done] == [None, None]
    assert len({picture.output for picture in tasks}) == 2
    assert all(picture.output and picture.output.is_file() for picture in tasks)
