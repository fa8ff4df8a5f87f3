"""The measurement of faces that may not be human."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from fer.faces import Box, Detection
from fer.images import read_image
from fer.recognition.detector import FaceDetector
from fer.recognition.recognizer import Recognizer
from scripts.nonhuman import drawn_animal, drawn_toy, entering, main, nobody, people, told


def test_the_share_is_of_the_detected_faces() -> None:
    box = Box(0, 0, 10, 10)
    faces = [Detection(box, (), 1.0, score_again=score) for score in (0.2, 1.0, 0.5, 0.999)]
    assert told(faces).split() == ["2", "of", "4", "50.0", "%"]
    assert told([]).split()[:3] == ["0", "of", "0"]


@pytest.mark.slow
def test_real_people_are_hardly_ever_flagged_and_others_nearly_always(shared_faces: Path) -> None:
    detector, random = FaceDetector(), np.random.default_rng(0)
    photos = sorted((shared_faces / "wild-val").rglob("*.jpg"))[::3]
    real = [face.looks_human for _, face in people(detector, map(read_image, photos))]
    drawn = (draw(random) for draw in (drawn_animal, drawn_toy) * 20)
    others = [face.looks_human for _, face in nobody(detector, drawn, random, 10)]
    assert len(real) > 200 and np.mean(real) >= 0.98
    assert len(others) > 10 and np.mean(others) <= 0.2


@pytest.mark.slow
def test_who_enters_a_video_is_followed_from_the_first_detection_to_the_last(astronaut: npt.NDArray[np.uint8]) -> None:
    recognizer = Recognizer.load().for_video()
    (face,) = recognizer.detect(astronaut)
    first, last = entering(recognizer, astronaut, face)
    assert first.box.x1 < 3 < last.box.x1 and last.looks_human


@pytest.mark.slow
def test_each_source_has_its_line(
    tmp_path: Path, astronaut: npt.NDArray[np.uint8], capsys: pytest.CaptureFixture[str]
) -> None:
    people, nobody = tmp_path / "people", tmp_path / "nobody"
    for folder in (people, nobody):
        folder.mkdir()
    Image.fromarray(astronaut).save(people / "astronaut.png")
    Image.new("RGB", (90, 60), "green").save(nobody / "green.png")
    (nobody / "broken.jpg").write_bytes(b"no picture")
    assert main(["--variants", "0", "--drawn", "4", "--people", str(people), str(nobody)]) == 0
    printed = capsys.readouterr()
    counts = {(words := line.split(maxsplit=5))[5]: words[:3] for line in printed.out.splitlines() if "%" in line}
    assert {"drawn animals", "drawn toys", str(nobody), "all without people"} < set(counts)
    assert counts["people"] == counts["people, 80 pixels"] == ["0", "of", "1"]
    assert "broken.jpg" in printed.err
