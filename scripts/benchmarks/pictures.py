"""Measure photos and single frames: `python scripts/benchmark.py`."""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median_high
from timeit import repeat as timed
from typing import TYPE_CHECKING, Any

from fer.jobs.process import available_cores

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer

WEBCAM_SMALLEST_FACE = 0.125
"""A webcam frame is searched for faces of at least an eighth of its height, at half its size."""
IMPORTS = ("onnxruntime", "torch", "torchvision", "facenet_pytorch", "streamlit")


def measure(checkpoint: Path, threads: int = 1, repeat: int = 30) -> dict[str, Any]:
    """Frames of 640×480 with one face and with four, as for one viewer of a server.

    Detector and network together, the detector alone, the network for each face, and start-up times; medians. In ONNX
    Runtime, if the model was exported, and in torch; with the webcam's settings and precision.
    """
    from fer.model.classifier import AUTO, TORCH
    from fer.recognition.recognizer import Recognizer
    from scripts.benchmarks.detector import features

    figures: dict[str, Any] = {"processor": features()}
    for runtime in (AUTO, TORCH):
        began = time.perf_counter()
        recognizer = Recognizer.load(checkpoint, runtime=runtime, threads=threads or available_cores())
        name = recognizer.classifier.network.runtime.partition(",")[0]
        figures[f"{name}: load detector and model (s)"] = time.perf_counter() - began
        figures |= {f"{name}, {what}": figure for what, figure in _figures(recognizer, repeat).items()}
    return figures | {f"import {name} (s)": seconds for name, seconds in _start_times().items()}


def _figures(recognizer: "Recognizer", repeat: int) -> dict[str, float]:
    from scripts.benchmarks.live import moving_photo

    figures, webcam = {}, recognizer.for_video()
    for count in (1, 4):
        frame = moving_photo(count)(0)
        detections = recognizer.detect(frame, WEBCAM_SMALLEST_FACE)
        if len(detections) != count:
            raise RuntimeError(f"expected {count} faces in the example frame, found {len(detections)}")
        measured: dict[str, Callable[[], object]] = {
            "detector + network, webcam setting": partial(webcam.recognize, frame, WEBCAM_SMALLEST_FACE),
            "detector alone, webcam setting": partial(recognizer.detect, frame, WEBCAM_SMALLEST_FACE),
            "crop + network, webcam setting": partial(webcam.classify, frame, detections),
            "crop + network": partial(recognizer.classify, frame, detections),
            "detector + network, photo setting": partial(recognizer.recognize, frame),
        }
        for name, call in measured.items():
            seconds = timed(call, repeat=repeat + 3, number=1)[3:]  # the first three are warm-up
            figures[f"{count} face{'s' * (count > 1)}: {name} (ms)"] = 1000 * median_high(seconds)
    return figures


def _start_times() -> dict[str, float]:
    """Return the duration of each import in a fresh interpreter, in seconds."""
    code = "import sys, time; t = time.perf_counter(); __import__(sys.argv[1]); print(time.perf_counter() - t)"
    command = [sys.executable, "-c", code]
    return {name: float(subprocess.check_output([*command, name], stderr=subprocess.DEVNULL)) for name in IMPORTS}
