"""Measure the live engine without a browser: `python scripts/benchmark.py live`.

Clips are generated: a moving photo of an astronaut, for speed; drawn people who pass each other, for identities; drawn
people, or faces of a data set, who change their expression, for stable labels.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any

import av
import cv2
import numpy as np

from fer.datasets import FaceDataset, open_dataset
from fer.datasets.drawing import draw_portrait
from fer.draw.frame import draw_live
from fer.jobs.process import available_cores
from fer.recognition.recognizer import Recognizer
from fer.video.follow import Follower
from fer.video.live import LiveAnalyzer, LiveEngine
from fer.video.settings import VideoSettings
from fer.video.smoothing import ExpressionSmoother
from fer.video.stream import LiveStream

FRAMES_PER_SECOND = 30
FRAME_SECONDS = 1 / FRAMES_PER_SECOND
Frame = Callable[[int], np.ndarray]
"""Number of the frame → RGB uint8 (480, 640, 3)."""
Scene = list[tuple[str, np.ndarray]]
"""Expressions and RGB uint8 (260, 200, 3) pictures of them, shown one after the other."""
HOLD_SECONDS = 5
"""How long each of them is shown."""
EXPRESSIONS = ("neutral", "happiness", "surprise", "neutral", "surprise", "happiness")


def measure(checkpoint: Path, threads: int = 1, seconds: float = 10, dataset: str = "") -> dict[str, Any]:
    """The engine of the webcam page.

    Its rates with one face and four, and for three viewers at once; how stable people's numbers and labels are. With a
    data set, labels are tested on its validation faces, otherwise on drawn people.
    """
    recognizer = Recognizer.load(checkpoint, threads=threads or available_cores()).for_video()
    figures: dict[str, Any] = {}
    for faces in (1, 4):
        (result,) = _speeds(recognizer, faces, seconds, viewers=1)
        figures |= {f"{faces} face{'s' * (faces > 1)}: {name}": value for name, value in result.items()}
    results = _speeds(recognizer, 1, seconds, viewers=3)
    figures |= {f"3 viewers, the slowest: {name}": _worst(name, results) for name in results[0]}
    figures |= _identities(recognizer)
    figures |= _labels(recognizer, _known_faces(open_dataset(dataset)) if dataset else _drawn_people())
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


def _speeds(recognizer: Recognizer, faces: int, seconds: float, viewers: int) -> list[dict[str, float]]:
    """Play a clip at 30 frames per second to some viewers at once; late frames are dropped."""
    engine, frame = LiveEngine(recognizer), moving_photo(faces)
    streams = [LiveStream(LiveAnalyzer(engine), draw_live) for _ in range(viewers)]
    with ThreadPoolExecutor(viewers) as viewing:
        return list(viewing.map(lambda stream: _play(stream, frame, seconds), streams))


def _play(stream: LiveStream, frame: Frame, seconds: float) -> dict[str, float]:
    delays: list[float] = []
    counted: tuple[int, int] | None = None
    began = time.monotonic() + 1.0  # warm-up
    while (now := time.monotonic()) < began + seconds:
        if now >= began:
            counted = counted or (stream.analyzer.frames.total, stream.analyzer.updates.total)
        number = int((now - began) * FRAMES_PER_SECOND)
        stream.on_frame(av.VideoFrame.from_ndarray(frame(number), format="rgb24"))
        delays.append(stream.analyzer.delay_seconds)
        time.sleep(max(began + (number + 1) * FRAME_SECONDS - time.monotonic(), 0))
    figures = stream.figures()
    if figures.errors or counted is None:
        raise RuntimeError(f"{figures.errors} frames failed: {figures.last_error}")
    return {
        "frames (1/s)": (stream.analyzer.frames.total - counted[0]) / seconds,
        "expressions (1/s)": (stream.analyzer.updates.total - counted[1]) / seconds,
        "time per frame (ms)": figures.frame_ms,
        "age of expressions (ms)": 1000 * median(delays),
    }


def _simulated(recognizer: Recognizer, clip: Iterator[np.ndarray], settings: VideoSettings) -> Iterator[list[Any]]:
    """Yield the faces of each frame, as on a sufficiently fast machine."""
    follower = Follower()
    for number, image in enumerate(clip):
        yield follower.see(recognizer, image, number * FRAME_SECONDS, settings)


def _portrait(expression: str, person: int) -> np.ndarray:
    random = np.random.default_rng(person)
    return draw_portrait(expression, random, width_px=200, height_px=260, face_height_px=130)[0]


def _identities(recognizer: Recognizer) -> dict[str, Any]:
    """Let two people pass each other, one above the other, three times, and count how often their numbers change."""
    upper, lower = _portrait("happiness", 4), _portrait("neutral", 6)
    frames = 3 * 4 * FRAMES_PER_SECOND

    def clip() -> Iterator[np.ndarray]:
        for number in range(frames):
            away = 200 * np.cos(number * np.pi / (4 * FRAMES_PER_SECOND))
            yield _placed([(upper, round(220 + away), 0), (lower, round(220 - away), 220)])

    seen = [face.track_id for faces in _simulated(recognizer, clip(), VideoSettings()) for face in faces]
    return {
        "two people pass each other: numbers given (2 is correct)": len(set(seen)),
        "two people pass each other: in view (%)": 100 * len(seen) / (2 * frames),
    }


def _placed(pictures: list[tuple[np.ndarray, int, int]]) -> np.ndarray:
    """Return a gray frame with pictures at their x, y, clipped at its lower border; RGB uint8 (480, 640, 3)."""
    image = np.full((480, 640, 3), 128, np.uint8)
    for picture, x, y in pictures:
        image[y : y + 260, x : x + 200] = picture[: 480 - y]
    return image


def _drawn_people() -> list[Scene]:
    """Return eight people with three expressions, not those used to choose the smoothing."""
    return [[(expression, _portrait(expression, person)) for expression in EXPRESSIONS] for person in range(200, 208)]


def _known_faces(dataset: FaceDataset) -> list[Scene]:
    """Return 24 faces of the validation split on which most raters agree."""
    rows = np.random.default_rng(0).permutation(dataset.rows("validation", "majority"))[:24]
    pictures = [np.full((260, 200, 3), 128, np.uint8) for _ in rows]
    for picture, row in zip(pictures, rows, strict=True):
        picture[40:220, 10:190] = cv2.resize(dataset.picture(int(row)), (180, 180), interpolation=cv2.INTER_CUBIC)
    words = [dataset.labels[index] for index in dataset.truth(rows)]
    return [list(zip(words, pictures, strict=True))]


def _labels(recognizer: Recognizer, scenes: list[Scene]) -> dict[str, Any]:
    """Show people with known expressions, each for a while, in a noisy video, and count changes of the label."""
    random = np.random.default_rng(1)
    changes, right, frames = Counter[str](), Counter[str](), 0
    for scene in scenes:
        truth = [expression for expression, _ in scene for _ in range(HOLD_SECONDS * FRAMES_PER_SECOND)]
        steady = ExpressionSmoother()
        seen: tuple[float, ...] = ()
        before: dict[str, str] = {}
        video = _simulated(recognizer, _noisy_clip(scene, random), VideoSettings(smoothing_seconds=0.0))
        for number, faces in enumerate(video):
            if not faces:
                continue
            frames += 1
            if faces[0].probabilities != seen:  # a new reading
                seen = faces[0].probabilities
                steady.update(seen, number * FRAME_SECONDS, VideoSettings().smoothing_seconds)
            shown = {"without": faces[0].label, "with": faces[0].labels[steady.held]}
            for name, label in shown.items():
                right[name] += label == truth[number]
                changes[name] += before.get(name, label) != label
                before[name] = label
    figures: dict[str, Any] = {}
    for name in ("without", "with"):
        figures[f"labels {name} smoothing: changes (1/minute)"] = 60 * FRAMES_PER_SECOND * changes[name] / frames
        figures[f"labels {name} smoothing: correct (%)"] = 100 * right[name] / frames
    return figures


def _noisy_clip(scene: Scene, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield each picture for a while: the person moves a little, the light flickers, the sensor is noisy."""
    for _, picture in scene:
        for _ in range(HOLD_SECONDS * FRAMES_PER_SECOND):
            x, y = 220 + random.integers(-3, 4, 2)
            image = _placed([(picture, x, y)])
            light = random.uniform(0.7, 1.2)
            noise = 25 * random.standard_normal(image.shape, dtype=np.float32)
            yield np.clip(image * light + noise, 0, 255).astype(np.uint8)
