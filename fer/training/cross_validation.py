"""The figures of several folds as one: mean ± standard deviation."""

from pathlib import Path
from statistics import mean, stdev
from typing import Any

from fer.datasets.dataset import FaceDataset
from fer.evaluation.metrics import measure
from fer.evaluation.predict import predict
from fer.model.classifier import Classifier
from fer.records import write_record
from fer.training.runs import Run


def measure_fold(run: Run, dataset: FaceDataset, rule: str, device: str) -> dict[str, Any]:
    """Measure the model of a finished fold on the part that it was neither trained on nor chosen by."""
    found = predict(Classifier.load(run.best_path, device), dataset, "test", rule).predictions
    metrics = measure(found.probabilities, found.truth)
    return {"run": run.folder.name, "n": len(found), "accuracy": metrics.accuracy, "macro_f1": metrics.macro_f1}


def summarize(folder: Path, results: list[dict[str, Any]]) -> dict[str, Any]:
    """Write folds.json: each fold, and mean and standard deviation (of a sample) over them, all 0..1."""
    summary: dict[str, Any] = {"folds": results}
    for name in ("accuracy", "macro_f1"):
        values = [result[name] for result in results]
        summary[name] = {"mean": mean(values), "sd": stdev(values)}
    write_record(folder / "folds.json", summary)
    return summary
