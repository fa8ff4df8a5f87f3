"""Measure photos and single frames: `python scripts/benchmark.py`."""

import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fer.jobs.process import available_cores
from fer.model.classifier import AUTO, TORCH, Classifier
from fer.recognition.detector import FaceDetector
from fer.recognition.recognizer import Recognizer
from fer.video.settings import VideoSettings

IMPORTS = ("onnxruntime", "torch", "torchvision", "facenet_pytorch", "streamlit")


def measure(checkpoint: Path, threads: int = 1, repeat: int = 30) -> dict[str, Any]:
    """Frames of 640×480 with one face and with four, as for one viewer of a server.

    Detector and network together, the detector alone, the network for each face, and import times; medians. In ONNX
    Runtime, if the model was exported, with our detector and the network in torch, and with facenet-pytorch's detector
    and torch, alternately; with the webcam's settings and precision.
    """
    from fer.recognition.facenet import FacenetMtcnn
    from scripts.benchmarks.detector import features

    threads = threads or available_cores()
    ours = [Recognizer.load(checkpoint, runtime=runtime, threads=threads) for runtime in (AUTO, TORCH)]
    ways = {one.classifier.network.runtime.partition(",")[0]: one for one in ours}
    in_torch = Classifier.load(checkpoint, runtime=TORCH, threads=threads)
    ways["facenet-pytorch and torch"] = Recognizer(FaceDetector(mtcnn=FacenetMtcnn()), in_torch)
    figures = {"processor": features()} | _figures(ways, repeat)
    return figures | {f"import {name} (s)": seconds for name, seconds in _start_times().items()}


def _figures(ways: dict[str, Recognizer], repeat: int) -> dict[str, dict[str, float]]:
    """Return a row for each measure, with a column for each way to recognize faces."""
    from scripts.benchmarks.detector import in_turns
    from scripts.benchmarks.live import moving_photo

    figures, smallest_face = {}, VideoSettings.smallest_face
    for count in (1, 4):
        frame = moving_photo(count)(0)
        measured: dict[str, list[Callable[[], object]]] = {}
        for name, recognizer in ways.items():
            detections, webcam = recognizer.detect(frame, smallest_face), recognizer.for_video()
            if len(detections) != count:
                raise RuntimeError(f"expected {count} faces in the example frame, found {len(detections)} with {name}")
            calls: dict[str, Callable[[], object]] = {
                "detector + network, webcam setting": partial(webcam.recognize, frame, smallest_face),
                "detector alone, webcam setting": partial(recognizer.detect, frame, smallest_face),
                "crop + network, webcam setting": partial(webcam.classify, frame, detections),
                "crop + network": partial(recognizer.classify, frame, detections),
                "detector + network, photo setting": partial(recognizer.recognize, frame),
            }
            for what, call in calls.items():
                measured.setdefault(what, []).append(call)
        for what, ways_calls in measured.items():
            times = in_turns(ways_calls, repeat, time.perf_counter)
            figures[f"{count} face{'s' * (count > 1)}: {what} (ms)"] = dict(zip(ways, times, strict=True))
    return figures


def _start_times() -> dict[str, float]:
    """Return the duration of each import in a fresh interpreter, in seconds."""
    code = "import sys, time; t = time.perf_counter(); __import__(sys.argv[1]); print(time.perf_counter() - t)"
    command = [sys.executable, "-c", code]
    return {name: float(subprocess.check_output([*command, name], stderr=subprocess.DEVNULL)) for name in IMPORTS}
