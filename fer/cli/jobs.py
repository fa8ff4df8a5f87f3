"""Look after what runs in the background.

fer-studio jobs list runs/
fer-studio jobs resume runs/faces
fer-studio jobs stop runs/faces
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any, Protocol

from fer.cli.interrupt import Stop
from fer.errors import FerError, JobError
from fer.jobs.job import Kind, kind_of, read_request, working
from fer.jobs.status import Reporter

KINDS = {
    "training": "fer.training.job",
    "evaluation": "fer.evaluation.job",
    "collection": "fer.collection.job",
    "video": "fer.cli.video_job",
}
"""What config.json calls a kind → the module that knows it. Nothing else is ever imported for a folder."""
STOPPED_CODE = 130
"""Exit code after Ctrl-C, as shells have it."""


class JobModule(Protocol):
    """What the module of a kind has."""

    KIND: Kind[Any]

    def run(self, folder: Path, request: Any, reporter: Reporter, stop: Stop, threads: int | None) -> None:
        """Do what is asked for, or what is left of it, in this process.

        It says how far it is by `reporter.say`, looks at `stop.asked` now and then, and where that is set it comes to
        a good end and calls `reporter.set(STOPPED)`.
        """


def module_of(folder: Path) -> JobModule:
    """Return the module that knows the kind of a job.

    Raises:
        JobError: the folder holds no job, or one of a kind that is not known here.
    """
    name = kind_of(folder)
    for kind, module in KINDS.items():
        if name == kind or name is None:
            found: Any = importlib.import_module(module)
            if name or found.KIND.earlier(folder):
                return found
    raise JobError(
        f"expected a job of the kind {', '.join(KINDS)} in {folder}, found {name or 'none'}. Check the path."
    )


def main(arguments: list[str] | None = None) -> int:
    """Do a job in this process; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["run"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int)
    options = parser.parse_args(arguments)
    try:
        module = module_of(options.folder)
        request = read_request(options.folder, module.KIND)
        with Stop() as stop, working(options.folder) as reporter:
            module.run(options.folder, request, reporter, stop, options.threads)
    except KeyboardInterrupt:
        return STOPPED_CODE
    except (FerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return STOPPED_CODE if stop.asked else 0


if __name__ == "__main__":
    sys.exit(main())
