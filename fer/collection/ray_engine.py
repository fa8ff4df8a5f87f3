"""Many pictures on many machines: the same pipeline in workers of Ray Data (docs.ray.io), an optional dependency.

The driver hands out paths, which all machines must know under the same name, and takes in results, which it writes to
the results file as they come. Ray gives the pictures of a worker that died to another one. Should it hand in a picture
twice, the second one is passed over; should a picture be missing at the end, that is an error. So nothing is lost and
nothing is doubled, and what a driver that died had taken in is not done again.
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
from fer.model.onnx_network import form_path
from fer.model.prior import EVERYDAY
from fer.records import from_plain, to_plain
from fer.results.journal import Finished, PictureTask

if TYPE_CHECKING:
    from ray.data import Dataset

LOCAL = "local"
"""Instead of a cluster's address: a Ray of its own on this machine, gone at the end."""
BATCH_PICTURES = 16
"""So many go to a worker at once, and are done again if it dies."""


def recognize_with_ray(
    pictures: Sequence[PictureTask],
    checkpoint: Path,
    device: str = "cpu",
    faces: str = EVERYDAY,
    runtime: str = AUTO,
    address: str = LOCAL,
    workers: int | None = None,
) -> Iterator[Finished]:
    """Recognize pictures and yield each one once, when it is done, in any order; annotated copies are written as asked.

    The workers open the paths, and get the model with its exported form. The address is `LOCAL`, or that of a running
    Ray: "host:6379", "ray://host:10001", "auto". There is a worker, a process, for each core, or graphics card where
    those are used, if not given.

    Raises:
        CollectionError: Ray is not installed, the cluster is out of reach, or the job was broken off.
    """
    _check_reachable(address)
    try:
        os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what concerns us is raised, too
        import ray
        from ray.exceptions import RayError
    except ImportError as error:
        raise CollectionError(
            f'expected Ray for this engine, found none ({error}). Install it with: pip install "ray[data]"'
        ) from error
    # Workers elsewhere know nothing of this process' folder.
    left = {
        replace(one, path=one.path.absolute(), output=one.output and one.output.absolute()): one for one in pictures
    }
    wanted = list(left)
    try:
        _connect(address, workers)
        try:
            weights = weights_file(checkpoint)
            names = dict.fromkeys((checkpoint, weights, form_path(weights)))
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
    except (RayError, RuntimeError, ValueError, OSError) as error:  # it says anything of addresses
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise CollectionError(
            f"Ray broke off with {len(left):,} of {len(pictures):,} pictures to go: {reason[-1]} "
            "The same command goes on where it stopped."
        ) from error
    if left:
        raise CollectionError(
            f"Ray handed in {len(pictures) - len(left):,} of {len(pictures):,} pictures, without a word about the "
            f"others, such as {next(iter(left)).name}. The same command does them."
        )


def _check_reachable(address: str) -> None:
    """Raise CollectionError where nobody listens; Ray itself would try for minutes."""
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
    # What the workers import is this code, whatever is installed there.
    options["runtime_env"] = {"py_modules": [str(Path(fer.__file__).parent)]}
    if address == LOCAL:
        options |= {
            "num_cpus": workers or os.cpu_count(),
            "object_store_memory": 2**28,  # paths and results are small, pictures never lie in it
            "include_dashboard": False,
        }
    ray.init(address, **options)
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False  # there is one already


def _results(pictures: Sequence[PictureTask], model: dict[str, Any], workers: int | None) -> "Dataset":
    """Return what workers say that are made with `model`: rows with `Finished` as JSON."""
    import ray

    on_gpu = model["device"].startswith("cuda")
    there_are = int(ray.cluster_resources().get("GPU" if on_gpu else "CPU", 1))
    workers = min(workers or max(there_are, 1), len(pictures))
    # At least four batches a worker, so that nobody waits long for the last one.
    size = max(min(BATCH_PICTURES, len(pictures) // (4 * workers)), 1)
    # JSON, as Arrow has no text for names that are not UTF-8.
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
