"""How large a model is, and how long a face takes on one thread."""

import platform
import time
from pathlib import Path
from statistics import median

import numpy as np

from fer.evaluation.figures import Speed
from fer.model.checkpoint import count_parameters
from fer.model.classifier import Classifier

REPEATS = 50
_WARM_UP = 5
_CROP_PX = 160
"""Side of the crop that is classified, about that of a face on a webcam's picture."""


def measure_speed(classifier: Classifier, checkpoint: Path, repeats: int = REPEATS) -> Speed:
    """Time the way of a face from its crop to the probabilities, one at a time; and look at the file."""
    with classifier.network.on_one_thread() as network:
        alone = Classifier(classifier.info, network)
        times = [_seconds(alone) for _ in range(_WARM_UP + repeats)][_WARM_UP:]
    return Speed(
        parameters=count_parameters(checkpoint),
        file_bytes=checkpoint.stat().st_size,
        milliseconds_per_face=1000 * median(times),
        repeats=repeats,
        processor=processor_name(),
    )


def processor_name() -> str:
    """Return the name of this machine's processor, as well as it is known."""
    table = Path("/proc/cpuinfo")
    if table.is_file():
        for line in table.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _seconds(classifier: Classifier) -> float:
    crop = np.full((_CROP_PX, _CROP_PX, 3), 128, np.uint8)
    began = time.perf_counter()
    classifier.probabilities(classifier.info.preprocessing.shrink(crop)[None])
    return time.perf_counter() - began
