"""Measure how fast this machine is; run it on an idle one.

    python scripts/benchmark.py                                  pictures: photos and a webcam's frames
    python scripts/benchmark.py live --dataset data/ferplus      the engine of the webcam page
    python scripts/benchmark.py video --seconds 600              a video file
    python scripts/benchmark.py folder                           many photos at once
    python scripts/benchmark.py detector                         finding faces, beside facenet-pytorch
    python scripts/benchmark.py training --dataset data/ferplus  the training loop
    python scripts/benchmark.py page                             the evaluation page in Chromium

`MEASURE --help` says what is measured, and lists the options of each.
"""

import argparse
import inspect
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fer.errors import FerError
from fer.model import DEFAULT_CHECKPOINT, model_file

Figures = dict[str, Any]
"""Name with unit → figure."""


def pictures(checkpoint: Path, threads: int = 1, repeat: int = 30) -> Figures:
    """Frames of 640×480 with one face and with four, as a viewer's share of a server.

    Detector and network together, the detector alone, the network for each face, and the times to start; medians.
    """
    from scripts.benchmarks.pictures import measure_pictures

    return measure_pictures(checkpoint, repeat, threads)


def live(checkpoint: Path, threads: int = 1, seconds: float = 10, dataset: str = "") -> Figures:
    """The engine of the webcam page.

    Its rates with one face and four, for three viewers at once; whether people keep their numbers and labels are
    steady. With a data set its faces are shown for the latter, else drawn people.
    """
    import torch

    from fer.datasets import open_dataset
    from fer.draw.frame import draw_live
    from scripts.benchmarks.live import measure_live

    torch.set_num_threads(threads or torch.get_num_threads())
    return measure_live(checkpoint, seconds, draw_live, open_dataset(dataset) if dataset else None)


def video(checkpoint: Path, threads: int = 1, seconds: float = 10) -> Figures:
    """A generated file of so many seconds, annotated video and all.

    How many times faster than it plays, the memory it takes, and whether changes are found when they happen.
    """
    import torch

    from fer.draw.frame import draw_live
    from scripts.benchmarks.video import measure_video

    torch.set_num_threads(threads or torch.get_num_threads())
    return measure_video(checkpoint, seconds, draw_live)


def folder(checkpoint: Path, threads: int = 1, repeat: int = 10, photos: int = 200) -> Figures:
    """Many generated photos at once, beside one call of predict.py for each, and beside detector and network alone."""
    from scripts.benchmarks.folder import measure_folder

    return measure_folder(checkpoint, photos, repeat, threads)


def detector(threads: int = 1, repeat: int = 50) -> Figures:
    """Finding faces, ours and facenet-pytorch's loop in turns.

    In frames of 640×480 with one face and with four, with a photo's setting and the webcam's, and in a photo of 12
    megapixels; medians, and how many times as fast ours is.
    """
    from scripts.benchmarks.detector import measure_detector

    return measure_detector(repeat, threads)


def training(
    threads: int = 0, repeat: int = 5, dataset: str = "synthetic", architecture: str = "resnet18", size: int = 48
) -> Figures:
    """The training loop, beside the bare forward, backward and step on a batch in memory, in turns."""
    import torch

    from fer.datasets import open_dataset
    from fer.model.device import choose_device
    from fer.training.config import TrainingConfig
    from scripts.benchmarks.training import measure_training

    torch.set_num_threads(threads or torch.get_num_threads())
    config = TrainingConfig((dataset,), architecture=architecture, size_px=size, progressive=False)
    return measure_training(config, open_dataset(dataset), choose_device(), repeat)


def page(repeat: int = 5) -> Figures:
    """How long the evaluation page takes in Chromium until its figures and its matrix are drawn.

    For the first visitor, with an empty cache, and from the cache.
    """
    from scripts.benchmarks.opening import measure_opening

    return {**measure_opening(repeat)}


MEASURES: dict[str, Callable[..., Figures]] = {
    measure.__name__: measure for measure in (pictures, live, video, folder, detector, training, page)
}
OPTIONS: dict[str, tuple[str, str]] = {
    "checkpoint": ("FILE", "model file, or shipped or shipped-fer2013 (shipped)"),
    "threads": ("N", "of torch; 0: all"),
    "repeat": ("N", "how often"),
    "seconds": ("N", "how long"),
    "photos": ("N", "how many"),
    "dataset": ("PATH", "whose faces"),
    "architecture": ("NAME", "which network"),
    "size": ("PX", "of the faces"),
}
"""What each argument of a measure is called and does on the command line."""


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    """Read the command line; without a measure's name, `pictures` is meant."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    commands = parser.add_subparsers(dest="what", metavar="MEASURE", required=True)
    for name, measure in MEASURES.items():
        text = inspect.getdoc(measure) or ""
        command = commands.add_parser(name, help=text.splitlines()[0], description=text, formatter_class=plain)
        command.add_argument("--json", action="store_true", help="print JSON instead of a table")
        for option, parameter in inspect.signature(measure).parameters.items():
            default = DEFAULT_CHECKPOINT if parameter.default is parameter.empty else parameter.default
            kind = model_file if option == "checkpoint" else type(default)
            metavar, meaning = OPTIONS[option]
            shown = "" if option == "checkpoint" or default == "" else f" ({default})"
            command.add_argument(f"--{option}", type=kind, default=default, metavar=metavar, help=meaning + shown)
    named = arguments and arguments[0] in (*MEASURES, "-h", "--help")
    return parser.parse_args(arguments if named else ["pictures", *arguments])


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; return the exit code."""
    options = vars(parse_arguments(sys.argv[1:] if arguments is None else arguments))
    what, as_json = options.pop("what"), options.pop("json")
    try:
        figures = MEASURES[what](**options)
    except FerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(figures, indent=1))
        return 0
    import torch

    machine, threads = platform.processor() or platform.machine(), options.get("threads", 1) or torch.get_num_threads()
    print(f"{machine}, Python {platform.python_version()}, {threads} thread(s)")
    decimals = 2 if what == "page" else 1
    width = max(map(len, figures))
    for name, value in figures.items():
        print(f"{name:{width}} {value:8.{decimals}f}" if isinstance(value, float) else f"{name:{width}} {value:>8}")
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))  # scripts and pages are no modules of the installed package
    sys.exit(main())
