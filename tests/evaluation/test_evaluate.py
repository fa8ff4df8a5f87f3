"""Predictions and a report on a data set whose brightness tells the fake model what to predict."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from fer.datasets.dataset import FaceDataset
from fer.errors import DatasetError, EvaluationError
from fer.evaluation.evaluate import evaluate
from fer.evaluation.report import Evaluation, Report, Request
from fer.faces import Box, Detection
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo, count_parameters
from fer.model.preprocessing import Preprocessing
from fer.model.torch_network import TorchNetwork
from fer.reports.rendering import render

MODEL_LABELS = ("neutral", "happiness", "fear", "tired")
SHADES = {label: 10 * (index + 1) for index, label in enumerate(MODEL_LABELS)}
"""The brightness of a picture for which the fake model predicts a label."""


class _ShadeReader:
    """A classifier that predicts by the brightness of the picture, with a probability of 0.7."""

    def __init__(self) -> None:
        self.info = ModelInfo("resnet18", MODEL_LABELS, Preprocessing(size_px=16), 1.5, {"seed": 3})
        self.network = TorchNetwork(self.info.preprocessing, torch.nn.Flatten())

    def logits(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        assert pixels.shape[1:] == (1, 16, 16)
        answers = np.clip(pixels[:, 0, 8, 8] // 10, 1, 4) - 1
        return 1.5 * np.log(np.where(np.eye(len(MODEL_LABELS))[answers] == 1, 0.7, 0.1)).astype(np.float32)

    def probabilities(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        return np.exp(self.logits(pixels) / 1.5).astype(float)

    def for_faces(self, kind: str) -> "_ShadeReader":
        return self


def _dataset(
    labels: tuple[str, ...], shown: list[tuple[str, str]], splits: list[str] | None = None, **more: Any
) -> FaceDataset:
    """Return pictures of (true label, label to be predicted)."""
    pictures: list[np.ndarray | Path] = [np.full((24, 24), SHADES[answer], np.uint8) for _, answer in shown]
    one_hot = np.eye(len(labels), dtype=np.float32)[[labels.index(truth) for truth, _ in shown]]
    return FaceDataset(
        **{"name": "shades", "labels": labels, "votes": one_hot, "pictures": pictures, **more},
        splits=np.array(splits or ["test"] * len(shown)),
    )


def _evaluation(dataset: FaceDataset, detect_with: Any = None, progress: Any = None, **request: Any) -> Evaluation:
    reader: Any = _ShadeReader()
    asked = Request("", str(DEFAULT_CHECKPOINT), **request)
    return evaluate(reader, dataset, asked, progress, detect_with, "my.predictions.csv", "python scripts/evaluate.py")


def _evaluate(dataset: FaceDataset, **options: Any) -> Report:
    return _evaluation(dataset, **options).report


# ---------------------------------------------------------------------------------------------- labels


def test_labels_are_matched_by_name_in_any_order() -> None:
    backwards = MODEL_LABELS[::-1]
    report = _evaluate(_dataset(backwards, [(label, label) for label in (*backwards, "fear")]))
    assert report.accuracy.value == 1
    assert report.labels == MODEL_LABELS
    assert np.array_equal(report.confusion, np.diag([1, 1, 2, 1]))
    fear = report.per_class["fear"]
    assert (fear.precision.value, fear.recall.value, fear.f1.value, fear.support) == (1, 1, 1, 2)


def test_rows_of_the_confusion_are_truth_and_columns_prediction() -> None:
    report = _evaluate(_dataset(("tired", "neutral"), [("tired", "happiness"), ("neutral", "neutral")]))
    assert report.confusion == ((1, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 1, 0, 0))


def test_a_data_set_with_fewer_labels_is_evaluated_against_all_labels() -> None:
    dataset = _dataset(("fear", "happiness"), [("fear", "fear"), ("fear", "tired"), ("happiness", "happiness")])
    report = _evaluate(dataset)
    assert (report.n, report.accuracy.value) == (3, pytest.approx(2 / 3))
    assert report.macro_f1.value == pytest.approx((2 / 3 + 1) / 2)
    assert [figures.support for figures in report.per_class.values()] == [0, 1, 2, 0]


def test_unknown_labels_are_left_out_and_counted() -> None:
    shown = [("bored", "fear"), ("fear", "fear"), ("bored", "fear"), ("cross", "fear"), ("tired", "fear")]
    report = _evaluate(_dataset(("bored", "cross", "fear", "tired"), shown))
    assert (report.n, report.accuracy.value) == (2, 0.5)
    assert report.data.unknown_labels == {"bored": 2, "cross": 1}


def test_no_remaining_picture_is_an_error_with_the_reason() -> None:
    dataset = _dataset(("bored", "cross"), [("bored", "fear"), ("cross", "fear")])
    with pytest.raises(DatasetError, match=r"neutral, happiness, fear, tired.*bored, cross.*test 2"):
        _evaluate(dataset)


def test_an_empty_split_is_an_error_that_lists_the_others() -> None:
    dataset = _dataset(("fear", "tired"), [("fear", "fear"), ("tired", "fear")], ["train", "train"])
    with pytest.raises(DatasetError, match=r"\btest\b.*train 2"):
        _evaluate(dataset)


# ---------------------------------------------------------------------------------------------- rows


def _n_and_accuracy(dataset: FaceDataset, **options: Any) -> tuple[int, float]:
    report = _evaluate(dataset, **options)
    return report.n, report.accuracy.value


def test_only_the_split_is_measured() -> None:
    shown = [("fear", "fear"), ("fear", "tired"), ("tired", "tired"), ("fear", "fear")]
    dataset = _dataset(("fear", "tired"), shown, ["test", "train", "test", "validation"])
    assert _n_and_accuracy(dataset) == (2, 1)
    assert _n_and_accuracy(dataset, split="train") == (1, 0)
    assert _n_and_accuracy(dataset, split="all") == (4, 0.75)


def test_the_rule_decides_what_counts_and_is_stored() -> None:
    votes = np.array([[9, 1], [5, 5], [4, 0]], np.float32)
    other = np.array([[0], [0], [6]], np.float32)
    shown = [("fear", "fear"), ("fear", "tired"), ("fear", "fear")]
    dataset = _dataset(("fear", "tired"), shown, votes=votes, other_votes=other)
    majority, argmax = _evaluate(dataset), _evaluate(dataset, rule="argmax")
    assert (majority.data.rule, majority.n, majority.accuracy.value) == ("majority", 1, 1)
    assert (argmax.data.rule, argmax.n, argmax.accuracy.value) == ("argmax", 2, 0.5)


def test_broken_pictures_are_left_out_and_named_and_the_others_keep_their_truth(tmp_path: Path) -> None:
    dataset = _dataset(
        ("fear", "tired"),
        [("fear", "fear"), ("tired", "tired"), ("fear", "fear")],
        pictures=[np.full((24, 24), SHADES["fear"], np.uint8), tmp_path / "gone.png", np.full((24, 24), 30, np.uint8)],
    )
    report = _evaluate(dataset)
    assert (report.n, report.accuracy.value) == (2, 1)
    assert len(report.data.broken) == 1
    assert "gone.png" in report.data.broken[0]


def test_progress_is_reported() -> None:
    seen: list[tuple[str, int, int]] = []
    _evaluate(_dataset(("fear", "tired"), [("fear", "fear")] * 2), progress=lambda *done: seen.append(done))
    assert [done for _, *done in seen] == [[1, 2], [2, 2], [2, 2]]
    assert seen[0][0] == seen[1][0] != seen[2][0]


# ---------------------------------------------------------------------------------------------- the report


def test_the_report_stores_its_origin() -> None:
    dataset = _dataset(("fear", "tired"), [("fear", "fear"), ("tired", "fear")])
    report = _evaluate(dataset)
    assert re.fullmatch(r"shades, test .*majority .*n = 2", report.basis)
    assert (report.data.fingerprint, report.data.is_rated) == (dataset.fingerprint(), False)
    assert (report.model.file, len(report.model.sha256)) == (DEFAULT_CHECKPOINT.name, 64)
    assert (report.model.training, report.model.size_px) == ({"seed": 3}, 16)
    assert (report.made.command, report.predictions) == ("python scripts/evaluate.py", "my.predictions.csv")
    assert report.made.time.endswith("+00:00")
    assert {"python", "torch", "torchvision", "scikit-learn", "fer-studio"} <= report.made.versions.keys()
    assert report.made.versions["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert report.agreement is None, "one label a picture"
    assert report.robustness is None, "not asked for"
    assert report.made.runtime == "torch, float32" and report.made.versions["onnxruntime"]
    assert report.speed.file_bytes == DEFAULT_CHECKPOINT.stat().st_size
    assert report.speed.parameters == count_parameters(DEFAULT_CHECKPOINT) > 11e6
    assert report.speed.milliseconds_per_face > 0


def test_notes_and_unknown_people_are_in_the_report() -> None:
    dataset = _dataset(MODEL_LABELS, [("fear", "fear")] * 4, notes=("so it was read",))
    known = replace(dataset, subjects=np.array(["A", "A", "B", "C"]))
    partly = replace(dataset, subjects=np.array(["A", "A", "B", ""]))
    assert _evaluation(known).report.data.notes == ("so it was read",)
    for unknown in (dataset, partly):
        report = _evaluation(unknown).report
        assert len(report.data.notes) == 2
        assert all(note in render("report.txt", report=report) for note in report.data.notes)


def test_calibration_before_is_without_the_temperature() -> None:
    report = _evaluate(_dataset(("fear", "tired"), [("fear", "fear"), ("tired", "fear")]))
    assert report.calibration.negative_log_likelihood == pytest.approx(-(np.log(0.7) + np.log(0.1)) / 2)
    assert report.calibration.expected_calibration_error == pytest.approx(0.7 - 0.5)
    assert (report.before.temperature, report.calibration.temperature) == (1.0, 1.5)
    sharper = 0.7**1.5 / (0.7**1.5 + 3 * 0.1**1.5)
    assert report.before.expected_calibration_error == pytest.approx(sharper - 0.5)


def test_votes_are_stored_by_the_models_labels_and_the_rest_as_others() -> None:
    votes = np.array([[6, 1, 2], [1, 8, 0]], np.float32)
    dataset = _dataset(
        ("fear", "tired", "bored"),
        [("fear", "fear"), ("tired", "fear")],
        votes=votes,
        other_votes=np.array([[1, 0], [0, 1]], np.float32),
    )
    evaluation = _evaluation(dataset)
    assert evaluation.predictions.votes.tolist() == [[0, 0, 6, 1], [0, 0, 1, 8]]
    assert evaluation.predictions.other_votes.tolist() == [3, 1]
    assert evaluation.predictions.names == ("picture 1", "picture 2")
    agreement = evaluation.report.agreement
    assert agreement is not None
    assert (agreement.n, agreement.votes_per_picture, agreement.model.value) == (2, 10, 0.5)
    assert agreement.rater.value == pytest.approx((0.6 + 0.8) / 2)


def test_robustness_is_measured_on_request() -> None:
    dataset = _dataset(("fear", "tired"), [("fear", "fear")] * 3 + [("tired", "tired")] * 3)
    robustness = _evaluate(dataset, robustness=True, sample=4).robustness
    assert robustness is not None
    assert (robustness.n, robustness.of, robustness.clean.value) == (4, 6, 1)
    by_name = {(worse.name, worse.setting): worse.accuracy.value for worse in robustness.disturbed}
    assert by_name["mirrored", ""] == 1
    assert [accuracy for (name, _), accuracy in by_name.items() if name == "dark"] == [0]
    with pytest.raises(EvaluationError, match="photos"):
        _evaluate(dataset, robustness=True, detect_with=_fake_recognizer())


# ---------------------------------------------------------------------------------------------- whole photos


class _FakeDetector:
    """Finds a small and a large face in every picture that has a white corner."""

    def detect(self, image: npt.NDArray[np.uint8]) -> list[Detection]:
        if image[0, 0, 0] != 255:
            return []
        return [Detection(Box(1, 1, 3, 3), (), 1.0), Detection(Box(4, 4, 20, 20), (), 0.9)]


def _fake_recognizer() -> Any:
    def network_input(image: npt.NDArray[np.uint8], detection: Detection) -> npt.NDArray[np.uint8]:
        assert detection.box.width == 16, "the largest face counts"
        return Preprocessing(size_px=16).shrink(image[4:20, 4:20])

    return SimpleNamespace(detector=_FakeDetector(), network_input=network_input)


def test_photos_without_a_face_are_left_out_and_counted(tmp_path: Path) -> None:
    photos: list[np.ndarray | Path] = [np.full((24, 24), SHADES[name], np.uint8) for name in ("fear", "tired", "fear")]
    for photo in (photos[0], photos[2]):
        photo[0, 0] = 255  # type: ignore[index]
    shown = [("fear", "fear"), ("tired", "tired"), ("tired", "fear"), ("fear", "fear")]
    dataset = _dataset(("fear", "tired"), shown, pictures=[*photos, tmp_path / "gone.png"])
    report = _evaluate(dataset, detect_with=_fake_recognizer())
    assert (report.n, report.data.no_face, len(report.data.broken)) == (2, 1, 1)
    assert report.confusion[2][2] == 1
    assert report.confusion[3][2] == 1


def test_photos_without_any_face_are_an_error() -> None:
    dataset = _dataset(("fear", "tired"), [("fear", "fear"), ("tired", "tired")])
    with pytest.raises(DatasetError, match=r"\b2 .*shades"):
        _evaluate(dataset, detect_with=_fake_recognizer())
