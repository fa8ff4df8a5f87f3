"""Measure how fast this machine is.

    python scripts/benchmark.py
    python scripts/benchmark.py live --dataset data/ferplus
    python scripts/benchmark.py video --seconds 600
    python scripts/benchmark.py training --dataset data/ferplus
    python scripts/benchmark.py page
    python scripts/benchmark.py folder

Frames of 640×480 with one face and with four, on one thread, as a viewer's share of a server: detector and network
together, the detector alone, the network for each face, and the times to start. Medians; run it on an idle machine.
With `live` the engine of the webcam page instead: its rates with one face and four, for three viewers at once, whether
people keep their numbers and labels are steady. With `video` a generated file, annotated video and all: how many times
faster than it plays, the memory it takes, and whether changes are found when they happen. With `folder` many generated
photos at once, beside one call of predict.py for each, and beside the detector and the network alone. With `training`
the training loop beside the bare forward, backward and step of the same network on a batch in memory, in turns. With
`page` how long the evaluation page takes in Chromium until its figures and its matrix are drawn: for the first visitor,
with an empty cache, and from the cache.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from fer.cli.arguments import add_checkpoint_argument
from fer.errors import FerError

WEBCAM_SMALLEST_FACE = 0.125
"""A webcam's frame is searched for faces of an eighth of its height and more, which is done at half its size."""

IMPORTS = ("torch", "torchvision", "facenet_pytorch", "streamlit")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = tuple(_MEASURES)
    parser.add_argument("what", nargs="?", choices=what, default="pictures", help="(pictures)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=10,
        metavar="N",
        help="live: how long speeds are measured; video: how long the clip is (10)",
    )
    add_checkpoint_argument(parser)
    parser.add_argument("--threads", type=int, metavar="N", help="(1; training: all)")
    parser.add_argument("--repeat", type=int, metavar="N", help="how often (30; training, page: 5; folder: 10)")
    parser.add_argument("--photos", type=int, default=200, metavar="N", help="folder: how many (200)")
    parser.add_argument(
        "--dataset",
        metavar="PATH",
        help="live: known faces for steady labels (drawn people); training: on what (synthetic)",
    )
    parser.add_argument("--architecture", default="resnet18", metavar="NAME", help="training: which network (resnet18)")
    parser.add_argument("--size", type=int, default=48, metavar="PX", help="training: size of the faces (48)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    options = parse_arguments(arguments)
    try:
        figures = _MEASURES[options.what](options)
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        machine = platform.processor() or platform.machine()
        print(f"{machine}, Python {platform.python_version()}, {options.threads or 1} thread(s)")
        decimals = 2 if options.what == "page" else 1
        width = max(map(len, figures))
        for name, value in figures.items():
            print(f"{name:{width}} {value:8.{decimals}f}" if isinstance(value, float) else f"{name:{width}} {value:>8}")
    return 0


def _live(options: argparse.Namespace) -> dict[str, Any]:
    import torch

    from fer.datasets import open_dataset
    from fer.draw.frame import draw_live
    from scripts.benchmarks.live import measure_live

    torch.set_num_threads(options.threads or 1)
    faces = open_dataset(options.dataset) if options.dataset else None
    return measure_live(options.checkpoint, options.seconds, draw_live, faces)


def _video(options: argparse.Namespace) -> dict[str, Any]:
    import torch

    from fer.draw.frame import draw_live
    from scripts.benchmarks.video import measure_video

    torch.set_num_threads(options.threads or 1)
    return measure_video(options.checkpoint, options.seconds, draw_live)


def _training(options: argparse.Namespace) -> dict[str, Any]:
    import torch

    from fer.datasets import open_dataset
    from fer.model.device import choose_device
    from fer.training.config import TrainingConfig
    from scripts.benchmarks.training import measure_training

    if options.threads:
        torch.set_num_threads(options.threads)
    options.threads = torch.get_num_threads()
    path = options.dataset or "synthetic"
    config = TrainingConfig((path,), architecture=options.architecture, size_px=options.size, progressive=False)
    return measure_training(config, open_dataset(path), choose_device(), options.repeat or 5)


def _page(options: argparse.Namespace) -> dict[str, Any]:
    from scripts.benchmarks.opening import measure_opening

    return {**measure_opening(options.repeat or 5)}


def _folder(options: argparse.Namespace) -> dict[str, Any]:
    from scripts.benchmarks.folder import measure_folder

    return measure_folder(options.checkpoint, options.photos, options.repeat or 10, options.threads or 1)


def _pictures(options: argparse.Namespace) -> dict[str, Any]:
    starts, began = _start_times(), time.perf_counter()

    import torch

    from fer.model.classifier import Classifier
    from fer.recognition.detector import FaceDetector
    from fer.recognition.recognizer import Recognizer
    from scripts.benchmarks.live import moving_photo

    torch.set_num_threads(options.threads or 1)
    recognizer = Recognizer(FaceDetector(), Classifier.load(options.checkpoint))
    figures: dict[str, Any] = {"load torch, detector and model (s)": time.perf_counter() - began}
    for count in (1, 4):
        frame = moving_photo(count)(0)
        detections = recognizer.detect(frame, WEBCAM_SMALLEST_FACE)
        if len(detections) != count:
            raise RuntimeError(f"expected {count} faces in the example frame, found {len(detections)}")
        measured: dict[str, Callable[[], object]] = {
            "detector + network, webcam setting": partial(recognizer.recognize, frame, WEBCAM_SMALLEST_FACE),
            "detector alone, webcam setting": partial(recognizer.detect, frame, WEBCAM_SMALLEST_FACE),
            "crop + network": partial(recognizer.classify, frame, detections),
            "detector + network, photo setting": partial(recognizer.recognize, frame),
        }
        for name, call in measured.items():
            figures[f"{count} face{'s' * (count > 1)}: {name} (ms)"] = _median_ms(call, options.repeat or 30)
    return figures | {f"import {name} (s)": seconds for name, seconds in starts.items()}


def _median_ms(call: Callable[[], object], repeat: int) -> float:
    times = []
    for _ in range(repeat + 3):
        began = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - began))
    return sorted(times[3:])[repeat // 2]  # the first three warm up


def _start_times() -> dict[str, float]:
    """Return how long each import takes in a fresh interpreter, in seconds."""
    code = "import sys, time; t = time.perf_counter(); __import__(sys.argv[1]); print(time.perf_counter() - t)"
    return {
        name: float(
            subprocess.run([sys.executable, "-c", code, name], capture_output=True, text=True, check=True).stdout
        )
        for name in IMPORTS
    }


_MEASURES = {
    "pictures": _pictures,
    "live": _live,
    "video": _video,
    "folder": _folder,
    "training": _training,
    "page": _page,
}

if __name__ == "__main__":
    sys.exit(main())
