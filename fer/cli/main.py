"""`fer-studio COMMAND …`: what each command does is imported when it is called."""

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
    "predict": "find faces in pictures or a video and name their expressions",
    "live": "the same in a camera's picture or a stream, while it moves",
    "train": "train a model on a data set",
    "evaluate": "measure a model on a data set, or compare models",
    "export": "write a model for ONNX Runtime",
    "jobs": "look after what runs in the background",
    "benchmark": "measure how fast this machine is (from a checkout only)",
}
"""Command, which is a module of this folder → what it does, in a line."""


@tells_errors
def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code, or 1 where a package is missing that it needs."""
    parser = Parser(
        "fer-studio",
        description="See the expression of every face in pictures, videos and streams, on this machine.",
        epilog="commands:\n" + "\n".join(f"  {name:10} {what}" for name, what in COMMANDS.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fer-studio {fer.__version__}")
    parser.add_argument("--home", type=Path, metavar="DIR", help="where runs/ and data/ are kept")
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND", help="see below; COMMAND --help says more")
    parser.add_argument("options", nargs=argparse.REMAINDER, metavar="…", help="of the command")
    given = parser.parse_args(arguments)
    if given.home:
        os.environ[HOME_VARIABLE] = str(given.home.absolute())  # other processes, too, are to find it
    return int(importlib.import_module(f"fer.cli.{given.command}").main(given.options))
