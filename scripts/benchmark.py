"""Measure how fast this machine is; run it on an idle one.

    python scripts/benchmark.py                                  pictures: photos and a webcam's frames
    python scripts/benchmark.py live --dataset data/ferplus      the engine of the webcam page
    python scripts/benchmark.py video --seconds 600              a video file
    python scripts/benchmark.py folder                           many photos at once
    python scripts/benchmark.py detector                         finding faces, beside facenet-pytorch
    python scripts/benchmark.py network                          naming expressions in ONNX Runtime, beside torch
    python scripts/benchmark.py training --dataset data/ferplus  the training loop
    python scripts/benchmark.py page                             the evaluation page in Chromium
    python scripts/benchmark.py startup                          the first answer of a new process
    python scripts/benchmark.py memory                           the app with several visitors
    python scripts/benchmark.py size                             an installation
    python scripts/benchmark.py viewers                          the webcam page of several viewers, without browsers
    python scripts/benchmark.py visitors --seconds 3600          an hour of many visitors who upload photos

`MEASURE --help` says what is measured, and lists the options of each.
"""

import argparse
import importlib
import inspect
import json
import platform
import sys
from pathlib import Path

from fer.errors import FerError
from fer.jobs.process import available_cores
from fer.model import DEFAULT_CHECKPOINT, model_file

MEASURES = (
    *("pictures", "live", "video", "folder", "detector", "network", "training"),
    *("page", "startup", "memory", "size", "viewers", "visitors"),
)
"""Modules of scripts/benchmarks; the arguments of their function `measure` are options here."""
OPTIONS: dict[str, tuple[str, str]] = {
    "checkpoint": ("FILE", "model file, or shipped, shipped-fer2013 or shipped-careful (shipped)"),
    "threads": ("N", "how many; 0: all"),
    "repeat": ("N", "how often"),
    "seconds": ("N", "how long"),
    "photos": ("N", "how many"),
    "dataset": ("PATH", "whose faces"),
    "architecture": ("NAME", "which network"),
    "size": ("PX", "of the faces"),
    "visitors": ("N", "how many"),
    "extras": ("NAMES", "of the package, with commas between them"),
    "viewers": ("N", "how many"),
    "pause": ("N", "seconds that a visitor looks at something, on average"),
    "profile": ("FILE", "py-spy writes there what the server's threads did"),
}
"""What each argument of a measure is called and does on the command line."""


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; without a measure's name, `pictures` is meant."""
    what = arguments[0] if arguments and arguments[0] in (*MEASURES, "-h", "--help") else "pictures"
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    commands = parser.add_subparsers(dest="what", metavar="MEASURE", required=True)
    if what in MEASURES:
        measure = importlib.import_module(f"scripts.benchmarks.{what}").measure
        command = commands.add_parser(what, description=inspect.getdoc(measure), formatter_class=plain)
        command.set_defaults(measure=measure)
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
        for option, parameter in inspect.signature(measure).parameters.items():
            default = DEFAULT_CHECKPOINT if parameter.default is parameter.empty else parameter.default
            kind = model_file if option == "checkpoint" else type(default)
            metavar, meaning = OPTIONS[option]
            shown = "" if option == "checkpoint" or default == "" else f" ({default})"
            command.add_argument(f"--{option}", type=kind, default=default, metavar=metavar, help=meaning + shown)
    return parser.parse_args([what, *arguments[arguments[:1] == [what] :]])


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    options = vars(parse_arguments(sys.argv[1:] if arguments is None else arguments))
    what, measure, as_json = (options.pop(name) for name in ("what", "measure", "json"))
    try:
        figures = measure(**options)
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(figures, indent=1))
        return 0
    machine, threads = platform.processor() or platform.machine(), options.get("threads", 1) or available_cores()
    print(f"{machine}, Python {platform.python_version()}, {threads} thread(s)")
    decimals = 2 if what in ("page", "startup") else 1
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:{width}} {value:8.{decimals}f}" if isinstance(value, float) else f"{name:{width}} {value:>8}")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # scripts and pages are no modules of the installed package
    sys.exit(main())
