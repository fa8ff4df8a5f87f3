"""What all commands have in common: how their help begins, how they tell what went wrong, Ctrl-C, a progress bar."""

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
"""Exit code after Ctrl-C, as shells have it."""
UNREAD_CODE = 141
"""Exit code where whoever read the output stopped reading before all was done, as `head` does; as shells have it."""

P = ParamSpec("P")


def say(text: object, aside: bool = False) -> None:
    """Print lines, aside on standard error; what names in them would tell the terminal to do, it does not."""
    print("\n".join(map(printable, str(text).split("\n"))), file=sys.stderr if aside else sys.stdout)


def tells_errors(main: Callable[P, int]) -> Callable[P, int]:
    """Make a command print what the user can mend, and return the exit code 1; after Ctrl-C that of a shell."""

    @functools.wraps(main)
    def told(*arguments: P.args, **named: P.kwargs) -> int:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # the terminal may lack a character, as on Windows
        try:
            code = main(*arguments, **named)
            with contextlib.suppress(BrokenPipeError):
                sys.stdout.flush()  # the disk that it goes to may be full
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
            drop_unread()  # here, as it would be told as an error when Python ends
        _tell(f"error: {without_secrets(text)}")
        return 1

    return told


def _is_of_a_pipe(error: Exception) -> bool:
    """Whether nobody reads any more what was printed; Windows calls it an invalid argument."""
    invalid = isinstance(error, OSError) and error.errno == errno.EINVAL and not error.filename
    return isinstance(error, BrokenPipeError) or (sys.platform == "win32" and invalid)


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):  # who does not read it need not be told so; a log's disk may be full
        say(text, aside=True)
    drop_unread()


def drop_unread() -> bool:
    """Write out what was printed; where nobody reads that any more, drop it and all that is printed later.

    Returns:
        Whether nobody reads it.
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
    except io.UnsupportedOperation:  # it is no file
        return False
    except OSError:
        return True
    if sys.platform == "win32":
        return False
    poll = select.poll()
    poll.register(number, 0)
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in poll.poll(0))


class Parser(argparse.ArgumentParser):
    """Does not repeat a password that was typed in a wrong place."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the options, and end."""
        super().error(without_secrets(message))


def command_parser(name: str, text: str | None, arguments: list[str] | None) -> argparse.ArgumentParser:
    """Return the parser of a command; in a script of its own, without arguments, its help shows what was typed."""
    typed = f"fer-studio {name}" if arguments is not None else f"python {sys.argv[0]}"
    return Parser(
        typed,
        description=(text or "").replace(f"fer-studio {name}", typed),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


class Stop:
    """Ctrl-C and SIGTERM: they end the program at once, or with the next frame when frames are taken."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.asked = False
        self.gently = False
        """Whether there is something to finish; set when frames are taken."""
        self.patient = False
        """Whether to be asked twice changes nothing."""

    def __enter__(self) -> "Stop":
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def code(self, problem: str | None) -> int:
        """Say why not all was seen, if it was stopped or broke off with a problem; return the exit code."""
        if self.asked:
            say("stopped", aside=True)
            return STOPPED_CODE
        if problem:
            say(f"error: {problem}", aside=True)
            return 1
        return 0

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if not self.gently or (self.asked and not self.patient):
            raise KeyboardInterrupt  # nothing to finish, or asked twice: at once
        self.asked = True


class ProgressBar:
    """Shows a person at a terminal what a job says, on standard error; where that is a file, its notes only."""

    def __enter__(self) -> "ProgressBar":
        form = "{desc} {percentage:3.0f} %|{bar}| {elapsed}<{remaining}"
        self._bar: tqdm[Any] = tqdm(leave=False, disable=None, bar_format=form)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def progress(self, status: Status) -> None:
        """Show how far it is."""
        if status.total != self._bar.total or status.done < self._bar.n:  # what is done from here on tells the speed
            self._bar.reset(status.total)
            self._bar.initial = self._bar.n = status.done
        self._bar.set_description_str(printable(status.what), refresh=False)
        self._bar.update(status.done - self._bar.n)

    def note(self, line: str) -> None:
        """Show a line of its log."""
        tqdm.write(printable(line), file=sys.stderr)
