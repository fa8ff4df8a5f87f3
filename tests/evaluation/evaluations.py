"""Evaluations of fictitious models."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from fer.datasets.dataset import FaceDataset
from fer.evaluation.evaluate import evaluate
from fer.evaluation.report import Evaluation, Request, write_report
from fer.jobs.status import FINISHED, Reporter
from fer.model import DEFAULT_CHECKPOINT
from fer.model.checkpoint import ModelInfo
from fer.model.preprocessing import Preprocessing
from fer.model.torch_network import TorchNetwork
from fer.training.config import TrainingConfig
from fer.training.metrics import EpochMetrics
from fer.training.runs import Run, open_run

LABELS = ("neutral", "fear", "absent")


@cache
def make_evaluation(
    seed: int = 0, skill: float = 1.0, rated: bool = False, labels: tuple[str, ...] = LABELS, count: int = 120
) -> Evaluation:
    """Return an evaluation, always on the same pictures, none of which has the last label; treat it as read-only.

    Args:
        seed: of the model's randomness.
        skill: how much more confident the model is in the truth.
        rated: whether five raters voted on each picture.
        labels: the labels.
        count: number of pictures.
    """
    truth = np.random.default_rng(0).integers(0, len(labels) - 1, count)
    one_hot = np.eye(len(labels), dtype=np.float32)[truth]
    votes = 4 * one_hot + np.roll(one_hot, 1, axis=1) if rated else one_hot
    pictures = np.arange(count, dtype=np.uint8)[:, None, None] * np.ones((16, 16), np.uint8)
    dataset = FaceDataset("pretended", labels, votes, np.full(count, "test"), pictures)
    logits = np.random.default_rng(seed + 1).normal(0, 1, (count, len(labels))) + skill * one_hot

    def answer(pixels: Any) -> Any:
        return 1.3 * logits[pixels[:, 0, 0, 0] % count].astype(np.float32)

    model: Any = SimpleNamespace(
        info=ModelInfo("resnet18", labels, Preprocessing(size_px=16), 1.3, {"dataset": "pretended", "epochs": 3}),
        network=TorchNetwork(Preprocessing(), torch.nn.Flatten()),
        logits=answer,
        probabilities=answer,
        for_faces=lambda kind: model,
    )
    evaluation = evaluate(
        model,
        dataset,
        Request("", str(DEFAULT_CHECKPOINT), robustness=rated, sample=20),
        command="python scripts/evaluate.py",
    )
    return replace(evaluation, report=replace(evaluation.report, model=replace(evaluation.report.model, file="m")))


def finished_run(folder: Path, name: str, evaluation: Evaluation, title: str = "pretended-test-majority") -> Run:
    """Create the folder of a run that has ended and was evaluated."""
    run = open_run(folder, TrainingConfig("synthetic:80", epochs=2, size_px=24), name)
    for epoch in (1, 2):
        measured = EpochMetrics(epoch, 0.25 * epoch, validation_confusion=((9, 1), (2, 8)), seconds=1.0)
        run.append_metrics(measured)
    Reporter(run.folder).set(FINISHED)
    place = run.folder / "reports" / title
    place.mkdir(parents=True)
    write_report(place / "report.json", evaluation.report, evaluation.predictions)
    return run
