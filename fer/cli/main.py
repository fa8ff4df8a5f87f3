"""`fer-studio COMMAND …`; a command's module is imported when it is called."""

import argparse
import importlib
import os
from collections.abc import Sequence
from pathlib import Path

import fer
from fer.cli.command import Parser, tells_errors
from fer.home import HOME_VARIABLE

COMMANDS = {
    "app": "open the app in the browser",
    "predict": "recognize expressions in photos or a video",
    "live": "recognize expressions live, from a camera or a stream",
    "train": "train a model on a data set",
    "evaluate": "evaluate a model on a data set, or compare models",
    "export": "export a model for ONNX Runtime",
    "jobs": "manage background jobs",
    "benchmark": "measure the speed of this machine (in a checkout only)",
}
"""Command, also the name of its module in this folder → its description."""


@tells_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code, or 1 if a required package is missing."""
    parser = Parser(
        "fer-studio",
        description="Recognize the expression of every face in photos, videos and streams, on your own machine.",
        epilog="commands:\n" + "\n".join(f"  {name:10} {what}" for name, what in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fer-studio {fer.__version__}")
    parser.add_argument("--home", type=Path, metavar="DIR", help="the folder of runs/ and data/")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="see below; for details: COMMAND --help")
    parser.add_argument("options", nargs=argparse.REMAINDER, metavar="…", help="options of the command")
    given = parser.parse_args(arguments)
    if given.home:
        os.environ[HOME_VARIABLE] = str(given.home.absolute())  # child processes need it, too
    return int(importlib.import_module(f"fer.cli.{given.command}").main(given.options))
