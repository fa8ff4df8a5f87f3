"""Many pictures on many machines: the same pipeline in workers of Ray Data (docs.ray.io), an optional dependency.

The driver distributes paths, which must be valid on all machines, and collects results, which it writes to the results
file as they arrive. Ray reassigns the pictures of a worker that died. Results that arrive twice are ignored, missing
ones at the end are an error; so nothing is lost or duplicated, and results that a dead driver had collected are not
computed again.
"""

import json
import logging
import os
import socket
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fer
from fer.errors import CollectionError
from fer.model.checkpoint import weights_file
from fer.model.classifier import AUTO
from fer.model.onnx_network import export_path
from fer.model.prior import EVERYDAY
from fer.records import from_plain, to_plain
from fer.results.journal import Finished, PictureTask

if TYPE_CHECKING:
    from ray.data import Dataset

LOCAL = "local"
"""Instead of a cluster's address: a temporary Ray on this machine."""
BATCH_PICTURES = 16
"""Pictures sent to a worker at once, and repeated if it dies."""


def recognize_with_ray(
    pictures: Sequence[PictureTask],
    checkpoint: Path,
    device: str = "cpu",
    faces: str = EVERYDAY,
    runtime: str = AUTO,
    address: str = LOCAL,
    workers: int | None = None,
) -> Iterator[Finished]:
    """Recognize pictures and yield each one once, when it is done, in any order; annotated copies are written if asked.

    The workers open the paths, and receive the model with its export. The address is `LOCAL`, or that of a running Ray:
    "host:6379", "ray://host:10001", "auto". A worker is a process; by default there is one per core, or per GPU if
    those are used.

    Raises:
        CollectionError: Ray is not installed, the cluster is unreachable, or the job failed.
    """
    _check_reachable(address)
    try:
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # relevant errors are raised, too
        import ray
        from ray.exceptions import RayError
    except ImportError as error:
        raise CollectionError(
            f'expected Ray for this engine, found none ({error}). Install it: pip install "ray[data]"'
        ) from error
    # Workers on other machines do not know this process's working folder.
    left = {
        replace(one, path=one.path.absolute(), output=one.output and one.output.absolute()): one for one in pictures
    }
    wanted = list(left)
    try:
        _connect(address, workers)
        try:
            weights = weights_file(checkpoint)
            names = dict.fromkeys((checkpoint, weights, export_path(weights)))
            files = {file.name: file.read_bytes() for file in names if file.is_file()}
            model = {
                "files": ray.put(files), "name": checkpoint.name, "device": device, "faces": faces, "runtime": runtime
            }  # fmt: skip
            for row in _results(wanted, model, workers).iter_rows():
                finished = Finished.from_dict(json.loads(row["finished"]))
                picture = left.pop(finished.picture, None)
                if picture:
                    yield replace(finished, picture=picture)
        finally:
            ray.shutdown()
    except (RayError, RuntimeError, ValueError, OSError) as error:  # Ray raises various errors for addresses
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise CollectionError(
            f"Ray failed with {len(left):,} of {len(pictures):,} pictures left: {reason[-1]} "
            "Run the same command again to resume."
        ) from error
    if left:
        raise CollectionError(
            f"Ray returned {len(pictures) - len(left):,} of {len(pictures):,} pictures, without an error for the "
            f"others, such as {next(iter(left)).name}. Run the same command again for them."
        )


def _check_reachable(address: str) -> None:
    """Raise CollectionError if nobody listens; Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise CollectionError(
            f"expected a running Ray at {address}, found none ({error}). Check the address."
        ) from error


def _connect(address: str, workers: int | None) -> None:
    import ray.data

    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    # Workers import this code, whatever is installed there.
    options["runtime_env"] = {"py_modules": [str(Path(fer.__file__).parent)]}
    if address == LOCAL:
        options |= {
            "num_cpus": workers or os.cpu_count(),
            "object_store_memory": 2**28,  # paths and results are small, and pictures are never stored
            "include_dashboard": False,
        }
    ray.init(address, **options)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False  # we show our own


def _results(pictures: Sequence[PictureTask], model: dict[str, Any], workers: int | None) -> "Dataset":
    """Return the workers' results: rows with `Finished` as JSON."""
    import ray

    on_gpu = model["device"].startswith("cuda")
    there_are = int(ray.cluster_resources().get("GPU" if on_gpu else "CPU", 1))
    workers = min(workers or max(there_are, 1), len(pictures))
    # At least four batches per worker, so that nobody waits long for the last one.
    size = max(min(BATCH_PICTURES, len(pictures) // (4 * workers)), 1)
    # JSON, because Arrow cannot store names that are not UTF-8 as text.
    rows = [{"picture": json.dumps(to_plain(one))} for one in pictures]
    return ray.data.from_items(rows, override_num_blocks=-(-len(rows) // size)).map_batches(
        _Worker,
        fn_constructor_kwargs=model,
        compute=ray.data.ActorPoolStrategy(size=workers),
        batch_size=None,  # a block at a time
        num_cpus=1,
        num_gpus=int(on_gpu),
    )


class _Worker:
    """One process: a recognizer, and the pipeline with one thread."""

    def __init__(self, files: Any, name: str, device: str, faces: str, runtime: str) -> None:
        import ray

        from fer.recognition.recognizer import Recognizer

        with tempfile.TemporaryDirectory() as folder:
            for file, content in ray.get(files).items():
                (Path(folder) / file).write_bytes(content)
            self.recognizer = Recognizer.load(Path(folder) / name, device, faces, runtime, threads=1)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Recognize a batch of pictures: a column of `PictureTask` → a column of `Finished`, both as JSON."""
        from fer.collection.pipeline import recognize_pictures, write_whole

        pictures = [from_plain(json.loads(one), PictureTask) for one in batch["picture"]]
        unsure_below = self.recognizer.info.unsure_below
        finish = partial(write_whole, unsure_below) if any(picture.output for picture in pictures) else None
        done = recognize_pictures(self.recognizer, pictures, finish, workers=1)
        return {"finished": [json.dumps(finished.to_dict()) for finished in done]}
