"""Choose how a model with two heads is read for each kind of faces, and store that in the model file.

    python scripts/choose_readings.py --checkpoint FILE --dataset data/ferplus --label-dataset data/fer2013 \\
        --photos data/photos --output settings.json

Prints a table of settings and data sets and writes it to --output; see `fer.evaluation.settings` for the rule. It uses
the validation pictures of the data sets, and all photos; no test split is touched.
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from fer.cli.command import tells_errors
from fer.datasets import open_dataset
from fer.errors import FerError
from fer.evaluation.calibration import Asked, calibrate
from fer.evaluation.metrics import measure
from fer.evaluation.predict import predict
from fer.evaluation.settings import Settings, choose, measure_settings
from fer.model.checkpoint import load_checkpoint, save_checkpoint
from fer.model.classifier import probabilities_of
from fer.model.prior import RATERS
from fer.model.torch_network import torch_classifier
from fer.recognition.detector import FaceDetector
from fer.recognition.recognizer import Recognizer
from fer.records import write_record
from fer.reports.rendering import render


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, required=True, metavar="FILE", help="a model with two heads")
    parser.add_argument("--dataset", required=True, metavar="PATH", help="data set of the first head: votes")
    parser.add_argument("--label-dataset", required=True, metavar="PATH", help="data set of the second head")
    parser.add_argument("--photos", required=True, metavar="DIR", help="photos of other people, in class folders")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="where to write the table")
    return parser.parse_args(arguments)


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Measure, choose, print and write; return the exit code."""
    options = parse_arguments(arguments)
    info, network = load_checkpoint(options.checkpoint)
    if not info.second:
        raise FerError(f"expected a model with two heads, {options.checkpoint} has one. Choose another model.")
    recognizer = Recognizer(FaceDetector(), torch_classifier(info, network))
    bases = []

    def ask(path: str, split: str, detect_with: Recognizer | None = None) -> Asked:
        dataset = open_dataset(path)
        answers = predict(recognizer.classifier, dataset, split, detect_with=detect_with)
        found = answers.predictions
        bases.append(f"{dataset.name}, {split} split, rule majority, n = {len(found):,}")
        return answers.logits, found.truth

    asked, photos = ask(options.dataset, "validation"), ask(options.photos, "all", recognizer)
    rows = measure_settings(info, asked, photos)
    settings = Settings(bases[0], bases[1], choose(rows), rows)
    print(render("settings.txt", settings=settings).rstrip())
    info = calibrate(info, asked, ask(options.label_dataset, "validation"), settings.kinds)
    logits, truth = asked
    found = measure(probabilities_of(info.read_for(RATERS), logits), truth)
    figures = {"validation_n": len(truth), "validation_accuracy": found.accuracy, "validation_macro_f1": found.macro_f1}
    info = replace(info, training=info.training | figures)
    save_checkpoint(options.checkpoint, info, network.state_dict())
    write_record(options.output, settings)
    return 0


if __name__ == "__main__":
    sys.exit(main())
