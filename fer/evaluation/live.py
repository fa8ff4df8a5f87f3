"""Measure the live engine without a browser: `python scripts/benchmark.py live`.

Clips are made here: a photo of an astronaut that moves, for speed; drawn people who pass each other and change their
expression, for identities and steady labels.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2
import numpy as np

from fer.datasets.drawing import draw_portrait
from fer.recognition.recognizer import Recognizer
from fer.video.clip import ClipAnalyzer
from fer.video.live import LiveAnalyzer, LiveEngine, LiveSettings
from fer.video.stream import Draw, LiveStream

FRAMES_PER_SECOND = 30
FRAME_SECONDS = 1 / FRAMES_PER_SECOND
Frame = Callable[[int], np.ndarray]
"""Number of the frame → RGB uint8 (480, 640, 3)."""


def measure_live(checkpoint: Path, seconds: float, draw: Draw) -> dict[str, Any]:
    """Return all figures by their names, with units.

    Args:
        checkpoint: a model file.
        seconds: how long each of the three speeds is measured.
        draw: what draws the faces, which belongs to the time of a frame.
    """
    recognizer = Recognizer.load(checkpoint).for_video()
    figures: dict[str, Any] = {}
    for faces in (1, 4):
        (result,) = _speeds(recognizer, draw, faces, seconds, viewers=1)
        figures |= {f"{faces} face{'s' * (faces > 1)}: {name}": value for name, value in result.items()}
    results = _speeds(recognizer, draw, 1, seconds, viewers=3)
    figures |= {f"3 viewers, the slowest: {name}": _worst(name, results) for name in results[0]}
    figures |= _identities(recognizer)
    figures |= _labels(recognizer)
    return figures


def _worst(name: str, results: list[dict[str, float]]) -> float:
    return (min if name.endswith("(1/s)") else max)(result[name] for result in results)


def moving_photo(faces: int) -> Frame:
    """Return a clip of one or four moving faces: scikit-image's astronaut."""
    from skimage.data import astronaut

    side, place = (900, (640, 480)) if faces == 1 else (400, (320, 240))
    photo = cv2.resize(astronaut(), (side, side), interpolation=cv2.INTER_AREA)

    def part(turn: float) -> np.ndarray:
        x = round((0.07 + 0.04 * np.sin(turn)) * side)
        y = round((0.011 + 0.011 * np.sin(2 * turn)) * side)
        return np.ascontiguousarray(photo[y : y + place[1], x : x + place[0]])

    def frame(number: int) -> np.ndarray:
        turn = number * 2 * np.pi / 300
        if faces == 1:
            return part(turn)
        return np.vstack([np.hstack([part(turn), part(turn + 1)]), np.hstack([part(turn + 2), part(turn + 3)])])

    return frame


def _speeds(recognizer: Recognizer, draw: Draw, faces: int, seconds: float, viewers: int) -> list[dict[str, float]]:
    """Play a clip at 30 frames a second to some viewers at once; frames that come too late are left out."""
    engine, frame = LiveEngine(recognizer), moving_photo(faces)
    results: list[dict[str, float]] = []
    threads = [
        threading.Thread(target=lambda: results.append(_play(LiveStream(LiveAnalyzer(engine), draw), frame, seconds)))
        for _ in range(viewers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def _play(stream: LiveStream, frame: Frame, seconds: float) -> dict[str, float]:
    delays: list[float] = []
    started = False
    warm_up = 1.0
    began = time.monotonic() + warm_up
    counted = 0, 0
    while (now := time.monotonic()) < began + seconds:
        if not started and now >= began:
            started, counted = True, (stream.analyzer.frames.total, stream.analyzer.updates.total)
        number = int((now - began) * FRAMES_PER_SECOND)
        stream.on_frame(av.VideoFrame.from_ndarray(frame(number), format="rgb24"))
        delays.append(stream.analyzer.delay_seconds)
        time.sleep(max(began + (number + 1) * FRAME_SECONDS - time.monotonic(), 0))
    figures = stream.figures()
    if figures.errors:
        raise RuntimeError(f"{figures.errors} frames failed: {figures.last_error}")
    return {
        "frames (1/s)": (stream.analyzer.frames.total - counted[0]) / seconds,
        "expressions (1/s)": (stream.analyzer.updates.total - counted[1]) / seconds,
        "time for a frame (ms)": figures.frame_ms,
        "age of expressions (ms)": 1000 * median(delays),
    }


def _simulated(recognizer: Recognizer, clip: Iterator[np.ndarray], settings: LiveSettings) -> Iterator[list[Any]]:
    """Yield the faces of each frame, as on a machine that is fast enough."""
    analyzer = ClipAnalyzer(recognizer, settings)
    for number, image in enumerate(clip):
        yield analyzer.process(image, number * FRAME_SECONDS)


def _portrait(expression: str, person: int, strength: float = 1.0) -> np.ndarray:
    random = np.random.default_rng(person)
    return draw_portrait(expression, random, width_px=200, height_px=260, face_height_px=130)[0]


def _identities(recognizer: Recognizer) -> dict[str, Any]:
    """Let two people pass each other, one above the other, three times, and count when their numbers change."""
    people = [_portrait("happiness", 4), _portrait("neutral", 6)]
    frames = 3 * 4 * FRAMES_PER_SECOND
    places = [
        (round(220 + 200 * sign * np.cos(number * np.pi / (4 * FRAMES_PER_SECOND))), top)
        for number in range(frames)
        for sign, top in ((1, 0), (-1, 220))
    ]

    def clip() -> Iterator[np.ndarray]:
        for number in range(frames):
            image = np.full((480, 640, 3), 128, np.uint8)
            for picture, (x, y) in zip(people, places[2 * number : 2 * number + 2], strict=True):
                image[y : y + 260, x : x + 200] = picture[: 480 - y]
            yield image

    numbers: dict[int, set[int | None]] = {0: set(), 1: set()}
    seen = 0
    for faces in _simulated(recognizer, clip(), LiveSettings()):
        for face in faces:
            numbers[int(face.box.center[1] > 230)].add(face.track_id)
            seen += 1
    return {
        "two people pass each other: numbers given (2 is right)": len(numbers[0] | numbers[1]),
        "two people pass each other: in view (%)": 100 * seen / (2 * frames),
    }


SEGMENTS = ("neutral", "happiness", "surprise", "neutral", "surprise", "happiness")


def _labels(recognizer: Recognizer) -> dict[str, Any]:
    """Show a person with known expressions, three seconds each, in a noisy video, and count changes of the label."""
    figures: dict[str, Any] = {}
    raw, steady = (
        _label_run(recognizer, LiveSettings(smoothing_seconds=s)) for s in (0.0, LiveSettings().smoothing_seconds)
    )
    for name, run in (("without smoothing", raw), ("with smoothing", steady)):
        figures[f"labels {name}: changes (1/minute)"] = run["changes"]
        figures[f"labels {name}: right (%)"] = run["right"]
    return figures


def _label_run(recognizer: Recognizer, settings: LiveSettings) -> dict[str, float]:
    random = np.random.default_rng(1)
    right, changes, total = 0, 0, Counter[str]()
    for person in (0, 3, 5, 7):  # others than those that the smoothing was chosen on
        truth = [expression for expression in SEGMENTS for _ in range(3 * FRAMES_PER_SECOND)]
        drawn = {expression: _portrait(expression, person) for expression in set(SEGMENTS)}

        def clip(truth: list[str] = truth, drawn: dict[str, np.ndarray] = drawn) -> Iterator[np.ndarray]:
            for expression in truth:
                image = np.full((480, 640, 3), 128, np.uint8)
                x, y = 220 + random.integers(-3, 4, 2)
                image[y : y + 260, x : x + 200] = drawn[expression][: 480 - y]
                light, noise = random.uniform(0.7, 1.2), random.normal(0, 25, image.shape)
                yield np.clip(image * light + noise, 0, 255).astype(np.uint8)

        before = None
        for expression, faces in zip(truth, _simulated(recognizer, clip(), settings), strict=True):
            if faces:
                label = faces[0].label
                total["frames"] += 1
                right += label == expression
                changes += before is not None and label != before
                before = label
    return {"changes": 60 * FRAMES_PER_SECOND * changes / total["frames"], "right": 100 * right / total["frames"]}
