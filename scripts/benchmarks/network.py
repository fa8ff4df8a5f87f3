"""The network in ONNX Runtime compared with torch: `python scripts/benchmark.py network`."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fer.model.classifier import ONNX, TORCH, Classifier
from scripts.benchmarks.detector import features, in_turns


def measure(checkpoint: Path, repeat: int = 50) -> dict[str, Any]:
    """The network alone, on one thread, for one face and for four at once, alternately; medians.

    In torch and in ONNX Runtime, in float32 and in the webcam's reduced precision, see `Classifier.reduced`.
    """
    whole = [Classifier.load(checkpoint, runtime=runtime, threads=1).network for runtime in (TORCH, ONNX)]
    networks = list(dict.fromkeys(one for network in whole for one in (network, network.reduced())))
    preprocessing = Classifier.load(checkpoint, runtime=ONNX).info.preprocessing
    figures: dict[str, Any] = {"processor": features()}
    for count in (1, 4):
        shape = (count, preprocessing.channels, preprocessing.size_px, preprocessing.size_px)
        pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
        times = in_turns([partial(network.logits, pixels) for network in networks], repeat, time.thread_time)
        names = [network.runtime for network in networks]
        figures[f"{count} face{'s' * (count > 1)} (ms)"] = dict(zip(names, times, strict=True))
    return figures
