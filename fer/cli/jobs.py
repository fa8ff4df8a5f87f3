"""Manage background jobs: training runs, evaluations, many photos, videos.

    fer-studio jobs list runs
    fer-studio jobs resume runs/faces
    fer-studio jobs stop runs/faces

A job is a folder, such as runs/faces.
"""

import argparse
import contextlib
import importlib
import sys
from pathlib import Path
from typing import Any, Protocol

from fer.cli.command import STOPPED_CODE, ProgressBar, Stop, command_parser, say, tells_errors
from fer.errors import JobError
from fer.jobs import job
from fer.jobs.job import Kind
from fer.jobs.status import FINISHED, Reporter, Watcher
from fer.names import printable

KINDS = {
    "training": "fer.training.job",
    "evaluation": "fer.evaluation.job",
    "collection": "fer.collection.job",
    "video": "fer.cli.video_job",
}
"""The kind in config.json → the module that handles it. No other module is ever imported for a folder."""


class JobModule(Protocol):
    """What the module of a kind provides."""

    KIND: Kind[Any]

    def run(self, folder: Path, request: Any, reporter: Reporter, stop: job.Stop, threads: int | None) -> None:
        """Do the requested work, or what is left of it, in this process.

        Progress goes to `reporter.say`. A request to stop raises KeyboardInterrupt. A job that has something to finish
        first sets `stop.gently`, checks `stop.asked` regularly, and then calls `reporter.set(STOPPED)`.
        """


def module_of(folder: Path) -> JobModule:
    """Return the module that handles a job's kind.

    Raises:
        JobError: the folder holds no job, or one of an unknown kind.
    """
    name = job.kind_of(folder)
    for kind in KINDS if name is None else KINDS.keys() & {name}:
        module: Any = importlib.import_module(KINDS[kind])
        with contextlib.suppress(*([JobError] if name is None else [])):  # earlier versions did not name the kind
            job.read_request(folder, module.KIND)
            return module
    raise JobError(
        f"expected a job of the kind {', '.join(KINDS)} in {folder}, found {name or 'none'}. Check the path."
    )


def work(folder: Path, threads: int | None, watcher: Watcher | None = None) -> int:
    """Run a job, or what is left of it, in this process; return the exit code.

    Raises:
        FerError: the job failed; its status says so, too.
    """
    module = module_of(folder)
    request = job.read_request(folder, module.KIND)
    try:
        with Stop() as stop, job.working(folder, watcher) as reporter:
            module.run(folder, request, reporter, stop, threads)
    except KeyboardInterrupt:
        return STOPPED_CODE
    return 0 if reporter.status.state == FINISHED else STOPPED_CODE


def resume(folder: Path, threads: int | None, background: bool) -> int:
    """Resume a job, here with a progress bar or in a background process; return the exit code."""
    kind = module_of(folder).KIND
    if background:
        job.start(folder, kind, threads)
        return 0
    seen = job.view(folder, kind)
    if seen.active or seen.state == FINISHED:
        raise JobError(f"expected a job that was stopped or interrupted, but {seen.name} is {seen.state}.")
    with ProgressBar() as bar:
        return work(folder, threads, bar)


def list_jobs(place: Path) -> None:
    """Print a line for each job in a folder: its kind, state, progress and path."""
    listed = set()
    for name, module in KINDS.items():
        for seen in job.views(place, importlib.import_module(module).KIND):
            if seen.folder not in listed:  # a damaged one may be of any kind
                share = f"{100 * seen.status.share:.0f} %" if seen.status.total else ""
                shown = name if seen.request else job.kind_of(seen.folder) or "?"
                say(f"{printable(shown):10}  {seen.state:11}  {share:>5}  {printable(str(seen.folder))}")
            listed.add(seen.folder)


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command_parser("jobs", __doc__, arguments)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shown = commands.add_parser("list", help="list the jobs in a folder")
    shown.add_argument("place", type=Path, metavar="PLACE", help="runs, data/collections, …")
    resumed = commands.add_parser("resume", help="resume a job that was stopped, interrupted or failed")
    resumed.add_argument("--background", action="store_true", help="run in the background and return at once")
    worker = commands.add_parser("run")  # what a background process runs; undocumented
    stopped = commands.add_parser("stop", help="stop a job and keep what is done")
    deleted = commands.add_parser("delete", help="delete a job with everything in its folder")
    for command in (resumed, worker, stopped, deleted):
        command.add_argument("folder", type=Path, metavar="FOLDER")
    for command in (resumed, worker):
        command.add_argument("--threads", type=int, metavar="N", help="CPU threads")
    return parser.parse_args(arguments)


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Run the command; return the exit code: 0 done, 1 failed, 130 stopped."""
    options = parse_arguments(arguments)
    match options.command:
        case "list":
            list_jobs(options.place)
        case "run":
            return work(options.folder, options.threads)
        case "resume":
            return resume(options.folder, options.threads, options.background)
        case "stop":
            job.stop(options.folder, module_of(options.folder).KIND)
        case "delete":
            job.delete(options.folder, module_of(options.folder).KIND)
    return 0


if __name__ == "__main__":
    sys.exit(main())
