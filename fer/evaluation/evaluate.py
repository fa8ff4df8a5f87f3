"""Evaluate a model on a data set, and make the report."""

import platform
import time
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median

import numpy as np

from fer.datasets.dataset import FaceDataset
from fer.datasets.report import notes_on
from fer.errors import EvaluationError
from fer.evaluation import confusions
from fer.evaluation.agreement import agreement
from fer.evaluation.figures import Speed
from fer.evaluation.intervals import RESAMPLES, SEED
from fer.evaluation.metrics import accuracy, class_figures, curves, reliability, resampled, top_two_accuracy
from fer.evaluation.predict import Answers, Progress, predict
from fer.evaluation.report import DataSource, Evaluation, Making, ModelSource, Report, Request
from fer.evaluation.robustness import robustness
from fer.evaluation.seen import seen_among
from fer.files import file_sha256
from fer.model.checkpoint import ModelInfo, count_parameters, weights_file
from fer.model.classifier import Classifier, probabilities_of, shares_of
from fer.recognition.recognizer import Recognizer

PACKAGES = ("fer-studio", "onnxruntime", "torch", "torchvision", "scikit-learn", "numpy")
"""The packages that figures depend on."""
REPEATS = 50
_WARM_UP = 5
_CROP_PX = 160
"""Side of the crop used to measure speed, about that of a face on a webcam."""


def evaluate(
    classifier: Classifier,
    dataset: FaceDataset,
    request: Request,
    progress: Progress | None = None,
    detect_with: Recognizer | None = None,
    predictions: str = "report.predictions.csv",
    command: str = "",
) -> Evaluation:
    """Evaluate a model on the split of a data set in the request.

    For `detect_with` see `predict`. The report stores the name of the predictions file and the command.

    Raises:
        DatasetError: no picture is left to evaluate.
        EvaluationError: robustness is requested for whole photos.
    """
    classifier, checkpoint = classifier.for_faces(request.faces), Path(request.checkpoint)
    if request.robustness and detect_with:
        raise EvaluationError(
            "expected cropped faces for robustness, got whole photos. Leave out --robustness or --detect."
        )
    info = classifier.info
    answers = predict(classifier, dataset, request.split, request.rule, progress, detect_with)
    found = answers.predictions
    confusion = found.confusion
    uncalibrated = shares_of(probabilities_of(replace(info, temperature=1.0), answers.logits))
    worse = None
    if request.robustness:
        told = partial(progress, "testing degraded pictures") if progress else None
        worse = robustness(
            dataset,
            found.rows,
            found.truth,
            info.preprocessing,
            classifier.probabilities,
            request.sample,
            progress=told,
        )
    report = Report(
        data=_data(dataset, request, answers, detected=detect_with is not None),
        model=_model(info, checkpoint, request.faces),
        made=Making(
            command=command,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            versions={"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
            resamples=RESAMPLES,
            seed=SEED,
            runtime=classifier.network.runtime,
        ),
        predictions=predictions,
        n=len(found),
        accuracy=accuracy(confusion),
        balanced_accuracy=resampled(confusions.balanced_accuracy, confusion),
        macro_precision=resampled(confusions.macro_precision, confusion),
        macro_f1=resampled(confusions.macro_f1, confusion),
        top_two_accuracy=top_two_accuracy(found.probabilities, found.truth),
        per_class=class_figures(confusion, info.labels),
        confusion=tuple(map(tuple, confusion.tolist())),
        curves=curves(found.probabilities, found.truth, info.labels),
        before=reliability(uncalibrated, found.truth, temperature=1.0),
        calibration=reliability(found.probabilities, found.truth, info.temperature),
        agreement=agreement(found.votes, found.other_votes, found.probabilities, found.truth),
        robustness=worse,
        speed=measure_speed(classifier, weights_file(checkpoint)),
    )
    return Evaluation(report, found)


def _data(dataset: FaceDataset, request: Request, answers: Answers, detected: bool) -> DataSource:
    return DataSource(
        name=dataset.name,
        fingerprint=dataset.fingerprint(),
        split=request.split,
        rule=request.rule,
        is_rated=dataset.is_rated,
        detected=detected,
        unknown_labels=answers.unknown_labels,
        broken=answers.broken,
        no_face=answers.no_face,
        notes=notes_on(dataset),
        seen=seen_among(weights_file(Path(request.checkpoint)), answers.digests),
    )


def _model(info: ModelInfo, checkpoint: Path, faces: str) -> ModelSource:
    return ModelSource(
        file=checkpoint.name,
        sha256=file_sha256(weights_file(checkpoint)),
        architecture=info.architecture,
        size_px=info.preprocessing.size_px,
        labels=info.labels,
        multilabel=info.multilabel,
        training=info.training,
        faces=faces,
        reading=replace(info.reading(faces), neutral=()),
    )


def measure_speed(classifier: Classifier, checkpoint: Path, repeats: int = REPEATS) -> Speed:
    """Time one face from its crop to the probabilities, one at a time; and measure the model file."""
    with classifier.network.on_one_thread() as network:
        alone = Classifier(classifier.info, network)
        times = [_seconds(alone) for _ in range(_WARM_UP + repeats)][_WARM_UP:]
    return Speed(
        parameters=count_parameters(checkpoint),
        file_bytes=checkpoint.stat().st_size,
        milliseconds_per_face=1000 * median(times),
        repeats=repeats,
        processor=processor_name(),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def processor_name() -> str:
    """Return the name of this machine's processor, if known."""
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _seconds(classifier: Classifier) -> float:
    crop = np.full((_CROP_PX, _CROP_PX, 3), 128, np.uint8)
    began = time.perf_counter()
    classifier.probabilities(classifier.info.preprocessing.shrink(crop)[None])
    return time.perf_counter() - began
