"""Evaluate a model on a data set, or compare evaluated models.

    fer-studio evaluate --dataset data/ferplus --split test
    fer-studio evaluate --dataset data/ferplus --robustness --sample 1000
    fer-studio evaluate --compare one/report.json other/report.json
    fer-studio evaluate --report report.json --card model-card.md --html report.html

Prints the figures (as JSON with --json) and writes report.json and, beside it, the model's prediction for each picture,
report.predictions.csv. Choose models on the validation split, and evaluate on the test split once, at the end.
"""

import argparse
import contextlib
import shlex
import sys
import time
from pathlib import Path

from fer import records
from fer.cli.arguments import add_model_arguments
from fer.cli.command import ProgressBar, command_parser, say, tells_errors
from fer.evaluation import report as reports
from fer.evaluation.job import measure
from fer.evaluation.report import Evaluation, Report, read_report
from fer.files import file_errors, write_atomically
from fer.jobs.status import Reporter
from fer.model.prior import READINGS


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command_parser("evaluate", __doc__, arguments)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--dataset", metavar="PATH",
        help="FER+, FER2013, CK+, RAF-DB, AffectNet, KDEF, JAFFE, a CSV with paths and labels, class folders, a ZIP, "
        "or synthetic",
    )  # fmt: skip
    what.add_argument("--compare", nargs=2, type=Path, metavar="FILE", help="compare two reports on the same pictures")
    what.add_argument("--report", type=Path, metavar="FILE", help="show an existing report")
    parser.add_argument(
        "--split", default="test", choices=("train", "validation", "test", "all"), help="what to evaluate on (test)"
    )
    parser.add_argument(
        "--rule",
        default="majority",
        choices=("majority", "argmax"),
        help="which pictures count: more than half of the raters agree (majority), or all with a top label (argmax)",
    )
    add_model_arguments(parser, kinds=READINGS)
    parser.add_argument("--reduced", action="store_true", help="use the webcam's precision: 8 bits, or bfloat16")
    parser.add_argument("--detect", action="store_true", help="detect the face first: for photos that are not crops")
    parser.add_argument(
        "--robustness",
        action="store_true",
        help="also measure on blurred, dark, rotated, covered, … copies: 25 times slower",
    )
    parser.add_argument("--sample", type=_positive, metavar="N", help="run --robustness on N random pictures (all)")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("report.json"),
        metavar="FILE",
        help="where to write the report (report.json)",
    )
    parser.add_argument(
        "--card", type=Path, metavar="FILE", help="also write a model card (Markdown), and its pictures beside it (PNG)"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write an HTML report with charts")
    parser.add_argument("--progress", type=Path, metavar="FILE", help="write the progress there every second, as JSON")
    parser.add_argument("--threads", type=_positive, metavar="N", help="CPU threads (all)")
    options = parser.parse_args(arguments)
    if options.sample and not options.robustness:
        parser.error("--sample sets the number of pictures for --robustness; give both")
    options.command = shlex.join(["python", *sys.argv] if arguments is None else ["fer-studio", "evaluate", *arguments])
    return options


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code: 0 done, 1 failed."""
    options = parse_arguments(arguments)
    if options.compare:
        say(_comparison(options))
        return 0
    if options.report:
        report = read_report(options.report)
        _show(report, options.json)
    else:
        evaluation = _evaluate(options)
        report = evaluation.report
        _show(report, options.json)  # before writing, so a full disk loses no figures
        reports.write_report(options.output, report, evaluation.predictions)
        if not options.json:
            say(f"\nwritten to {options.output} and {options.output.with_name(report.predictions)}")
    if options.card:
        from fer.images import encode_png
        from fer.reports.card import card_of
        from fer.reports.failures import strip

        card = card_of(options.report or options.output)
        picture = options.card.with_suffix(".png")
        with file_errors(f"cannot write --card {options.card}"):
            write_atomically(options.card, card.markdown(picture.name))
            if card.failures:
                write_atomically(picture, encode_png(strip(card.failures)))
    if options.html:
        from fer.reports.evaluation import html_report

        with file_errors(f"cannot write --html {options.html}"):
            write_atomically(options.html, html_report(report))
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, got {number}")
    return number


def _evaluate(options: argparse.Namespace) -> Evaluation:
    request = reports.Request(
        options.dataset, str(options.checkpoint), options.split, options.rule, options.robustness, options.sample,
        options.faces, options.detect, options.runtime, options.reduced, options.device,
    )  # fmt: skip
    written = 0.0
    with ProgressBar() as bar:
        reporter = Reporter(None, bar)

        def show(what: str, done: int, total: int) -> None:
            nonlocal written
            reporter.say(what, done, total)
            if options.progress and time.monotonic() - written > 1:
                written = time.monotonic()
                with contextlib.suppress(OSError):  # writing the report reports a full disk
                    records.write_record(options.progress, {"what": what, "done": done, "total": total}, durable=False)

        return measure(request, options.output, options.command, show, options.threads)


def _show(report: Report, as_json: bool) -> None:
    from fer.reports.rendering import render

    if as_json:
        print(reports.to_json(report))
    else:
        say(render("report.txt", report=report).rstrip())


def _comparison(options: argparse.Namespace) -> str:
    from fer.evaluation.comparison import compare
    from fer.reports.rendering import render

    a, b = map(reports.read_evaluation, options.compare)
    comparison = compare(a, b)
    if options.json:
        return records.to_json(comparison)
    return render("comparison.txt", comparison=comparison, names=options.compare).rstrip()
