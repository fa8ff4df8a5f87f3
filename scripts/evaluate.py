"""Measure a model on a data set.

    python scripts/evaluate.py --dataset data/ferplus --split test

Prints the figures (or JSON with --json) and writes them to report.json. Choose models on the validation split, and
look at the test split once, at the end.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from fer.errors import FerError
from fer.files import write_atomically
from fer.model import DEFAULT_CHECKPOINT


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--dataset", required=True, metavar="PATH", help="FER+ folders, fer2013.csv, class folders, synthetic"
    )
    parser.add_argument("--split", default="test", choices=("train", "validation", "test", "all"), help="(test)")
    parser.add_argument(
        "--rule",
        default="majority",
        choices=("majority", "argmax"),
        help="which pictures count: more than half of the raters agree (majority), or all with a top label (argmax)",
    )
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, metavar="FILE", help="(the one shipped)")
    parser.add_argument("--detect", action="store_true", help="find the face first: for whole photos instead of crops")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--output", type=Path, default=Path("report.json"), metavar="FILE", help="(report.json)")
    parser.add_argument("--threads", type=int, metavar="N", help="CPU threads (all)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Evaluate; return the exit code: 0 done, 1 cannot."""
    options = parse_arguments(arguments)
    try:
        report = _evaluate(options)
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    text = json.dumps(report, indent=1)
    print(text if options.json else _table(report))
    try:
        write_atomically(options.output, text + "\n")
    except OSError as error:
        print(f"error: cannot write {options.output}: {error}. Give another --output.", file=sys.stderr)
        return 1
    if not options.json:
        print(f"\nwritten to {options.output}")
    return 0


def _evaluate(options: argparse.Namespace) -> dict[str, Any]:
    import torch  # after the options are known to be right: it takes seconds

    from fer.datasets import open_dataset
    from fer.evaluation.report import evaluate
    from fer.model.classifier import Classifier
    from fer.recognition.recognizer import Recognizer

    if options.threads:
        torch.set_num_threads(options.threads)
    classifier = Classifier.load(options.checkpoint)
    recognizer = None
    if options.detect:
        from fer.recognition.detector import FaceDetector

        recognizer = Recognizer(FaceDetector(), classifier)
    dataset = open_dataset(options.dataset)
    with tqdm(desc="pictures", leave=False, disable=None) as bar:

        def show(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        report = evaluate(classifier, dataset, options.split, options.rule, show, recognizer)
    return {"checkpoint": options.checkpoint.name, **report}


def _table(report: dict[str, Any]) -> str:
    lines = [
        f"{report['dataset']}, {report['split']}, rule {report['rule']}, n = {report['n']}",
        f"accuracy {report['accuracy']:.4f}   macro F1 {report['macro_f1']:.4f}   "
        f"calibration error {report['calibration_error']:.4f}",
        "",
        f"{'':12} precision  recall      F1  support",
    ]
    for label, figures in report["per_class"].items():
        ratios = f"{figures['precision']:9.3f} {figures['recall']:7.3f} {figures['f1']:7.3f}"
        if not figures["support"]:
            ratios = f"{'–':>9} {'–':>7} {'–':>7}"
        lines.append(f"{label:12} {ratios} {figures['support']:8d}")
    for word, count in report["unknown_labels"].items():
        lines.append(f"left out: {count} pictures of {word}, which the model does not know")
    if report["broken"]:
        lines.append(
            f"left out: {len(report['broken'])} pictures that cannot be read; the first: {report['broken'][0]}"
        )
    if report["no_face"]:
        lines.append(f"left out: {report['no_face']} pictures without a face")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
