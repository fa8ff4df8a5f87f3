"""Our detector compared with facenet-pytorch's loop: `python scripts/benchmark.py detector`.

Both process the same frames alternately, so that other load on the machine slows both. With one thread, CPU time is
measured, which excludes waiting for other programs.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch

from fer.images import shrink_to_fit
from fer.recognition.detector import MAX_SIDE_PX, MIN_FACE_PX, SEARCHED_FACE_PX, FaceDetector
from fer.recognition.facenet import FacenetMtcnn
from fer.video.settings import VideoSettings
from scripts.benchmarks.live import moving_photo


def measure(threads: int = 1, repeat: int = 50) -> dict[str, Any]:
    """Face detection: ours and facenet-pytorch's loop, alternately.

    On 640×480 frames with one face and with four, in the settings for photos and webcam, and on a photo of 12
    megapixels; medians, and the speedup of ours.
    """
    threads = threads or torch.get_num_threads()
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    ours, facenet = FaceDetector(threads=threads), FacenetMtcnn()
    figures: dict[str, Any] = {"processor": features()}
    for picture, image in _pictures().items():
        height, width = image.shape[:2]
        webcam_px = max(width, height) * SEARCHED_FACE_PX // round(VideoSettings.smallest_face * min(width, height))
        settings: dict[str, tuple[int, int, float | None]] = {"photo": (MAX_SIDE_PX, MIN_FACE_PX, None)}
        if width == 640:
            settings["webcam"] = (webcam_px, SEARCHED_FACE_PX, VideoSettings.smallest_face)
        for setting, (longest_px, min_face_px, smallest_face) in settings.items():
            calls = (
                partial(_facenet, facenet, image, longest_px, min_face_px),
                partial(ours.detect, image, smallest_face),
            )
            times = in_turns(calls, repeat, time.thread_time if threads == 1 else time.perf_counter)
            row = {"facenet-pytorch (ms)": times[0], "ours (ms)": times[1], "speedup": times[0] / times[1]}
            figures[f"{picture}, {setting} setting"] = row
    return figures


def _facenet(finder: FacenetMtcnn, image: np.ndarray, longest_px: int, min_face_px: int) -> object:
    return finder.find(shrink_to_fit(image, longest_px), min_face_px)


def _pictures() -> dict[str, np.ndarray]:
    frames = {f"{count} face{'s' * (count > 1)}, 640×480": moving_photo(count)(0) for count in (1, 4)}
    photo = cv2.resize(frames["4 faces, 640×480"], (4000, 3000), interpolation=cv2.INTER_CUBIC)
    return frames | {"4 faces, 4000×3000": photo}


def in_turns(calls: Sequence[Callable[[], object]], repeat: int, clock: Callable[[], float]) -> list[float]:
    """Return the median time of each call in milliseconds."""
    times: list[list[float]] = [[] for _ in calls]
    for turn in range(repeat + 3):
        for call, taken in zip(calls, times, strict=True):
            began = clock()
            call()
            if turn >= 3:  # the first ones are warm-up
                taken.append(1000 * (clock() - began))
    return [median(taken) for taken in times]


def features() -> str:
    """Return the processor's features that speed up networks."""
    wanted = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimd", "bf16")
    known = Path("/proc/cpuinfo")
    if known.is_file():
        flags = set(known.read_text(encoding="utf-8").split())
        return " ".join(name for name in wanted if name in flags)
    return cv2.getCPUFeaturesLine()  # missing ones are marked by a question mark
