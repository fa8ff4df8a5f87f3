"""predict.py --explain: a page that explains each face's expression."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from fer.cli import predict
from fer.images import encode_png
from fer.recognition.explain import explain
from fer.recognition.recognizer import Recognizer
from fer.reports.explanation import explanation_section


@pytest.mark.slow
def test_each_face_of_each_picture_has_its_explanation(
    tiny_checkpoint: Path, astronaut: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    face = astronaut[:256, 96:352]
    pair = np.concatenate([face, face[:, ::-1]], axis=1)
    pictures = {"nobody.png": np.full((90, 120, 3), 200, np.uint8), "one.png": astronaut, "two.png": pair}
    for name, image in pictures.items():
        (tmp_path / name).write_bytes(encode_png(image))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    file = tmp_path / "pages" / "why.html"
    options = ["--image", str(tmp_path), "--checkpoint", str(tiny_checkpoint)]
    assert predict.main([*options, "--explain", str(file)]) == 1, "one picture is broken"
    table = capsys.readouterr().out
    page = file.read_text(encoding="utf-8")
    assert page.count("<section>") == len(re.findall(r'<img [^>]*alt="[^"]', page)) == 3
    for name, count in (("nobody.png", 0), ("one.png", 1), ("two.png", 2), ("broken.jpg", 0)):
        assert page.count(f"{tmp_path / name}, face ") == count

    recognizer = Recognizer.load(tiny_checkpoint)
    (found,) = recognizer.recognize(astronaut)
    explanation = explain(recognizer, found, recognizer.network_input(astronaut, found))
    crop = recognizer.info.preprocessing.crop(astronaut, found)
    assert explanation_section(f"{tmp_path / 'one.png'}, face 1", explanation, crop) in page

    assert predict.main(options) == 1
    assert capsys.readouterr().out == table, "explaining changed what is found"


def test_the_page_needs_an_html_suffix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict.main(["--image", str(tmp_path), "--explain", str(tmp_path / "why.png")]) == 1
    captured = capsys.readouterr()
    assert "--explain" in captured.err and ".html" in captured.err and captured.out == ""


@pytest.mark.slow
def test_an_unprintable_name_is_no_error(tiny_checkpoint: Path, astronaut: np.ndarray, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    try:
        path.write_bytes(encode_png(astronaut))
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    options = ["--image", str(path), "--checkpoint", str(tiny_checkpoint), "--explain", str(tmp_path / "why.html")]
    assert predict.main(options) == 0
    assert r"caf\udce9.png, face 1" in (tmp_path / "why.html").read_text(encoding="utf-8")
