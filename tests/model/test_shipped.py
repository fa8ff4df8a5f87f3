"""The model that comes with the package: what its report says of it is true."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer.datasets.dataset import FaceDataset
from fer.evaluation.report import evaluate
from fer.labels import FERPLUS
from fer.model import DEFAULT_REPORT
from fer.model.classifier import Classifier

OTHER = ("unknown", "NF")
TILES = 60  # tiles of 48 × 48 in a row, and rows, of one sheet


def test_it_is_small_enough_to_ship_and_knows_the_eight_expressions() -> None:
    info = Classifier.load().info
    assert info.labels == FERPLUS
    assert info.training["rule"] == "majority"


def test_the_report_is_of_the_test_split_and_as_good_as_was_asked_for() -> None:
    report = json.loads(DEFAULT_REPORT.read_text())
    assert (report["split"], report["rule"], report["n"]) == ("test", "majority", 3137)
    assert report["accuracy"] >= 0.85
    assert sum(map(sum, report["confusion"])) == 3137
    assert np.trace(report["confusion"]) / 3137 == pytest.approx(report["accuracy"])


def test_the_report_can_be_had_again(shared_faces: Path) -> None:
    report = evaluate(Classifier.load(), _test_split(shared_faces), "test", "majority")
    shipped = json.loads(DEFAULT_REPORT.read_text())
    # Another processor rounds differently, which may turn a face or two that were on the edge.
    assert report["accuracy"] == pytest.approx(shipped["accuracy"], abs=0.001)
    assert report["calibration_error"] == pytest.approx(shipped["calibration_error"], abs=0.003)


def _test_split(folder: Path) -> FaceDataset:
    with (folder / "faces.csv").open(newline="") as file:
        lines = [line for line in csv.DictReader(file) if line["usage"] == "PrivateTest"]
    names = {line["sheet"] for line in lines}
    sheets = {name: np.asarray(Image.open(folder / f"faces-{int(name):02d}.png")) for name in names}
    pictures = []
    for line in lines:
        row, column = divmod(int(line["tile"]), TILES)
        pictures.append(sheets[line["sheet"]][row * 48 : (row + 1) * 48, column * 48 : (column + 1) * 48])
    return FaceDataset(
        name="FER+ test split",
        labels=FERPLUS,
        votes=np.array([[float(line[label]) for label in FERPLUS] for line in lines], np.float32),
        other_votes=np.array([[float(line[label]) for label in OTHER] for line in lines], np.float32),
        splits=np.full(len(lines), "test"),
        pictures=pictures,
    )
