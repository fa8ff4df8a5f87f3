"""evaluate.py: consistent figures for any data, as a table, JSON and a card."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer.cli import evaluate
from fer.datasets import open_dataset
from fer.datasets.drawing import draw_portrait
from fer.evaluation.report import read_evaluation, read_report
from fer.images import encode_png, read_image
from fer.labels import FERPLUS
from fer.model.classifier import Classifier
from fer.reports.card import model_card
from fer.reports.failures import strip
from tests.scripts.conftest import Chain
from tests.scripts.processes import ROOT, run_script


def assert_is_report(report: dict[str, Any], n: int) -> None:
    """Check that the figures of a report are consistent."""
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


@pytest.mark.slow
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
    """Write portraits of angry and happy people, with labels that are not the model's."""
    random = np.random.default_rng(0)
    for word, expression in (("Angry", "anger"), ("happy", "happiness")):
        (folder / word).mkdir(parents=True)
        for number in range(count):
            portrait, _ = draw_portrait(expression, random, width_px=160, height_px=140, face_height_px=80)
            (folder / word / f"{number}.png").write_bytes(encode_png(portrait))


@pytest.mark.slow
def test_evaluate_accepts_class_folders_with_other_labels(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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
    assert re.match(r"faces, all .*majority .*n = 10\b", table)
    assert f"accuracy {report['accuracy']['value']:.4f}" in table
    assert re.search(r"\b1 .*Bored", table) and re.search(r"\b1 .*broken\.png", table)
    anger = next(line for line in table.splitlines() if line.startswith("anger"))
    figures = report["per_class"]["anger"]
    for name in ("precision", "recall", "f1"):
        assert f" {figures[name]['value']:.4f}" in anger
    assert anger.endswith(" 5")


@pytest.mark.slow
def test_evaluate_finds_the_faces_in_whole_photos(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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


@pytest.mark.slow
def test_evaluate_fails_with_a_message(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ["--checkpoint", str(tiny_checkpoint)]
    output = ["--output", str(tmp_path / "report.json")]
    for options, message in (
        (["--dataset", "synthetic:160", "--checkpoint", str(tmp_path / "gone.safetensors"), *output], "nothing at"),
        (["--dataset", str(tmp_path / "gone"), *model, *output], "expected a data set at"),
        (["--dataset", str(tmp_path), *model, *output], "expected one of these"),
        (["--dataset", "synthetic:80", *model, "--output", str(tiny_checkpoint / "r.json")], "r.json: "),
        (["--dataset", "synthetic:80", *model, *output, "--device", "toaster"], "toaster"),
        (["--report", str(tmp_path / "gone.json")], "gone.json: "),
        (["--compare", str(tmp_path / "a.json"), str(tmp_path / "b.json")], "a.json: "),
        (
            ["--dataset", "synthetic:80", *model, *output, "--robustness", "--detect"],
            "Leave out --robustness or --detect",
        ),
    ):
        assert evaluate.main(options) == 1
        captured = capsys.readouterr()
        assert ("accuracy" in captured.out) == (message == "r.json: ")  # measured figures are not lost
        assert captured.err.startswith("error: ") and message in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_evaluate_degrades_pictures_compares_and_writes_a_card(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fer.reports.failures._LEAST_PICTURES", 1)  # the test split has one picture of each expression
    one, other, card = tmp_path / "one.json", tmp_path / "other.json", tmp_path / "CARD.md"
    measure = ["--dataset", "synthetic:80", "--checkpoint", str(tiny_checkpoint)]
    assert evaluate.main([*measure, "--output", str(one), "--robustness", "--sample", "4", "--card", str(card)]) == 0
    assert re.search(r"n = 4\D+8\b", capsys.readouterr().out)
    report = read_report(one)
    assert report.robustness is not None and len(report.robustness.disturbed) >= 20
    assert report.agreement is None
    made = model_card(report)
    assert card.read_text(encoding="utf-8") == made.markdown("CARD.png")
    assert made.failures and np.array_equal(read_image(tmp_path / "CARD.png"), strip(made.failures))

    assert evaluate.main([*measure, "--output", str(other)]) == 0
    capsys.readouterr()
    assert evaluate.main(["--compare", str(one), str(other)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(report.basis) and "0 of 8" in text and "p = 1" in text
    assert evaluate.main(["--compare", str(one), str(other), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["n"] == 8

    again = tmp_path / "again.md"
    assert evaluate.main(["--report", str(one), "--card", str(again)]) == 0
    assert f"accuracy {report.accuracy.value:.4f}" in capsys.readouterr().out
    assert again.read_text(encoding="utf-8") == made.markdown("again.png")
    assert evaluate.main(["--report", str(one), "--card", str(tmp_path / "no" / "card.md")]) == 1
    assert "--card" in capsys.readouterr().err
