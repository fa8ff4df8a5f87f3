"""Pictures that a model saw in training are counted, wherever they turn up again."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fer.datasets import open_dataset
from fer.datasets.dataset import FaceDataset
from fer.errors import EvaluationError
from fer.evaluation.comparison import compare
from fer.evaluation.evaluate import evaluate
from fer.evaluation.report import Evaluation, Request, read_report, write_report
from fer.evaluation.seen import SEEN_NAME, Seen, seen_among, write_seen
from fer.model.classifier import Classifier
from fer.training.config import TrainingConfig
from fer.training.loop import train
from fer.training.metrics import Hooks
from fer.training.runs import Run
from tests.evaluation.evaluations import make_evaluation


def digests(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.uint32)


def test_pictures_of_the_initial_model_count_too(tmp_path: Path) -> None:
    first, second = tmp_path / "first" / "best.safetensors", tmp_path / "second" / "best.safetensors"
    for model in (first, second):
        model.parent.mkdir()
    write_seen(first, digests(1, 2, 3), digests(4))
    write_seen(second, digests(5, 5), digests(6), [first, tmp_path / "elsewhere" / "teacher.safetensors"])
    assert seen_among(first, digests(1, 5, 6)) == Seen(trained=1, chosen=0)
    assert seen_among(second, digests(1, 5, 4, 9)) == Seen(trained=2, chosen=1)
    assert seen_among(tmp_path / "unknown.safetensors", digests(1)) is None
    (second.parent / SEEN_NAME).write_text("damaged")
    with pytest.raises(EvaluationError, match=SEEN_NAME):
        seen_among(second, digests(1))


@pytest.mark.slow
def test_training_pictures_are_recognized_in_another_data_set(tmp_path: Path) -> None:
    config = TrainingConfig("synthetic:80", epochs=1, size_px=24, progressive=False)
    dataset = open_dataset("synthetic:80")
    assert train(config, dataset, Run(tmp_path), Hooks())
    model = Classifier.load(Run(tmp_path).best_path)

    def measured(pictures: FaceDataset, split: str) -> Evaluation:
        return evaluate(model, pictures, Request("", str(Run(tmp_path).best_path), split, "argmax"))

    own = measured(dataset, "train").report
    assert own.data.seen == Seen(own.n, 0) and own.knew == ("trained on", own.n)
    assert measured(dataset, "test").report.knew is None
    everything = replace(dataset, splits=np.full(len(dataset), "test"))
    found = measured(everything, "test")
    assert found.report.data.fingerprint != own.data.fingerprint
    assert found.report.data.seen == Seen(own.n, len(dataset.rows("validation", "majority")))
    write_report(tmp_path / "report.json", replace(found.report, predictions="p.csv"), found.predictions)
    assert read_report(tmp_path / "report.json").data.seen == found.report.data.seen


def made(seed: int, split: str, seen: Seen | None, sha256: str = "") -> Evaluation:
    found = make_evaluation(seed=seed)
    data = replace(found.report.data, split=split, seen=seen)
    training = {"dataset_sha256": sha256 or data.fingerprint}
    report = replace(found.report, data=data, model=replace(found.report.model, training=training))
    return Evaluation(report, found.predictions)


@pytest.mark.parametrize(
    ("split", "seen", "sha256", "knew"),
    [
        ("train", None, "", ("trained on", 120)),
        ("all", None, "", ("trained on", 120)),
        ("validation", None, "", ("chosen by", 120)),
        ("test", None, "", None),
        ("train", None, "another", None),
        ("test", Seen(7, 3), "", ("trained on", 7)),
        ("validation", Seen(0, 3), "another", ("chosen by", 3)),
        ("train", Seen(0, 0), "", None),
    ],
)
def test_how_a_report_states_it(split: str, seen: Seen | None, sha256: str, knew: tuple[str, int] | None) -> None:
    assert made(0, split, seen, sha256).report.knew == knew


def test_a_comparison_on_pictures_that_one_was_trained_on_is_refused() -> None:
    fair, unfair = made(0, "all", Seen(0, 0)), made(1, "all", Seen(100, 0))
    with pytest.raises(EvaluationError, match=r"100 of 120"):
        compare(fair, unfair)
    with pytest.raises(EvaluationError, match=r"100 of 120"):
        compare(unfair, fair)
    assert compare(fair, made(1, "all", Seen(10, 0))).n == 120
    assert compare(fair, made(1, "all", Seen(0, 120))).n == 120
