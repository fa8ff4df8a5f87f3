"""The command line from drawn faces to annotated photos: train, get killed, go on, evaluate, predict."""

import csv
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fer.datasets import open_dataset
from fer.datasets.drawing import draw_portrait
from fer.evaluation.card import model_card
from fer.evaluation.report import read_evaluation, read_report
from fer.faces import Face
from fer.images import encode_png, read_image
from fer.labels import FERPLUS
from fer.model.classifier import Classifier
from fer.recognition.recognizer import Recognizer

Image = npt.NDArray[np.uint8]
ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 300
"""After that a process hangs; no test depends on how long one takes."""
TRAIN = ["scripts/train.py", "--dataset", "synthetic:160", "--epochs", "2", "--size", "32", "--batch-size", "16"]
TRAIN += ["--device", "cpu", "--threads", "1", "--runs", "runs"]


def start(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a script in a folder, with its output kept."""
    script, *others = arguments
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / script), *others],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@dataclass(frozen=True)
class Ended:
    """What a process left."""

    code: int
    out: str
    err: str


def end_of(process: "subprocess.Popen[str]") -> Ended:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in out + err, err
    return Ended(process.returncode, out, err)


def run_script(folder: Path, *arguments: str) -> Ended:
    return end_of(start(folder, *arguments))


def wait_for(process: "subprocess.Popen[str]", *paths: Path) -> None:
    """Wait until all files are there, while the process lives."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all(path.exists() for path in paths):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            pytest.fail(f"no {', '.join(map(str, paths))} from the process: {process.communicate()[1]}")
        time.sleep(0.005)


@dataclass(frozen=True)
class Chain:
    """A training that was killed after its first epoch and finished by the same command."""

    folder: Path
    killed_status: dict[str, Any]
    killed_metrics: str
    going_on: Ended

    @property
    def run(self) -> Path:
        return self.folder / "runs" / "synthetic-160-resnet18"

    @property
    def checkpoint(self) -> Path:
        return self.run / "best.safetensors"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    folder = tmp_path_factory.mktemp("chain")
    run = folder / "runs" / "synthetic-160-resnet18"
    process = start(folder, *TRAIN)
    wait_for(process, run / "metrics.jsonl", run / "last.pt")
    process.kill()
    process.communicate()
    status, metrics = json.loads((run / "status.json").read_text()), (run / "metrics.jsonl").read_text()
    return Chain(folder, status, metrics, run_script(folder, *TRAIN))


@pytest.fixture(scope="module")
def recognizer(chain: Chain) -> Recognizer:
    return Recognizer.load(chain.checkpoint)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory, astronaut: Image) -> Path:
    """A folder with a photo, two people side by side, nobody, and what is no picture at all."""
    folder = tmp_path_factory.mktemp("photos")
    face = astronaut[:256, 96:352]
    (folder / "astronaut.png").write_bytes(encode_png(astronaut))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff this is no picture")
    (folder / "nobody.png").write_bytes(encode_png(np.full((90, 120, 3), 200, np.uint8)))
    (folder / "below").mkdir()
    (folder / "below" / "two.png").write_bytes(encode_png(np.concatenate([face, face[:, ::-1]], axis=1)))
    (folder / "notes.txt").write_text("not meant")
    return folder


def assert_is_face(record: dict[str, Any], expected: Face) -> None:
    """Compare a face in JSON with what the package finds in the same process."""
    assert set(record) == {"box", "landmarks", "score", "label", "confidence", "probabilities", "luma", "concerns"}
    assert record["box"] == pytest.approx(list(expected.box.xyxy), abs=1e-3)
    assert np.array(record["landmarks"]) == pytest.approx(np.array(expected.landmarks), abs=1e-3)
    assert record["luma"] == pytest.approx(expected.luma, abs=0.5)
    assert record["score"] == pytest.approx(expected.score, abs=1e-5)
    assert tuple(record["probabilities"]) == expected.labels
    assert list(record["probabilities"].values()) == pytest.approx(expected.probabilities, abs=1e-5)
    assert sum(record["probabilities"].values()) == pytest.approx(1)
    assert record["confidence"] == max(record["probabilities"].values())
    assert record["probabilities"][record["label"]] == record["confidence"]


# Train


def test_a_killed_training_left_its_first_epoch(chain: Chain) -> None:
    assert chain.killed_status["state"] == "running"
    assert [json.loads(line)["epoch"] for line in chain.killed_metrics.splitlines()] == [1]


def test_the_same_command_goes_on_and_finishes(chain: Chain) -> None:
    assert chain.going_on.code == 0, chain.going_on.err
    assert "going on after epoch 1 of 2" in chain.going_on.err
    assert "epoch 2/2" in chain.going_on.err and "epoch 1/2" not in chain.going_on.err
    assert "done: validation accuracy" in chain.going_on.err
    assert chain.going_on.out == ""
    assert [path.name for path in (chain.folder / "runs").iterdir()] == ["synthetic-160-resnet18"]
    metrics = (chain.run / "metrics.jsonl").read_text()
    assert metrics.startswith(chain.killed_metrics)
    assert [json.loads(line)["epoch"] for line in metrics.splitlines()] == [1, 2]
    status = json.loads((chain.run / "status.json").read_text())
    assert (status["state"], status["epoch"]) == ("finished", 2)
    log = (chain.run / "log.txt").read_text()
    assert log.count("run runs/synthetic-160-resnet18") == 2  # the killed one, too, wrote to it
    assert "going on after epoch 1 of 2" in log and "epoch 2/2" in log


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process could answer")
def test_sigterm_stops_cleanly(tmp_path: Path) -> None:
    process = start(tmp_path, *TRAIN, "--epochs", "1000", "--name", "long")
    status = tmp_path / "runs" / "long" / "status.json"
    wait_for(process, status)
    process.send_signal(signal.SIGTERM)
    ended = end_of(process)
    assert ended.code == 130
    assert "stopped; the same command goes on" in ended.err
    assert json.loads(status.read_text())["state"] == "stopped"


def test_training_on_nothing_fails_with_a_message_and_leaves_nothing(tmp_path: Path) -> None:
    ended = run_script(tmp_path, "scripts/train.py", "--dataset", "nowhere/faces")
    assert ended.code == 1
    assert "error: expected a data set at nowhere" in ended.err
    assert not (tmp_path / "runs").exists()


def test_impossible_options_fail_before_anything_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from scripts import train

    runs = tmp_path / "runs"
    for options, message in (
        (["--epochs", "0"], "epochs must be at least 1, got 0"),
        (["--dropout", "1"], "dropout must be"),
        (["--name", "../elsewhere"], "expected a plain name"),
    ):
        assert train.main(["--dataset", "synthetic:160", "--runs", str(runs), *options]) == 1
        assert f"error: {message}" in capsys.readouterr().err
    assert not runs.exists()


def test_a_runs_folder_that_cannot_be_made_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from scripts import train

    (tmp_path / "file").touch()
    assert train.main(["--dataset", "synthetic:160", "--runs", str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.startswith("error: ")


# Evaluate


def assert_is_report(report: dict[str, Any], n: int) -> None:
    """Check that the figures of a report agree with each other."""
    assert report["n"] == n
    assert report["model"]["labels"] == list(FERPLUS) == list(report["per_class"]) == list(report["curves"])
    confusion = np.array(report["confusion"])
    assert confusion.shape == (8, 8)
    assert confusion.sum() == n
    assert report["accuracy"]["value"] == pytest.approx(np.trace(confusion) / n)
    assert report["accuracy"]["low"] <= report["accuracy"]["value"] <= report["accuracy"]["high"]
    assert sum(one["n"] for one in report["calibration"]["bins"]) == n
    scores = []
    for index, figures in enumerate(report["per_class"].values()):
        right, support, predicted = confusion[index, index], confusion[index].sum(), confusion[:, index].sum()
        assert (figures["support"], figures["predicted"]) == (support, predicted)
        assert figures["recall"]["value"] == pytest.approx(right / max(support, 1))
        assert figures["precision"]["value"] == pytest.approx(right / max(predicted, 1))
        if support:
            scores.append(figures["f1"]["value"])
    assert report["macro_f1"]["value"] == pytest.approx(np.mean(scores))


def test_evaluate_reports_the_test_split(chain: Chain) -> None:
    ended = run_script(
        chain.folder,
        "scripts/evaluate.py",
        "--dataset",
        "synthetic:160",
        "--checkpoint",
        str(chain.checkpoint),
        "--json",
    )
    assert ended.code == 0, ended.err
    report = json.loads(ended.out)
    assert report == json.loads((chain.folder / "report.json").read_text())
    assert_is_report(report, n=16)
    data, model = report["data"], report["model"]
    assert (data["split"], data["rule"], model["file"]) == ("test", "majority", "best.safetensors")
    assert model["training"]["epochs"] == 2
    command = f"python {ROOT / 'scripts/evaluate.py'} --dataset synthetic:160 --checkpoint {chain.checkpoint} --json"
    assert report["made"]["command"] == command
    evaluation = read_evaluation(chain.folder / "report.json")
    assert len(evaluation.predictions) == 16
    dataset, classifier = open_dataset("synthetic:160"), Classifier.load(chain.checkpoint)
    rows = dataset.rows("test")
    pixels = np.stack([classifier.info.preprocessing.shrink(dataset.picture(row)) for row in rows])
    confusion = np.zeros((8, 8), int)
    np.add.at(confusion, (dataset.truth(rows), classifier.probabilities(pixels).argmax(axis=1)), 1)
    assert report["confusion"] == confusion.tolist()


def write_class_folders(folder: Path, count: int) -> None:
    """Write portraits of angry and happy people, under words that are not the model's."""
    random = np.random.default_rng(0)
    for word, expression in (("Angry", "anger"), ("happy", "happiness")):
        (folder / word).mkdir(parents=True)
        for number in range(count):
            portrait, _ = draw_portrait(expression, random, width_px=160, height_px=140, face_height_px=80)
            (folder / word / f"{number}.png").write_bytes(encode_png(portrait))


def test_evaluate_takes_class_folders_with_other_words(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from scripts import evaluate

    write_class_folders(tmp_path / "faces", 5)
    (tmp_path / "faces" / "Bored").mkdir()
    (tmp_path / "faces" / "Bored" / "1.png").write_bytes(encode_png(np.zeros((48, 48, 3), np.uint8)))
    (tmp_path / "faces" / "happy" / "broken.png").write_bytes(b"no picture")
    options = ["--dataset", str(tmp_path / "faces"), "--split", "all", "--checkpoint", str(tiny_checkpoint)]
    options += ["--output", str(tmp_path / "all.json")]
    assert evaluate.main([*options, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert_is_report(report, n=10)
    assert report["per_class"]["anger"]["support"] == report["per_class"]["happiness"]["support"] == 5
    data = report["data"]
    assert data["unknown_labels"] == {"Bored": 1}
    assert len(data["broken"]) == 1 and "broken.png" in data["broken"][0]
    assert (data["detected"], data["no_face"]) == (False, 0)
    names = read_evaluation(tmp_path / "all.json").predictions.names
    assert {name.split("/")[0] for name in names} == {"Angry", "happy"}, "no path above the data set's folder"

    assert evaluate.main(options) == 0
    table = capsys.readouterr().out
    assert "faces, all split, rule majority (one label a picture), n = 10" in table
    assert f"accuracy {report['accuracy']['value']:.4f}" in table
    assert "left out: 1 pictures of Bored" in table and "left out: 1 pictures that cannot be read" in table
    anger = next(line for line in table.splitlines() if line.startswith("anger"))
    figures = report["per_class"]["anger"]
    for name in ("precision", "recall", "f1"):
        assert f" {figures[name]['value']:.4f}" in anger
    assert anger.endswith(" 5")


def test_evaluate_finds_the_faces_in_whole_photos(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from scripts import evaluate

    write_class_folders(tmp_path / "photos", 3)
    (tmp_path / "photos" / "happy" / "nobody.png").write_bytes(encode_png(np.full((90, 120, 3), 200, np.uint8)))
    options = ["--dataset", str(tmp_path / "photos"), "--split", "all", "--checkpoint", str(tiny_checkpoint)]
    options += ["--output", str(tmp_path / "report.json"), "--json"]
    assert evaluate.main([*options, "--detect"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert_is_report(found, n=6)
    assert (found["data"]["detected"], found["data"]["no_face"], found["data"]["broken"]) == (True, 1, [])
    assert evaluate.main(options) == 0
    whole = json.loads(capsys.readouterr().out)
    assert_is_report(whole, n=7)
    assert found["calibration"]["bins"] != whole["calibration"]["bins"], "the faces were not cut out"


def test_evaluate_fails_with_a_message(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from scripts import evaluate

    model = ["--checkpoint", str(tiny_checkpoint)]
    output = ["--output", str(tmp_path / "report.json")]
    for options, message in (
        (["--dataset", "synthetic:160", "--checkpoint", str(tmp_path / "gone.safetensors"), *output], "nothing at"),
        (["--dataset", str(tmp_path / "gone"), *model, *output], "expected a data set at"),
        (["--dataset", str(tmp_path), *model, *output], "expected one of these"),
        (["--dataset", "synthetic:80", *model, "--output", str(tmp_path / "no" / "r.json")], "another --output"),
        (["--report", str(tmp_path / "gone.json")], "Evaluate a model first"),
        (["--compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")], "Evaluate a model first"),
        (["--dataset", "synthetic:80", *model, *output, "--robustness", "--detect"], "Leave one of the two out"),
    ):
        assert evaluate.main(options) == 1
        captured = capsys.readouterr()
        assert ("accuracy" in captured.out) == (message == "another --output")  # measured figures are not lost
        assert captured.err.startswith("error: ") and message in captured.err
    assert list(tmp_path.iterdir()) == []


def test_evaluate_makes_pictures_worse_compares_and_writes_a_card(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from scripts import evaluate

    one, other, card = tmp_path / "one.json", tmp_path / "other.json", tmp_path / "CARD.md"
    measure = ["--dataset", "synthetic:80", "--checkpoint", str(tiny_checkpoint)]
    assert evaluate.main([*measure, "--output", str(one), "--robustness", "--sample", "4", "--card", str(card)]) == 0
    assert "n = 4, drawn from 8" in capsys.readouterr().out
    report = read_report(one)
    assert report.robustness is not None and len(report.robustness.disturbed) >= 20
    assert report.agreement is None
    assert card.read_text(encoding="utf-8") == model_card(report)

    assert evaluate.main([*measure, "--output", str(other)]) == 0
    capsys.readouterr()
    assert evaluate.main(["--compare", str(one), str(other)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(report.basis) and "they differ on 0 of 8 pictures" in text and "p = 1" in text
    assert evaluate.main(["--compare", str(one), str(other), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 8

    again = tmp_path / "again.md"
    assert evaluate.main(["--report", str(one), "--card", str(again)]) == 0
    assert f"accuracy {report.accuracy.value:.4f}" in capsys.readouterr().out
    assert again.read_text(encoding="utf-8") == card.read_text(encoding="utf-8")
    assert evaluate.main(["--report", str(one), "--card", str(tmp_path / "no" / "card.md")]) == 1
    assert "another --card" in capsys.readouterr().err


# Predict


def test_predict_does_a_folder_whatever_lies_in_it(
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
        assert [float(row[name]) for name in ("x1", "y1", "x2", "y2")] == record["box"]
        assert {label: float(row[label]) for label in FERPLUS} == record["probabilities"]
        assert row["label"] == record["label"]
        assert row["concerns"] == ", ".join(record["concerns"])

    annotated = tmp_path / "annotated" / "all"
    assert {path.name for path in annotated.iterdir()} == {"astronaut.png", "two.png", "nobody.png"}
    assert np.array_equal(read_image(annotated / "nobody.png"), read_image(photos / "nobody.png"))
    assert not np.array_equal(read_image(annotated / "astronaut.png"), read_image(photos / "astronaut.png"))


def test_predict_prints_a_table_for_people(
    tiny_checkpoint: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from scripts import predict

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
    from scripts import predict

    photo, gone = str(photos / "astronaut.png"), str(tmp_path / "gone.png")
    assert predict.main(["--image", gone, photo, "--checkpoint", str(tiny_checkpoint), "--json"]) == 1
    captured = capsys.readouterr()
    assert [len(record["faces"]) for record in json.loads(captured.out)] == [0, 1]
    assert captured.err.startswith("error: ") and "gone.png" in captured.err

    model = str(tmp_path / "gone.safetensors")
    assert predict.main(["--image", photo, "--checkpoint", model]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: expected a model file") and model in captured.err

    assert predict.main(["--image", str(tmp_path), "--checkpoint", str(tiny_checkpoint)]) == 1
    assert capsys.readouterr().err.startswith("error: expected pictures, found none in ")

    broken = str(photos / "broken.jpg")
    assert predict.main(["--image", photo, "--checkpoint", broken]) == 1
    assert "expected a .safetensors model file" in capsys.readouterr().err


def test_predict_never_writes_over_a_picture_that_it_reads(
    tiny_checkpoint: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from scripts import predict

    data = (photos / "nobody.png").read_bytes()
    paths = [tmp_path / name for name in ("a.png", "a.webp", "b.png", "sub/a.png")]
    (tmp_path / "sub").mkdir()
    for path in paths:
        path.write_bytes(data)  # what is in a file counts, not its name
    model = ["--checkpoint", str(tiny_checkpoint)]
    assert predict.main(["--image", str(tmp_path), *model, "--output", str(tmp_path)]) == 0
    assert all(path.read_bytes() == data for path in paths)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"a.png", "a.webp", "b.png", "sub", "a-2.png", "a-3.png", "a-4.png", "b-2.png"}

    capsys.readouterr()
    assert predict.main(["--image", str(paths[0]), *model, "--output", str(paths[0])]) == 1
    assert "another file than the picture" in capsys.readouterr().err
    assert paths[0].read_bytes() == data
    assert predict.main(["--image", str(paths[0]), *model, "--output", str(tmp_path / "out.jpg")]) == 1
    assert "end with .png" in capsys.readouterr().err


def test_predict_can_name_files_that_no_terminal_can(
    tiny_checkpoint: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names from old archives are not UTF-8; Python keeps their bytes as characters that cannot be printed."""
    from scripts import predict

    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    try:
        path.write_bytes((photos / "astronaut.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    table, model = tmp_path / "faces.csv", str(tiny_checkpoint)
    assert predict.main(["--image", str(path), "--checkpoint", model, "--csv", str(table)]) == 0
    assert r"caf\udce9.png" in capsys.readouterr().out
    assert r"caf\udce9.png" in table.read_text(encoding="utf-8")
    assert predict.main(["--image", str(path), "--checkpoint", model, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["path"] == str(path)


@pytest.mark.parametrize("script", ["train", "evaluate", "predict"])
def test_help_explains_the_command(script: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = importlib.import_module(f"scripts.{script}")
    with pytest.raises(SystemExit) as left:
        module.main(["--help"])
    assert left.value.code == 0
    assert f"python scripts/{script}.py" in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        module.main([])
    assert left.value.code == 2
    assert "required" in capsys.readouterr().err
