"""Measure the speed of this machine; run it while the machine is idle.

    python scripts/benchmark.py                                  pictures: photos and webcam frames
    python scripts/benchmark.py live --dataset data/ferplus      the engine of the webcam page
    python scripts/benchmark.py video --seconds 600              a video file
    python scripts/benchmark.py folder                           many photos at once
    python scripts/benchmark.py detector                         face detection, compared with facenet-pytorch
    python scripts/benchmark.py network                          the classifier in ONNX Runtime, compared with torch
    python scripts/benchmark.py training --dataset data/ferplus  the training loop
    python scripts/benchmark.py page                             the evaluation page in Chromium
    python scripts/benchmark.py results                          the page of results, with 2,000 of them, in Chromium
    python scripts/benchmark.py startup                          the first result of a new process
    python scripts/benchmark.py memory                           the app with several visitors
    python scripts/benchmark.py size                             an installation
    python scripts/benchmark.py viewers                          the webcam page of several viewers, without browsers
    python scripts/benchmark.py viewers --browsers               the same, in Chromium windows on the same cores
    python scripts/benchmark.py visitors --seconds 3600          an hour of many visitors who upload photos

`MEASURE --help` explains a measure and lists its options.
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
    *("page", "results", "startup", "memory", "size", "viewers", "visitors"),
)
"""Modules of scripts/benchmarks; the arguments of their function `measure` become options."""
OPTIONS: dict[str, tuple[str, str]] = {
    "checkpoint": ("FILE", "model file, or shipped, shipped-fer2013 or shipped-careful (shipped)"),
    "threads": ("N", "number of threads; 0: all"),
    "repeat": ("N", "number of repetitions"),
    "seconds": ("N", "duration"),
    "photos": ("N", "number of photos"),
    "results": ("N", "number of results"),
    "dataset": ("PATH", "data set of faces"),
    "architecture": ("NAME", "architecture of the network"),
    "size": ("PX", "size of the faces"),
    "visitors": ("N", "number of visitors"),
    "extras": ("NAMES", "extras of the package, separated by commas"),
    "viewers": ("N", "number of viewers"),
    "browsers": ("", "let the viewers be Chromium windows"),
    "pause": ("N", "mean seconds that a visitor looks at something"),
    "profile": ("FILE", "where py-spy writes what the server's threads did"),
}
"""Argument of a measure → metavar and help of its option."""


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; without a measure, `pictures` is run."""
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
            if default is False:
                command.add_argument(f"--{option}", action="store_true", help=OPTIONS[option][1])
                continue
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
    decimals = 2 if what in ("page", "results", "startup") else 1
    width, columns = max(map(len, figures)), [""]
    for name, value in figures.items():
        row = value if isinstance(value, dict) else {"": value}
        if [*row] != columns:
            columns = [*row]
            print(" ".join((" " * width, *(f"{column:>8}" for column in columns))).rstrip())
        cells = [f"{cell:.{decimals}f}" if isinstance(cell, float) else cell for cell in row.values()]
        print(
            f"{name:{width}}", *(f"{cell:>{max(len(column), 8)}}" for column, cell in zip(columns, cells, strict=True))
        )
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # scripts and pages are not in the installed package
    sys.exit(main())
