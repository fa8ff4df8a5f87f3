"""The speed of many pictures, compared with a call of predict.py for each, and with detector and network alone."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from timeit import timeit

import numpy as np
from PIL import Image

from fer.collection.pipeline import recognize_pictures
from fer.datasets.drawing import draw_portrait
from fer.images import encode_jpeg, read_image
from fer.jobs.process import available_cores
from fer.labels import FERPLUS
from fer.recognition.recognizer import Recognizer
from fer.results.journal import PictureTask
from pages.parts.samples import PHOTO, sample_picture

PREDICT = Path(__file__).parents[2] / "scripts" / "predict.py"
_SIDES_PX = (640, 1600)


def measure(checkpoint: Path, threads: int = 1, repeat: int = 10, photos: int = 200) -> dict[str, float]:
    """Many generated photos at once, compared with a call of predict.py for each, and with detector and network alone.

    Only some calls are timed and extrapolated to all. The folder uses a thread for each core.
    """
    with tempfile.TemporaryDirectory() as place:
        pictures = [PictureTask(path, path.name) for path in _write_photos(Path(place), photos)]
        model = ["--checkpoint", str(checkpoint), "--json"]
        begun = pictures[:: max(photos // repeat, 1)][:repeat]
        single = sum(timeit(partial(_predict, str(one.path), *model), number=1) for one in begun) / len(begun)
        whole = timeit(lambda: _predict(place, *model), number=1)
        recognizer = Recognizer.load(checkpoint, threads=threads or available_cores())
        list(recognize_pictures(recognizer, pictures[:8]))  # warm-up
        inside = timeit(lambda: list(recognize_pictures(recognizer, pictures)), number=1)
        reading, detector, network = _alone(recognizer, pictures)
    return {
        f"predict.py with each of {photos} photos, from {len(begun)} calls (s)": single * photos,
        f"predict.py with a folder of {photos} photos (s)": whole,
        "  speedup": single * photos / whole,
        f"the same without start-up, on {available_cores()} core(s) (s)": inside,
        "  photos per second": photos / inside,
        f"reading alone, {threads} thread(s) (s)": reading,
        f"detector alone, {threads} thread(s) (s)": detector,
        f"crop and network alone, {threads} thread(s) (s)": network,
        "  detector + network / folder without start-up": (detector + network) / inside,
    }


def _write_photos(folder: Path, count: int) -> Iterator[Path]:
    """Write JPEG files: drawn people and a photo of one, of different sizes, places and light."""
    random = np.random.default_rng(0)
    for number in range(count):
        width, height = (int(side) for side in random.integers(*_SIDES_PX, size=2))
        if number % 4:
            face_px = int(random.uniform(0.2, 0.5) * min(width, height))
            expression = FERPLUS[number % len(FERPLUS)]
            drawn, _ = draw_portrait(expression, random, width_px=width, height_px=height, face_height_px=face_px)
            picture = Image.fromarray(drawn)
        else:
            picture = Image.fromarray(sample_picture(PHOTO)).resize((width, width), Image.Resampling.BICUBIC)
        light = float(random.uniform(0.7, 1.1))
        path = folder / f"{number:04}.jpg"
        path.write_bytes(encode_jpeg(np.asarray(picture.point(lambda value, light=light: min(light * value, 255)))))
        yield path


def _predict(*arguments: str) -> None:
    subprocess.run([sys.executable, PREDICT, "--image", *arguments], check=True, stdout=subprocess.DEVNULL)


def _alone(recognizer: Recognizer, pictures: list[PictureTask]) -> list[float]:
    """Return the seconds for reading, for the detector, and for crop and network, one picture after the other."""
    sums = np.zeros(3)
    for picture in pictures:
        moments = [time.perf_counter()]
        image = read_image(picture.path)
        moments.append(time.perf_counter())
        detections = recognizer.detect(image)
        moments.append(time.perf_counter())
        recognizer.classify(image, detections)
        sums += np.diff([*moments, time.perf_counter()])
    found: list[float] = sums.tolist()
    return found
