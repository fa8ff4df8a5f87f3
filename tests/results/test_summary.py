"""The numbers and faces that stand for a video or many photos."""

import base64
from pathlib import Path

import numpy as np
import pytest

from fer.faces import Box, Face
from fer.images import encode_jpeg
from fer.labels import FERPLUS
from fer.results.content import THUMBNAIL_NAME, Content, face_files, write_content
from fer.results.journal import Finished, PictureTask
from fer.results.pictures import PictureResult
from fer.results.summary import MOST_FACES, summary_of_photos, summary_of_timeline
from fer.video.notes import Notes
from fer.video.peaks import Peaks
from fer.video.recorder import Recorder
from tests.video import results

PICTURE = np.full((120, 1300, 3), 99, np.uint8)
THUMBNAIL = f"data:image/jpeg;base64,{base64.b64encode(encode_jpeg(PICTURE)).decode()}"


def face(confidence: float) -> Face:
    return Face(Box(0, 0, 9, 9), (), 0.9, labels=("fear", "anger"), probabilities=(confidence, 1 - confidence))


def test_faces_that_are_unsure_are_not_counted_among_the_expressions() -> None:
    task, faces = PictureTask(Path("a.jpg"), "a.jpg"), tuple(map(face, [0.6, 0.9] * 10))
    finished = [
        Finished(task, PictureResult("a.jpg", faces), (THUMBNAIL,) * len(faces)),
        Finished(task, PictureResult("b.jpg", error="broken")),
        Finished(task, PictureResult("c.jpg"), (THUMBNAIL,)),
    ]
    figures, content = summary_of_photos(finished, 0.7)
    assert (figures.pictures, figures.faces, dict(figures.expressions)) == (3, 20, {"fear": 10})
    assert content.faces is not None and len(content.faces) == MOST_FACES and content.thumbnail is not None
    assert content.picture is None


def test_of_what_moves_seconds_are_counted() -> None:
    recorder, peaks = Recorder(FERPLUS), Peaks()
    for number in range(40):
        faces = [results.face(1, "happiness"), results.face(2, "fear", 0.4)]
        recorder.add(number, number / 10, faces)
        peaks.note(PICTURE, number / 10, faces)
    seen = recorder.timeline(peaks=peaks.moments)
    figures, content = summary_of_timeline(seen, 0.5)
    assert figures.people == 2 and figures.seconds == pytest.approx(3.9)
    assert figures.expressions == {"happiness": pytest.approx(3.9)}
    assert content.faces and len(content.faces) == len(seen.key_moments())


def test_of_a_crowd_no_more_than_some_moments_are_noted() -> None:
    peaks = Peaks(most=5)
    for person in range(1, 20):
        peaks.note(PICTURE, person, [results.face(person, "fear")])
    assert [moment.person for moment in peaks.moments] == [15, 16, 17, 18, 19]


def test_of_a_face_that_is_out_of_the_picture_there_is_no_moment() -> None:
    peaks = Peaks()
    peaks.note(PICTURE, 1.0, [results.face(30, "fear")])
    assert peaks.moments == ()


def test_where_no_face_is_left_no_thumbnail_is(tmp_path: Path) -> None:
    write_content(tmp_path, Content(thumbnail=PICTURE, faces=[PICTURE]), False)
    hidden = Notes().with_hidden(1).applied(results.timeline_of({1: ["anger"] * 10}))
    write_content(tmp_path, summary_of_timeline(hidden, 0.5)[1], False)
    assert not face_files(tmp_path) and not (tmp_path / THUMBNAIL_NAME).exists()
