"""The process that does a job of the page: python -m fer.collection.work FOLDER."""

import argparse
import json
import sys
import time
from functools import partial
from pathlib import Path

from fer.collection.jobs import find
from fer.errors import CollectionError, FerError
from fer.files import file_sha256, write_atomically
from fer.results.journal import open_results

EVERY_SECONDS = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Do what is missing of a job; return the exit code: 1 if it cannot go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int)
    options = parser.parse_args(arguments)
    try:
        do(options.folder, options.workers)
    except (FerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def do(folder: Path, workers: int | None = None) -> None:
    """Recognize the pictures of a job that are missing, say how far it is, and write it all down.

    Raises:
        FerError: there is no such job, its model cannot be read, or somebody else does it.
        OSError: the disk is full.
    """
    from fer.collection.copies import write_preview
    from fer.collection.pipeline import recognize_pictures
    from fer.recognition.recognizer import Recognizer

    job = find(folder.parent, folder.name)
    if job is None:
        raise CollectionError(f"expected a job, found none at {folder}.")
    pictures = job.pictures()
    with open_results(job.results_path, pictures, file_sha256(job.checkpoint)) as known:
        missing = known.missing()
        progress = _Progress(job.progress_path, len(pictures), len(missing))
        recognizer = Recognizer.load(job.checkpoint, faces=job.faces)
        finish = partial(write_preview, recognizer.info)
        for finished in recognize_pictures(recognizer, missing, finish, workers):
            known.add(finished)
            progress.step()
        progress.end()


class _Progress:
    """Says at most twice a second how far a job is and how long it will take."""

    def __init__(self, path: Path, total: int, missing: int) -> None:
        self.path = path
        self.total = total
        self.missing = missing
        self.steps = 0
        self.began = self.written = time.monotonic()
        self._write()

    def step(self) -> None:
        """Take in a picture."""
        if not self.steps:
            self.began = time.monotonic()  # the first one took the start of everything with it
        self.steps += 1
        if time.monotonic() - self.written > EVERY_SECONDS:
            self._write()

    def end(self) -> None:
        """Say that all is done."""
        self._write(finished=True)

    def _write(self, finished: bool = False) -> None:
        self.written = time.monotonic()
        left = self.missing - self.steps
        record: dict[str, float] = {"done": self.total - left, "total": self.total, "finished": finished}
        if self.steps > 1:
            record["seconds_left"] = (self.written - self.began) / (self.steps - 1) * left
        write_atomically(self.path, json.dumps(record), durable=False)


if __name__ == "__main__":
    sys.exit(main())
