"""Timelines of videos made by hand."""

from collections.abc import Sequence
from typing import Any

from fer.faces import Box
from fer.labels import FERPLUS
from fer.video.recorder import Recorder
from fer.video.timeline import Moment, Timeline
from fer.video.tracking import TrackedFace

STEP = 0.1


def face(person: int, label: str, confidence: float = 0.8, labels: tuple[str, ...] = FERPLUS) -> TrackedFace:
    held = labels.index(label)
    probabilities = [(1 - confidence) / (len(labels) - 1)] * len(labels)
    probabilities[held] = confidence
    box = Box(60 * person, 20, 60 * person + 50, 80)
    return TrackedFace(box, (), 0.99, labels=labels, probabilities=tuple(probabilities), track_id=person, held=held)


def timeline_of(
    shown: dict[int, Sequence[str | None]],
    confidence: float = 0.8,
    *,
    times: Sequence[float] | None = None,
    ends: float | None = None,
    labels: tuple[str, ...] = FERPLUS,
    neutral: tuple[float, ...] = (),
    **about: Any,
) -> Timeline:
    """Return what each person showed in each frame of a file, ten frames a second; None is away."""
    recorder = Recorder(labels, neutral=neutral)
    peaks: dict[tuple[int, str], Moment] = {}
    frames = max(map(len, shown.values()), default=0)
    for number in range(frames):
        now = times[number] if times else number * STEP
        there = {person: own[number] for person, own in shown.items() if number < len(own)}
        faces = [face(person, label, confidence, labels) for person, label in there.items() if label]
        recorder.add(number, now, faces)
        for one in faces:
            key = one.track_id or 0, one.label
            peaks.setdefault(key, Moment(*key, now, confidence, b"jpeg"))
    given = {"name": "clip.mp4", "size_wh": (640, 480), "peaks": tuple(peaks.values())} | about
    return recorder.timeline(frames * STEP if ends is None else ends, **given)
