"""What all commands have in common: how their help begins, and how they tell what went wrong."""

import argparse
import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

from fer.errors import FerError, PackageMissingError

P = ParamSpec("P")


def tells_errors(main: Callable[P, int]) -> Callable[P, int]:
    """Make a command print what the user can mend, and return the exit code 1."""

    @functools.wraps(main)
    def told(*arguments: P.args, **named: P.kwargs) -> int:
        try:
            return main(*arguments, **named)
        except ModuleNotFoundError as error:
            text: Exception = PackageMissingError.from_import(error)
        except (FerError, OSError) as error:
            text = error
        print(f"error: {text}", file=sys.stderr)
        return 1

    return told


def command_parser(name: str, text: str | None, arguments: list[str] | None) -> argparse.ArgumentParser:
    """Return the parser of a command; its help shows the command as it was started.

    Args:
        name: as `fer-studio` knows it.
        text: the docstring of its module, with examples that begin with `fer-studio NAME`.
        arguments: None in a script of its own, which is named by what was typed.
    """
    typed = f"fer-studio {name}" if arguments is not None else f"python {sys.argv[0]}"
    return argparse.ArgumentParser(
        typed,
        description=(text or "").replace(f"fer-studio {name}", typed),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
