"""The report on a data set whose pictures say by their brightness what the fake model shall answer."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from fer.datasets.dataset import FaceDataset
from fer.errors import DatasetError
from fer.evaluation.report import evaluate
from fer.faces import Box, Detection
from fer.model.checkpoint import ModelInfo
from fer.model.preprocessing import Preprocessing

MODEL_LABELS = ("neutral", "happiness", "fear", "tired")
SHADES = {label: 10 * (index + 1) for index, label in enumerate(MODEL_LABELS)}
"""The brightness of a picture for which the fake model answers with a label."""


class _ShadeReader:
    """A classifier that answers by the brightness of the picture, with a probability of 0.7."""

    def __init__(self) -> None:
        self.info = ModelInfo("resnet18", MODEL_LABELS, Preprocessing(size_px=16), 1.5, {"seed": 3})

    def probabilities(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        assert pixels.shape[1:] == (1, 16, 16)
        answers = pixels[:, 0, 8, 8] // 10 - 1
        return np.where(np.eye(len(MODEL_LABELS))[answers] == 1, 0.7, 0.1)


def _dataset(
    labels: tuple[str, ...], shown: list[tuple[str, str]], splits: list[str] | None = None, **more: Any
) -> FaceDataset:
    """Return pictures of (true label, label that the model shall answer)."""
    pictures: list[np.ndarray | Path] = [np.full((24, 24), SHADES[answer], np.uint8) for _, answer in shown]
    one_hot = np.eye(len(labels), dtype=np.float32)[[labels.index(truth) for truth, _ in shown]]
    return FaceDataset(
        **{"name": "shades", "labels": labels, "votes": one_hot, "pictures": pictures, **more},
        splits=np.array(splits or ["test"] * len(shown)),
    )


def _evaluate(dataset: FaceDataset, **options: Any) -> dict[str, Any]:
    return evaluate(_ShadeReader(), dataset, **options)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------- labels


def test_labels_are_matched_by_word_whatever_their_order() -> None:
    backwards = MODEL_LABELS[::-1]
    report = _evaluate(_dataset(backwards, [(label, label) for label in (*backwards, "fear")]))
    assert report["accuracy"] == 1
    assert report["labels"] == list(MODEL_LABELS)
    assert report["confusion"] == np.diag([1, 1, 2, 1]).tolist()
    assert report["per_class"]["fear"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 2}


def test_rows_of_the_confusion_are_truth_and_columns_prediction() -> None:
    report = _evaluate(_dataset(("tired", "neutral"), [("tired", "happiness"), ("neutral", "neutral")]))
    assert report["confusion"] == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 0]]


def test_a_data_set_with_fewer_labels_is_measured_against_all_of_the_models() -> None:
    dataset = _dataset(("fear", "happiness"), [("fear", "fear"), ("fear", "tired"), ("happiness", "happiness")])
    report = _evaluate(dataset)
    assert (report["n"], report["accuracy"]) == (3, pytest.approx(2 / 3))
    assert report["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)
    assert [figures["support"] for figures in report["per_class"].values()] == [0, 1, 2, 0]


def test_labels_that_the_model_does_not_know_are_left_out_and_counted() -> None:
    shown = [("bored", "fear"), ("fear", "fear"), ("bored", "fear"), ("cross", "fear"), ("tired", "fear")]
    report = _evaluate(_dataset(("bored", "cross", "fear", "tired"), shown))
    assert (report["n"], report["accuracy"]) == (2, 0.5)
    assert report["unknown_labels"] == {"bored": 2, "cross": 1}


def test_nothing_left_to_measure_with_is_an_error_that_says_why() -> None:
    dataset = _dataset(("bored", "cross"), [("bored", "fear"), ("cross", "fear")])
    with pytest.raises(DatasetError, match=r"neutral, happiness, fear, tired.*Its labels: bored, cross.*test 2"):
        _evaluate(dataset)


def test_an_empty_split_is_an_error_that_lists_the_others() -> None:
    dataset = _dataset(("fear", "tired"), [("fear", "fear"), ("tired", "fear")], ["train", "train"])
    with pytest.raises(DatasetError, match=r"in the split test.*its splits: train 2"):
        _evaluate(dataset)


# ---------------------------------------------------------------------------------------------- rows


def test_only_the_split_is_measured() -> None:
    shown = [("fear", "fear"), ("fear", "tired"), ("tired", "tired"), ("fear", "fear")]
    dataset = _dataset(("fear", "tired"), shown, ["test", "train", "test", "validation"])
    assert (_evaluate(dataset)["n"], _evaluate(dataset)["accuracy"]) == (2, 1)
    assert (_evaluate(dataset, split="train")["n"], _evaluate(dataset, split="train")["accuracy"]) == (1, 0)
    assert _evaluate(dataset, split="all")["n"] == 4


def test_the_rule_decides_what_counts_and_is_written_down() -> None:
    votes = np.array([[9, 1], [5, 5], [4, 0]], np.float32)
    other = np.array([[0], [0], [6]], np.float32)
    shown = [("fear", "fear"), ("fear", "tired"), ("fear", "fear")]
    dataset = _dataset(("fear", "tired"), shown, votes=votes, other_votes=other)
    majority, argmax = _evaluate(dataset), _evaluate(dataset, rule="argmax")
    assert (majority["rule"], majority["n"], majority["accuracy"]) == ("majority", 1, 1)
    assert (argmax["rule"], argmax["n"], argmax["accuracy"]) == ("argmax", 2, 0.5)


def test_broken_pictures_are_left_out_and_named_and_the_others_keep_their_truth(tmp_path: Path) -> None:
    dataset = _dataset(
        ("fear", "tired"),
        [("fear", "fear"), ("tired", "tired"), ("fear", "fear")],
        pictures=[np.full((24, 24), SHADES["fear"], np.uint8), tmp_path / "gone.png", np.full((24, 24), 30, np.uint8)],
    )
    report = _evaluate(dataset)
    assert (report["n"], report["accuracy"]) == (2, 1)
    assert len(report["broken"]) == 1
    assert "gone.png" in report["broken"][0]


def test_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    _evaluate(_dataset(("fear", "tired"), [("fear", "fear")] * 2), progress=lambda *done: seen.append(done))
    assert seen == [(1, 2), (2, 2)]


# ---------------------------------------------------------------------------------------------- the report


def test_the_report_is_json_and_says_where_it_comes_from() -> None:
    report = _evaluate(_dataset(("fear", "tired"), [("fear", "fear"), ("tired", "fear")]))
    assert json.loads(json.dumps(report)) == report
    assert (report["dataset"], report["split"], report["rule"]) == ("shades", "test", "majority")
    assert (report["temperature"], report["training"]) == (1.5, {"seed": 3})
    assert report["no_face"] is None
    assert report["time"].endswith("+00:00")
    assert report["negative_log_likelihood"] == pytest.approx(-(np.log(0.7) + np.log(0.1)) / 2)
    assert report["calibration_error"] == pytest.approx(0.7 - 0.5)


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
    assert (report["n"], report["no_face"], len(report["broken"])) == (2, 1, 1)
    assert report["confusion"][2][2] == 1
    assert report["confusion"][3][2] == 1


def test_photos_without_any_face_are_an_error() -> None:
    dataset = _dataset(("fear", "tired"), [("fear", "fear"), ("tired", "tired")])
    with pytest.raises(DatasetError, match="expected faces in the 2 pictures of shades, found none"):
        _evaluate(dataset, detect_with=_fake_recognizer())
