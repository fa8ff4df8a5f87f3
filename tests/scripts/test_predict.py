"""predict.py on pictures: a table, JSON, CSV and annotated copies."""

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer.cli import predict
from fer.faces import Face
from fer.images import encode_png, read_image
from fer.labels import FERPLUS
from fer.model.checkpoint import read_info
from fer.model.prior import EVERYDAY, POSED
from fer.recognition.recognizer import Recognizer
from tests.scripts.conftest import Chain
from tests.scripts.processes import run_script


@pytest.fixture(scope="module")
def recognizer(chain: Chain) -> Recognizer:
    return Recognizer.load(chain.checkpoint)


def assert_is_face(record: dict[str, Any], expected: Face) -> None:
    """Compare a face in JSON with the result of the package in this process."""
    keys = {"box", "landmarks", "score", "score_again", "label", "confidence", "probabilities", "luma", "concerns"}
    assert set(record) == keys
    assert record["box"] == pytest.approx(list(expected.box.xyxy), abs=1e-3)
    assert np.array(record["landmarks"]) == pytest.approx(np.array(expected.landmarks), abs=1e-3)
    assert record["luma"] == pytest.approx(expected.luma, abs=0.5)
    assert record["score"] == pytest.approx(expected.score, abs=1e-5)
    assert record["score_again"] == pytest.approx(expected.score_again, abs=1e-4)
    assert tuple(record["probabilities"]) == expected.labels
    assert list(record["probabilities"].values()) == pytest.approx(expected.probabilities, abs=1e-5)
    assert sum(record["probabilities"].values()) == pytest.approx(1)
    assert record["confidence"] == max(record["probabilities"].values())
    assert record["probabilities"][record["label"]] == record["confidence"]


@pytest.mark.slow
def test_predict_handles_a_folder_with_any_content(
    chain: Chain, photos: Path, recognizer: Recognizer, tmp_path: Path
) -> None:
    ended = run_script(
        tmp_path,
        "scripts/predict.py",
        *("--image", str(photos), "--checkpoint", str(chain.checkpoint)),
        *("--json", "--csv", "faces.csv", "--output", "annotated/all"),
    )
    assert ended.code == 1, "one picture is broken"
    records = json.loads(ended.out)
    paths = [photos / name for name in ("astronaut.png", "below/two.png", "broken.jpg", "nobody.png")]
    assert [record["path"] for record in records] == [str(path) for path in paths]
    assert [len(record["faces"]) for record in records] == [1, 2, 0, 0]
    assert ["error" in record for record in records] == [False, False, True, False]
    assert "broken.jpg" in records[2]["error"]
    assert ended.err.count("error: ") == 1 and records[2]["error"] in ended.err

    expected = [face for path in paths[:2] for face in recognizer.recognize(read_image(path))]
    found = [face for record in records for face in record["faces"]]
    for record, face in zip(found, expected, strict=True):
        assert_is_face(record, face)

    with (tmp_path / "faces.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["path"], row["face"]) for row in rows] == [
        (str(paths[0]), "1"),
        (str(paths[1]), "1"),
        (str(paths[1]), "2"),
    ]
    for row, record in zip(rows, found, strict=True):
        assert [float(row[name]) for name in ("x1", "y1", "x2", "y2")] == [round(edge, 1) for edge in record["box"]]
        assert {label: float(row[label]) for label in FERPLUS} == pytest.approx(record["probabilities"], abs=5e-5)
        assert row["label"] == record["label"]
        assert row["concerns"] == ", ".join(record["concerns"])

    annotated = tmp_path / "annotated" / "all"
    assert {path.name for path in annotated.iterdir()} == {"astronaut.png", "two.png", "nobody.png"}
    assert np.array_equal(read_image(annotated / "nobody.png"), read_image(photos / "nobody.png"))
    assert not np.array_equal(read_image(annotated / "astronaut.png"), read_image(photos / "astronaut.png"))


@pytest.mark.slow
def test_predict_prints_a_table_for_people(
    tiny_checkpoint: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dark = tmp_path / "dark.png"
    dark.write_bytes(encode_png((read_image(photos / "astronaut.png") * 0.15).astype(np.uint8)))
    images = [str(photos / name) for name in ("astronaut.png", "nobody.png")]
    output = tmp_path / "one.png"
    assert predict.main(["--image", *images, str(dark), "--checkpoint", str(tiny_checkpoint)]) == 0
    captured = capsys.readouterr()
    first, second, third = captured.out.splitlines()
    assert first.startswith(images[0]) and "face 1" in first and "%" in first and "box 1" in first
    assert second.split() == [images[1], "no", "face"]
    assert "face 1" in third and "dark" in third and "dark" not in first
    assert captured.err == ""
    assert predict.main(["--image", images[0], "--checkpoint", str(tiny_checkpoint), "--output", str(output)]) == 0
    assert read_image(output).shape == (512, 512, 3)


def test_predict_says_what_is_missing(
    tiny_checkpoint: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, gone = str(photos / "astronaut.png"), str(tmp_path / "gone.png")
    assert predict.main(["--image", gone, photo, "--checkpoint", str(tiny_checkpoint), "--json"]) == 1
    captured = capsys.readouterr()
    assert [len(record["faces"]) for record in json.loads(captured.out)] == [0, 1]
    assert captured.err.startswith("error: ") and "gone.png" in captured.err

    model = str(tmp_path / "gone.safetensors")
    assert predict.main(["--image", photo, "--checkpoint", model]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ") and model in captured.err

    assert predict.main(["--image", str(tmp_path), "--checkpoint", str(tiny_checkpoint)]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("error: ") and str(tmp_path) in captured.err

    broken = str(photos / "broken.jpg")
    assert predict.main(["--image", photo, "--checkpoint", broken]) == 1
    assert ".safetensors" in capsys.readouterr().err


def test_predict_never_writes_over_a_picture_that_it_reads(
    tiny_checkpoint: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = (photos / "nobody.png").read_bytes()
    paths = [tmp_path / name for name in ("a.png", "a.webp", "b.png", "sub/a.png")]
    (tmp_path / "sub").mkdir()
    for path in paths:
        path.write_bytes(data)  # the content counts, not the name
    model = ["--checkpoint", str(tiny_checkpoint)]
    assert predict.main(["--image", str(tmp_path), *model, "--output", str(tmp_path)]) == 0
    assert all(path.read_bytes() == data for path in paths)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.png", "a.webp", "b.png", "sub", "a-2.png", "a-3.png", "a-4.png", "b-2.png"}

    capsys.readouterr()
    assert predict.main(["--image", str(paths[0]), *model, "--output", str(paths[0])]) == 1
    assert "--output" in capsys.readouterr().err
    assert paths[0].read_bytes() == data
    assert predict.main(["--image", str(paths[0]), *model, "--output", str(tmp_path / "out.jpg")]) == 1
    assert ".png" in capsys.readouterr().err


def test_predict_handles_unprintable_names(
    tiny_checkpoint: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names from old archives are not UTF-8; Python keeps their bytes as unprintable characters."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    try:
        path.write_bytes((photos / "astronaut.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    table, model = tmp_path / "faces.csv", str(tiny_checkpoint)
    assert predict.main(["--image", str(path), "--checkpoint", model, "--csv", str(table)]) == 0
    assert "caf\ufffd.png" in capsys.readouterr().out
    assert r"caf\udce9.png" in table.read_text(encoding="utf-8")
    assert predict.main(["--image", str(path), "--checkpoint", model, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["path"] == str(path)


def test_unsure_depends_on_the_kind_of_faces(
    two_heads: Path, astronaut: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(astronaut))
    for faces, unsure in ((EVERYDAY, False), (POSED, True)):
        given = ["--image", str(tmp_path / "a.png"), "--checkpoint", str(two_heads), "--faces", faces, "--json"]
        assert predict.main(given) == 0
        ((face,),) = (record["faces"] for record in json.loads(capsys.readouterr().out))
        limit = read_info(two_heads).reading(faces).unsure_below
        assert (face["confidence"] < limit) == ("unsure" in face["concerns"]) == unsure
