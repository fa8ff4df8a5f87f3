"""Recognize many pictures with one recognizer, as fast as the machine can.

Threads read and decode pictures and detect faces, each on one core, which is faster than one detector on all cores. The
network then reads the faces of several pictures in one batch, also fastest on one thread. Pictures are freed as soon as
their faces are cropped; only a few are in memory at any time.
"""

import base64
import copy
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import numpy as np

from fer.draw.picture import draw_faces
from fer.errors import CollectionError, ImageError, problem_of
from fer.faces import Detection, Face, scaled
from fer.files import file_errors, write_atomically
from fer.images import encode_jpeg, encode_png, read_image, shrink_to_fit
from fer.jobs.process import available_cores
from fer.model.checkpoint import ModelInfo
from fer.recognition.detector import FaceDetector
from fer.recognition.recognizer import Recognizer
from fer.results.journal import Finished, PictureTask
from fer.results.pictures import PictureResult

BATCH_FACES = 32
"""Larger batches do not make the network faster."""
BATCH_PICTURES = 16
BATCH_BYTES = 100_000_000
"""Size of pictures waiting for their faces' readings, if they are needed afterwards."""
BATCH_SECONDS = 1.0
"""How long a picture waits for others: readings not made yet are lost if the process is killed."""
PREVIEW_PX, THUMBNAIL_PX = 1280, 96
"""Longest side of an annotated copy and of a face's thumbnail."""

Finish = Callable[[PictureTask, np.ndarray, tuple[Face, ...]], tuple[str, ...]]
"""Processes a picture, RGB uint8 (H, W, 3), and its faces, in one of the threads; returns the thumbnails.

It may raise ImageError, or IsADirectoryError for the path of the copy, which becomes the picture's error, or another
OSError, which stops everything: other copies could not be written either, and the picture is processed again later."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """A picture whose faces were detected, but not read."""

    picture: PictureTask
    size_wh: tuple[int, int] | None = None
    image: np.ndarray | None = None
    detections: tuple[Detection, ...] = ()
    pixels: tuple[np.ndarray, ...] = ()
    error: str | None = None


def recognize_pictures(
    recognizer: Recognizer, pictures: Sequence[PictureTask], finish: Finish | None = None, workers: int | None = None
) -> Iterator[Finished]:
    """Recognize pictures and yield each one when it is done, in any order; unreadable ones have an error.

    `finish` processes each picture further. A worker is a thread; by default, one per core. On a GPU, where the
    detector is not thread-safe, each has a copy of it.

    Raises:
        CollectionError: the output of `finish` cannot be written.
    """
    workers = max(min(workers or available_cores(), len(pictures)), 1)
    detectors: SimpleQueue[FaceDetector] = SimpleQueue()
    for _ in range(workers):
        detectors.put(copy.deepcopy(recognizer.detector))

    def look(picture: PictureTask) -> _Seen:
        detector = detectors.get()
        try:
            return _look(recognizer, detector, picture, keep_image=finish is not None)
        finally:
            detectors.put(detector)

    with ThreadPoolExecutor(workers, "pictures") as pool:
        try:
            yield from _flow(recognizer, pictures, look, finish, pool, ahead=workers + 2)
        finally:
            pool.shutdown(cancel_futures=True)  # a consumer that stops early does not wait for the rest


def _flow(
    recognizer: Recognizer,
    pictures: Sequence[PictureTask],
    look: Callable[[PictureTask], _Seen],
    finish: Finish | None,
    pool: ThreadPoolExecutor,
    ahead: int,
) -> Iterator[Finished]:
    """Keep `ahead` pictures in progress: detect in the pool, read in batches here, finish in the pool."""
    coming = iter(pictures)
    looking: set[Future[_Seen]] = set()
    finishing: set[Future[Finished]] = set()
    waiting: list[_Seen] = []
    began = 0.0
    while True:
        room = max(ahead - len(looking) - len(finishing), 0)
        looking |= {pool.submit(look, picture) for picture in itertools.islice(coming, room)}
        if not looking and not finishing:
            return
        in_progress: set[Future[Any]] = {*looking, *finishing}
        done, _ = wait(in_progress, return_when=FIRST_COMPLETED)
        for looked in looking & done:
            began = began if waiting else time.monotonic()
            waiting.append(looked.result())
        for finished in finishing & done:
            yield finished.result()
        looking -= done
        finishing -= done
        if _is_full(waiting, began) or not looking:
            finishing |= {pool.submit(_finished, seen, faces, finish) for seen, faces in _named(recognizer, waiting)}
            waiting = []


def _is_full(waiting: list[_Seen], began: float) -> bool:
    """Whether it is time to read the faces of the waiting pictures, the first of which came at `began`."""
    return (
        len(waiting) >= BATCH_PICTURES
        or sum(len(seen.detections) for seen in waiting) >= BATCH_FACES
        or sum(seen.image.nbytes for seen in waiting if seen.image is not None) >= BATCH_BYTES
        or (bool(waiting) and time.monotonic() - began > BATCH_SECONDS)
    )


def _named(recognizer: Recognizer, waiting: list[_Seen]) -> Iterator[tuple[_Seen, tuple[Face, ...]]]:
    """Read all faces at once."""
    detections = [detection for seen in waiting for detection in seen.detections]
    pixels = [face for seen in waiting for face in seen.pixels]
    faces = iter(recognizer.name(detections, np.stack(pixels)) if detections else [])
    for seen in waiting:
        yield seen, tuple(itertools.islice(faces, len(seen.detections)))


def _look(recognizer: Recognizer, detector: FaceDetector, picture: PictureTask, *, keep_image: bool) -> _Seen:
    """Read a picture and detect its faces."""
    try:
        image = read_image(picture.path)
        detections = tuple(detector.detect(image))
    except (ImageError, OSError) as error:
        return _Seen(picture, error=_reason(picture, error))
    pixels = tuple(recognizer.network_input(image, detection) for detection in detections)
    size_wh = image.shape[1], image.shape[0]
    return _Seen(picture, size_wh, image if keep_image else None, detections, pixels)


def _finished(seen: _Seen, faces: tuple[Face, ...], finish: Finish | None) -> Finished:
    thumbnails: tuple[str, ...] = ()
    error = seen.error
    if finish and seen.image is not None:
        with file_errors(f"the copy of {seen.picture.name} cannot be written", CollectionError):
            try:
                thumbnails = finish(seen.picture, seen.image, faces)
            except (ImageError, IsADirectoryError) as problem:
                error = _reason(seen.picture, problem)
    return Finished(seen.picture, PictureResult(seen.picture.name, faces, error, seen.size_wh), thumbnails)


def _reason(picture: PictureTask, error: Exception) -> str:
    """Say what is wrong with a picture, without its folder: results are shown to remote visitors, too."""
    reason = problem_of(error).replace(str(picture.path), picture.name)
    if picture.output:
        reason = reason.replace(str(picture.output), picture.output.name)
    return reason if picture.name in reason else f"{picture.name}: {reason}"


def write_whole(
    unsure_below: float, picture: PictureTask, image: np.ndarray, faces: tuple[Face, ...]
) -> tuple[str, ...]:
    """Write the annotated picture as PNG in full size, without thumbnails. For use as `Finish`."""
    if picture.output:
        annotated = encode_png(draw_faces(image, faces, threshold=unsure_below))
        write_atomically(picture.output, annotated, durable=False)
    return ()


def write_preview(info: ModelInfo, picture: PictureTask, image: np.ndarray, faces: tuple[Face, ...]) -> tuple[str, ...]:
    """Write the annotated picture as JPEG, at most `PREVIEW_PX` long, and return the thumbnails of its faces.

    A picture without faces has none: thumbnails are kept even if pictures are not.
    """
    preview = shrink_to_fit(image, PREVIEW_PX)
    if picture.output:
        shown = [scaled(face, preview.shape[1] / image.shape[1]) for face in faces]
        picture.output.parent.mkdir(parents=True, exist_ok=True)
        annotated = encode_jpeg(draw_faces(preview, shown, threshold=info.unsure_below))
        write_atomically(picture.output, annotated, durable=False)
    crops = (info.preprocessing.crop(image, face) for face in faces)
    encoded = (base64.b64encode(encode_jpeg(shrink_to_fit(crop, THUMBNAIL_PX))).decode() for crop in crops)
    return tuple(f"data:image/jpeg;base64,{text}" for text in encoded)
