"""The measurement of faces that may not be human."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from fer.faces import Box, Detection
from scripts.nonhuman import main, told


def test_the_share_is_of_the_detected_faces() -> None:
    box = Box(0, 0, 10, 10)
    faces = [Detection(box, (), 1.0, score_again=score) for score in (0.2, 1.0, 0.5, 0.999)]
    assert told(faces).split() == ["2", "of", "4", "50.0", "%"]
    assert told([]).split()[:3] == ["0", "of", "0"]


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
    lines = [line.split("%")[1].strip() for line in printed.out.splitlines() if "%" in line]
    assert lines[:3] == ["drawn animals", "scikit-image", str(nobody)]
    assert [line for line in printed.out.splitlines() if "people, " in line and line.split()[:3] == ["0", "of", "1"]]
    assert "broken.jpg" in printed.err
