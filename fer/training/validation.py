"""Validation after each epoch and over folds, and calibration at the end of training."""

from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from fer.datasets.dataset import FaceDataset, PreparedFaces
from fer.datasets.second import NO_SECOND, SecondLabels
from fer.evaluation.calibration import Asked, calibrate, fit_multilabel_temperature, fit_unsure_threshold
from fer.evaluation.metrics import Metrics, measure
from fer.evaluation.predict import predict
from fer.model.checkpoint import ModelInfo, load_checkpoint, save_checkpoint
from fer.model.classifier import Classifier, probabilities_of
from fer.model.device import autocast
from fer.model.torch_network import torch_classifier
from fer.records import write_record
from fer.training.runs import Run
from fer.training.state import State


@dataclass(frozen=True, eq=False)
class Validation:
    """The validation pictures, and how to evaluate on them."""

    dataset: FaceDataset
    faces: PreparedFaces
    device: str
    second: SecondLabels = NO_SECOND

    def measure(self, info: ModelInfo, state: State) -> Metrics:
        """Evaluate the averaged weights after an epoch."""
        with autocast(self.device):
            shares = torch_classifier(info, state.average, self.device).distributions(self.faces.pixels)
        return measure(shares, self.dataset.truth(self.faces.rows))

    def calibrate(self, run: Run) -> ModelInfo:
        """Calibrate the best epoch's model, and save it again."""
        info, network = load_checkpoint(run.best_path)
        logits = torch_classifier(info, network, self.device).logits(self.faces.pixels)
        truth = self.dataset.truth(self.faces.rows)
        if info.multilabel:
            info = replace(
                info, temperature=fit_multilabel_temperature(logits, self.dataset.distributions(self.faces.rows))
            )
            confidences = probabilities_of(info, logits).max(axis=1)
            info = replace(info, unsure_below=fit_unsure_threshold(confidences))
        else:
            info = calibrate(info, (logits, truth), self._labeled(info, logits))
        save_checkpoint(run.best_path, info, network.state_dict())
        return info

    def _labeled(self, info: ModelInfo, logits: np.ndarray) -> Asked | None:
        """Return logits and labels of the pictures that have a label for the second head."""
        shares = self.second.of(self.faces.rows)
        known = shares.any(axis=1)
        words = np.array([info.labels.index(label) for label in self.second.labels], int)
        return (logits[known], words[shares[known].argmax(axis=1)]) if known.any() else None

    @property
    def most_frequent(self) -> float:
        """The accuracy of always predicting the most frequent expression."""
        truth = self.dataset.truth(self.faces.rows)
        return float(np.bincount(truth).max() / len(truth))


def measure_fold(run: Run, dataset: FaceDataset, rule: str, device: str) -> dict[str, Any]:
    """Evaluate the model of a finished fold on its held-out part."""
    found = predict(Classifier.load(run.best_path, device), dataset, "test", rule).predictions
    metrics = measure(found.probabilities, found.truth)
    return {"run": run.folder.name, "n": len(found), "accuracy": metrics.accuracy, "macro_f1": metrics.macro_f1}


def summarize(folder: Path, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Write folds.json: the folds, and their mean and standard deviation (of a sample), 0..1."""
    summary: dict[str, Any] = {"folds": results}
    for name in ("accuracy", "macro_f1"):
        values = [result[name] for result in results]
        summary[name] = {"mean": mean(values), "sd": stdev(values)}
    write_record(folder / "folds.json", summary)
    return summary
