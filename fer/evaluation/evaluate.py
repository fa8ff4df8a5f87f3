"""From a model and a data set to a report."""

from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from fer.datasets.dataset import FaceDataset
from fer.errors import EvaluationError
from fer.evaluation import confusions, provenance
from fer.evaluation.agreement import agreement
from fer.evaluation.curves import curves
from fer.evaluation.intervals import RESAMPLES, SEED
from fer.evaluation.metrics import class_figures, resampled, top_two_accuracy
from fer.evaluation.predict import Answers, Progress, predict
from fer.evaluation.reliability import reliability
from fer.evaluation.report import DataSource, Evaluation, Making, ModelSource, Report
from fer.evaluation.robustness import robustness
from fer.evaluation.speed import measure_speed
from fer.files import file_sha256
from fer.model.checkpoint import ModelInfo, weights_file
from fer.model.classifier import Classifier, probabilities_of, shares_of
from fer.model.prior import EVERYDAY
from fer.recognition.recognizer import Recognizer


@dataclass(frozen=True)
class Options:
    """What shall be measured."""

    split: str = "test"
    rule: str = "majority"
    robustness: bool = False
    """Whether the pictures are made worse in many ways, too, which takes 25 times as long."""
    sample: int | None = None
    """Make only so many pictures worse, drawn without looking."""
    predictions: str = "report.predictions.csv"
    """The name that the report gives the file of the predictions."""
    command: str = ""
    """What was typed, to be written down."""
    faces: str = EVERYDAY
    """How the model is read, one of `READINGS`."""


def evaluate(
    classifier: Classifier,
    checkpoint: Path,
    dataset: FaceDataset,
    options: Options | None = None,
    progress: Progress | None = None,
    detect_with: Recognizer | None = None,
) -> Evaluation:
    """Measure a model on one split of a data set.

    Args:
        classifier: the model.
        checkpoint: the file that it was read from.
        dataset: see `predict`.
        options: what shall be measured.
        progress: is told what is done and how far it is.
        detect_with: see `predict`.

    Raises:
        DatasetError: no picture is left to measure with.
        EvaluationError: robustness is asked for on whole photos.
    """
    options = options or Options()
    classifier = classifier.for_faces(options.faces)
    if options.robustness and detect_with:
        raise EvaluationError(
            "expected crops of faces to measure robustness with, got whole photos. Leave one of the two out."
        )
    info = classifier.info
    answers = predict(classifier, dataset, options.split, options.rule, progress, detect_with)
    found = answers.predictions
    confusion = found.confusion
    uncalibrated = shares_of(probabilities_of(replace(info, temperature=1.0), answers.logits))
    worse = None
    if options.robustness:
        told = partial(progress, "making pictures worse") if progress else None
        worse = robustness(
            dataset,
            found.rows,
            found.truth,
            info.preprocessing,
            classifier.probabilities,
            options.sample,
            progress=told,
        )
    report = Report(
        data=_data(dataset, options, answers, detected=detect_with is not None),
        model=_model(info, checkpoint, options.faces),
        made=_making(options, classifier.network.runtime),
        predictions=options.predictions,
        n=len(found),
        accuracy=resampled(confusions.accuracy, confusion),
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


def _data(dataset: FaceDataset, options: Options, answers: Answers, detected: bool) -> DataSource:
    return DataSource(
        name=dataset.name,
        fingerprint=dataset.fingerprint(),
        split=options.split,
        rule=options.rule,
        is_rated=dataset.is_rated,
        detected=detected,
        unknown_labels=answers.unknown_labels,
        broken=answers.broken,
        no_face=answers.no_face,
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


def _making(options: Options, runtime: str) -> Making:
    return Making(
        command=options.command,
        time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions=provenance.versions(),
        resamples=RESAMPLES,
        seed=SEED,
        runtime=runtime,
    )
