"""Results of videos made by hand."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fer.labels import FERPLUS
from fer.video.timeline import ClipResult, Moment

STEP = 0.1


def clip_result(shown: dict[int, Sequence[str | None]], confidence: float = 0.8, **others: Any) -> ClipResult:
    """Return what each person showed in each frame, ten frames a second; None is away."""
    frames = max(map(len, shown.values()), default=0)
    rows = [
        (place, person, FERPLUS.index(labels[place] or ""))
        for place in range(frames)
        for person, labels in shown.items()
        if place < len(labels) and labels[place]
    ]
    probabilities = np.full((len(rows), len(FERPLUS)), (1 - confidence) / (len(FERPLUS) - 1), np.float32)
    for row, (_, _, label) in enumerate(rows):
        probabilities[row, label] = confidence
    peaks = {(person, FERPLUS[label]): place for place, person, label in reversed(rows)}
    given: dict[str, Any] = {
        "name": "clip.mp4",
        "size_wh": (640, 480),
        "labels": FERPLUS,
        "starts": 0.0,
        "ends": frames * STEP,
        "frame_numbers": np.arange(frames),
        "frame_seconds": np.arange(frames) * STEP,
        "places": np.array([place for place, _, _ in rows], int),
        "persons": np.array([person for _, person, _ in rows], int),
        "held": np.array([label for _, _, label in rows], int),
        "boxes": np.array([[10 * person, 20, 10 * person + 50, 80] for _, person, _ in rows], np.float32).reshape(
            -1, 4
        ),
        "scores": np.full(len(rows), 0.99, np.float32),
        "probabilities": probabilities,
        "peaks": tuple(Moment(*key, place * STEP, confidence, b"jpeg") for key, place in sorted(peaks.items())),
    }
    return ClipResult(**(given | others))
