"""What all commands share: help, error messages, Ctrl-C and the progress bar."""

import argparse
import contextlib
import errno
import functools
import io
import os
import select
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn, ParamSpec, TextIO

from tqdm import tqdm

from fer.errors import FerError, PackageMissingError, problem_of, without_secrets
from fer.jobs.status import Status
from fer.names import printable

STOPPED_CODE = 130
"""Exit code after Ctrl-C, as in a shell."""
UNREAD_CODE = 141
"""Exit code when the reader of the output quit early, as `head` does; as in a shell."""

P = ParamSpec("P")


def say(text: object, aside: bool = False) -> None:
    """Print lines, to standard error if `aside`; control characters in names are escaped."""
    print("\n".join(map(printable, str(text).split("\n"))), file=sys.stderr if aside else sys.stdout)


def tells_errors(main: Callable[P, int]) -> Callable[P, int]:
    """Decorate a command: print errors the user can fix and return 1; after Ctrl-C return the shell's code."""

    @functools.wraps(main)
    def told(*arguments: P.args, **named: P.kwargs) -> int:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # the terminal's encoding may be limited, as on Windows
        try:
            code = main(*arguments, **named)
            with contextlib.suppress(BrokenPipeError):
                sys.stdout.flush()  # the output may go to a full disk
            return code
        except ModuleNotFoundError as error:
            text = str(PackageMissingError.from_import(error))
        except (FerError, OSError) as error:
            if _is_of_a_pipe(error) and drop_unread():
                return UNREAD_CODE
            text = problem_of(error)
        except KeyboardInterrupt:
            _tell("stopped")
            return STOPPED_CODE
        finally:
            drop_unread()  # otherwise Python would report an error on exit
        _tell(f"error: {without_secrets(text)}")
        return 1

    return told


def _is_of_a_pipe(error: Exception) -> bool:
    """Whether the reader of the output is gone; Windows reports an invalid argument."""
    invalid = isinstance(error, OSError) and error.errno == errno.EINVAL and not error.filename
    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and invalid)


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):  # nobody may be reading, or a log's disk may be full
        say(text, aside=True)
    drop_unread()


def drop_unread() -> bool:
    """Flush what was printed; if nobody reads it any more, discard it and all later output.

    Returns:
        Whether the reader is gone.
    """
    unread = False
    for stream in (sys.stdout, sys.stderr):
        if _is_unread(stream):
            unread = True
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
    return unread


def _is_unread(stream: TextIO) -> bool:
    try:
        stream.flush()
        number = stream.fileno()
    except io.UnsupportedOperation:  # not a file
        return False
    except OSError:
        return True
    if sys.platform == "win32":
        return False
    poll = select.poll()
    poll.register(number, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


class Parser(argparse.ArgumentParser):
    """An argument parser that does not repeat a password typed in the wrong place."""

    def error(self, message: str) -> NoReturn:
        """Report invalid options and exit."""
        super().error(without_secrets(message))


def command_parser(name: str, text: str | None, arguments: list[str] | None) -> argparse.ArgumentParser:
    """Return the parser of a command; run as a script, its help shows the script's name instead."""
    typed = f"fer-studio {name}" if arguments is not None else f"python {sys.argv[0]}"
    return Parser(
        typed,
        description=(text or "").replace(f"fer-studio {name}", typed),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


class Stop:
    """Handle Ctrl-C and SIGTERM: stop at once, or after the current frame once frames are being processed."""

    def __init__(self) -> None:
        """Start with no stop requested."""
        self.asked = False
        self.gently = False
        """Whether there is something to finish; set once frames are being processed."""
        self.patient = False
        """Whether to ignore a second request."""

    def __enter__(self) -> "Stop":
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def code(self, problem: str | None) -> int:
        """Report why the work is incomplete, if it was stopped or failed; return the exit code."""
        if self.asked:
            say("stopped", aside=True)
            return STOPPED_CODE
        if problem:
            say(f"error: {problem}", aside=True)
            return 1
        return 0

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if not self.gently or (self.asked and not self.patient):
            raise KeyboardInterrupt  # nothing to finish, or asked twice
        self.asked = True


class ProgressBar:
    """Show a job's progress at a terminal, on standard error; print only its notes if that is redirected to a file."""

    def __enter__(self) -> "ProgressBar":
        form = "{desc} {percentage:3.0f} %|{bar}| {elapsed}<{remaining}"
        self._bar: tqdm[Any] = tqdm(leave=False, disable=None, bar_format=form)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def progress(self, status: Status) -> None:
        """Show the progress."""
        if status.total != self._bar.total or status.done < self._bar.n:  # earlier work must not count towards speed
            self._bar.reset(status.total)
            self._bar.initial = self._bar.n = status.done
        self._bar.set_description_str(printable(status.what), refresh=False)
        self._bar.update(status.done - self._bar.n)

    def note(self, line: str) -> None:
        """Print a line of the job's log."""
        tqdm.write(printable(line), file=sys.stderr)
