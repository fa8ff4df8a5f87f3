"""Feed damaged, odd and hostile files to everything that reads other people's files, and check that it copes.

    python scripts/fuzz.py                              2,000 files, all kinds
    python scripts/fuzz.py --kind videos --count 500 --seed 3 --keep faults/
    python scripts/fuzz.py --try faults/videos-0-17     repeat a kept input

Each file is a small valid one with changes (scripts/fuzzing); the same seed gives the same files. A separate process
reads them and may succeed or raise a FerError. Any other exception, exceeding the limits on time or memory, and a crash
are faults: each kind is printed once, and with --keep its input is stored. The exit code is then 1.
"""

import argparse
import contextlib
import faulthandler
import multiprocessing
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import psutil

from fer.decoding import MOST_SECONDS
from fer.errors import FerError
from fer.home import DATA_VARIABLE, RUNS_VARIABLE

LIMIT_SECONDS = MOST_SECONDS + 1
"""CPU time for one file; a picture is refused after `MOST_SECONDS` itself."""
LIMIT_IDLE_SECONDS, LIMIT_WALL_SECONDS = 15.0, 60.0
"""Wall-clock time for one file: in which nothing is computed, since it might wait forever; and in total, since a busy
machine takes long."""
LIMIT_BYTES = 10**9
"""Resident memory of the process and its children, without files of libraries that the system maps as it likes."""
_POLL_SECONDS = 0.05
_MOST_BYTES = 4 * 10**9
"""Hard limit, if the system supports one: a fault must not bring down the machine."""
READ, REFUSED = "read", "refused"
KINDS = ("pictures", "archives", "models", "records", "videos")


@dataclass(frozen=True)
class Answer:
    """The outcome of one file."""

    outcome: str
    """`READ`, `REFUSED`, or the fault: a traceback, or words."""
    seconds: float
    """CPU time."""
    most_bytes: int
    """Resident memory, see `LIMIT_BYTES`."""

    @property
    def is_fault(self) -> bool:
        """Whether it is a fault."""
        return self.outcome not in (READ, REFUSED)

    @property
    def place(self) -> str:
        """The error and our last line in the traceback: the same for the same fault."""
        lines = self.outcome.strip().splitlines()
        ours = [line.strip() for line in lines if line.lstrip().startswith("File") and f"{os.sep}fer{os.sep}" in line]
        return f"{lines[-1][:160]}  {ours[-1] if ours else ''}"


@dataclass
class Tally:
    """The outcomes of the files of a kind."""

    answers: list[Answer] = field(default_factory=list)
    seconds: float = 0.0
    """Wall-clock time."""

    def line(self, kind: str) -> str:
        """Return a row of the table."""
        faults = sum(answer.is_fault for answer in self.answers)
        counts = Counter(answer.outcome for answer in self.answers)
        slowest = max((answer.seconds for answer in self.answers), default=0.0)
        most = max((answer.most_bytes for answer in self.answers), default=0)
        return (
            f"{kind:10}{len(self.answers):8,}{counts[READ]:8,}{counts[REFUSED]:9,}{faults:8,}{slowest:12.2f}"
            f"{most / 1e6:10,.0f}{self.seconds:10.0f}"
        )


HEADER = "kind         files    read  refused  faults slowest (s) most (MB)  took (s)"


class Worker:
    """A process that reads files of one kind, one after the other; it is restarted when it ends."""

    def __init__(self, kind: str, place: Path) -> None:
        """Store what to start; `place` is for its files."""
        self._kind, self._place = kind, place
        self._process: multiprocessing.process.BaseProcess | None = None

    def ask(self, given: Path) -> Answer:
        """Let the process read a folder."""
        if self._process is None:
            self._start()
        assert self._process
        before, began = _seconds_and_bytes(self._known), time.monotonic()
        self._connection.send(str(given))
        seconds, most, moved = 0.0, before[1], began
        while not self._connection.poll(_POLL_SECONDS):
            now = _seconds_and_bytes(self._known)
            if now[0] - before[0] > seconds:
                moved = time.monotonic()
            seconds, most = max(seconds, now[0] - before[0]), max(most, now[1])
            waited, idle = time.monotonic() - began, time.monotonic() - moved
            hangs = seconds > LIMIT_SECONDS or idle > LIMIT_IDLE_SECONDS or waited > LIMIT_WALL_SECONDS
            if hangs or most > LIMIT_BYTES:
                times = f"{seconds:.1f} s of the processor, {waited:.1f} s, the last {idle:.1f} s idle"
                found = "more memory" if most > LIMIT_BYTES else times
                return Answer(f"{self._end()}\ntakes {found}", seconds, most)
        try:
            outcome, seconds, peak = self._connection.recv()
        except (EOFError, OSError):
            self._process.join()
            code = self._process.exitcode
            return Answer(f"{self._end()}\nthe process ended with {code}", seconds, most)
        most = max(most, peak)
        if most > LIMIT_BYTES:
            self._end()
            outcome = f"{outcome}\ntakes more memory"
        return Answer(outcome, seconds, most)

    def _start(self) -> None:
        # Not forked: it must start fresh, and some systems have no fork.
        context = multiprocessing.get_context("spawn")
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_work, args=(other, self._kind, str(self._place)), daemon=True)
        self._process.start()
        other.close()
        self._known = psutil.Process(self._process.pid)
        self._connection.recv()

    def _end(self) -> str:
        """End the process and its children; return where it was."""
        assert self._process
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in [*self._known.children(recursive=True), self._known]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.join()
        self._connection.close()
        self._process = None
        return (self._place / "where.txt").read_text(errors="replace")

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._end()


def _seconds_and_bytes(process: psutil.Process) -> tuple[float, int]:
    """Return the CPU time and memory of a process and its children."""
    seconds, held = 0.0, 0
    with contextlib.suppress(psutil.NoSuchProcess):
        ended = process.cpu_times()
        seconds = ended.children_user + ended.children_system if hasattr(ended, "children_user") else 0.0
        for one in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                memory = one.memory_info()
                seconds += times.user + times.system
                held += memory.rss - getattr(memory, "shared", 0)
    return seconds, held


def _work(connection: Connection, kind: str, text: str) -> None:
    """Read the requested folders, in a separate process, until there are no more requests."""
    from scripts.fuzzing.readers import READERS, emptied

    place = Path(text)
    os.environ |= {DATA_VARIABLE: str(place / "kept" / "data"), RUNS_VARIABLE: str(place / "kept" / "runs")}
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (_MOST_BYTES, -1))
    with (place / "where.txt").open("w+") as where:
        faulthandler.enable(where)
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)  # decoders print their complaints about a file
        os.dup2(silence, 2)
        reader = READERS[kind]()
        connection.send("ready")
        while True:
            try:
                given = Path(connection.recv())
            except EOFError:
                return
            kept = emptied(place / "kept")
            (kept / "job").mkdir()
            where.seek(0)
            where.truncate()
            faulthandler.dump_traceback_later(LIMIT_SECONDS * 0.8, file=where)
            began = time.process_time()
            try:
                reader(given, kept)
                outcome = READ
            except FerError:
                outcome = REFUSED
            except BaseException:
                outcome = traceback.format_exc()
            faulthandler.cancel_dump_traceback_later()
            connection.send((outcome, time.process_time() - began, _most_bytes()))


def _most_bytes() -> int:
    """Return the peak memory of this process, if the system reports it."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would include the parent process
        text = status.read_text()
        peak, files = (int(text.partition(name)[2].split()[0]) for name in ("VmHWM:", "RssFile:"))
        return 1024 * (peak - files)
    return int(getattr(psutil.Process().memory_info(), "peak_wset", 0))


def inputs(kind: str, seed: int, count: int) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield the name and files of each input of a kind, the same for the same seed."""
    from scripts.fuzzing.changes import NAMES, changed, changed_bytes, packed
    from scripts.fuzzing.readers import UPLOAD_NAME
    from scripts.fuzzing.seeds import PHOTO, seeds_of

    seeds = seeds_of(kind)
    foreign = [
        PHOTO.read_bytes(),
        b"",
        b"%PDF-1.7\n",
        b"<html>",
        b"{}",
        b"\0" * 4096,
        b"PK\3\4",
        "text".encode("utf-16"),
    ]
    foreign += [next(iter(one.values())) for one in seeds]
    for number in range(count):
        random = Random(f"{kind} {seed} {number}")
        files = changed(random, random.choice(seeds), seeds, foreign)
        if kind == "archives":
            (name, data), *more = files.items() or [("empty.zip", b"")]
            if more or not name.endswith((".zip", ".gz", ".csv")) or random.random() < 0.3:
                name, data = "faces.zip", packed(random, files)
            if random.random() < 0.1:
                name = random.choice(NAMES) + random.choice(("", ".zip", ".csv"))
            files = {"upload": data, UPLOAD_NAME: name.encode("utf-8", "surrogatepass")}
        elif not files:
            files = {"empty": changed_bytes(random, b"")}
        yield f"{kind}-{seed}-{number}", files


def fuzz(kinds: Sequence[str], seed: int, count: int, keep: Path | None) -> int:
    """Try files of these kinds, print a table, and return the number of faults."""
    from scripts.fuzzing.readers import emptied

    tallies: dict[str, Tally] = {}
    seen: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as text:
        place = Path(text)
        for position, kind in enumerate(kinds):
            tally = tallies[kind] = Tally()
            share = count // len(kinds) + (position < count % len(kinds))
            began, worker = time.monotonic(), Worker(kind, place)
            try:
                for name, files in inputs(kind, seed, share):
                    given = emptied(place / "given")
                    for path, data in files.items():
                        (given / path).parent.mkdir(parents=True, exist_ok=True)
                        (given / path).write_bytes(data)
                    answer = worker.ask(given)
                    tally.answers.append(answer)
                    if answer.is_fault:
                        seen[answer.place] += 1
                        _tell(name, answer, seen[answer.place], given, keep)
            finally:
                worker.close()
            tally.seconds = time.monotonic() - began
    print(HEADER, *(tally.line(kind) for kind, tally in tallies.items()), sep="\n")
    for fault, times in seen.most_common():
        print(f"{times:5} × {fault}")
    return seen.total()


def _tell(name: str, answer: Answer, times: int, given: Path, keep: Path | None) -> None:
    if times == 1:
        print(f"{name}:\n{answer.outcome}\n", flush=True)
    if keep:
        # The reader's changes to its input may be part of the fault, but the input is what is needed.
        shutil.copytree(given, keep / name, dirs_exist_ok=True)
        (keep / f"{name}.txt").write_text(answer.outcome)


def try_again(folders: Sequence[Path]) -> int:
    """Read kept folders again, and print the outcomes; return the number of faults."""
    faults = 0
    with tempfile.TemporaryDirectory(prefix="fuzz-", ignore_cleanup_errors=True) as text:
        for folder in folders:
            given = Path(text) / "given"
            shutil.rmtree(given, ignore_errors=True)
            shutil.copytree(folder, given)
            worker = Worker(folder.name.partition("-")[0], Path(text))
            answer = worker.ask(given)
            worker.close()
            print(f"{folder.name}: {answer.outcome}  {answer.seconds:.2f} s, {answer.most_bytes / 1e6:,.0f} MB")
            faults += answer.is_fault
    return faults


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0, help="seed of the changes (0)")
    parser.add_argument("--count", type=int, default=2000, metavar="N", help="number of files, over all kinds (2000)")
    parser.add_argument("--kind", choices=(*KINDS, "all"), default="all", help="kind of files (all)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="store the inputs of faults there, a folder each")
    parser.add_argument("--try", dest="again", type=Path, nargs="+", metavar="FOLDER", help="only repeat kept inputs")
    options = parser.parse_args(arguments)
    if options.again:
        return int(try_again(options.again) > 0)
    kinds = KINDS if options.kind == "all" else (options.kind,)
    return int(fuzz(kinds, options.seed, options.count, options.keep) > 0)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # scripts are not in the installed package
    sys.exit(main())
