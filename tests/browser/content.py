"""What pages look like with content: results, a job, runs and reports in the folder of an app."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from PIL import Image

from fer.collection import job as collection
from fer.datasets import open_dataset
from fer.datasets.drawing import draw_portrait
from fer.datasets.drawing.clip import write_clip
from fer.evaluation.report import Evaluation
from fer.images import encode_jpeg, encode_png
from fer.jobs import job
from fer.jobs.status import FAILED, FINISHED, Reporter
from fer.labels import FERPLUS
from fer.model import DEFAULT_CHECKPOINT
from fer.recognition.photo import recognize_photo
from fer.recognition.recognizer import Recognizer
from fer.results.photo import photo_content
from fer.results.result import PHOTO, VIDEO, Figures
from fer.results.store import ResultStore
from fer.results.timeline import write_timeline
from fer.training.config import TrainingConfig
from fer.training.metrics import Beginning, EpochMetrics, Part
from fer.training.runs import KIND, Run, open_run
from fer.video.job import TIMELINE_NAME, VideoRequest, new_job, upload_path
from fer.video.settings import ClipOptions
from tests.evaluation.evaluations import finished_run, make_evaluation
from tests.video.results import timeline_of

ONE = ["neutral"] * 30 + ["happiness"] * 30 + ["surprise"] * 40
OTHER = [None] * 10 + ["anger"] * 60 + ["sadness"] * 30
GHOST = [None] * 20 + ["fear"] * 20
"""What the people of the video show, ten times a second."""
RUNS = "calm", "eager"
"""Runs that have ended, each with a report on the same drawn pictures."""


def fill_results(folder: Path, photo: np.ndarray) -> None:
    """Put a photo of one face, one of twelve and a video into the results."""
    store, recognizer = ResultStore(folder), Recognizer.load()
    face = photo[:300, 75:375]
    looks = [face, face[:, ::-1], (face * 0.6).astype(np.uint8)] * 4
    for name, image in (("kept.png", photo), ("twelve.png", _side_by_side(looks))):
        data = encode_png(image)
        found = recognize_photo(recognizer, data)
        figures, content = photo_content(found, recognizer.info.labels, 0.5, (".png", data))
        store.add("", PHOTO, name, content=content, figures=figures, model="FER+")
    store.add("", VIDEO, "A long name of a video, as cameras and people give them.mp4", figures=Figures(seconds=192))


def _side_by_side(faces: list[np.ndarray]) -> np.ndarray:
    rows = [np.hstack(faces[start : start + 4]) for start in range(0, len(faces), 4)]
    return np.asarray(Image.fromarray(np.vstack(rows)).resize((800, 600)))


def fill_photos(folder: Path, photo: np.ndarray) -> str:
    """Look at thirty photos, each of one face, and return the ID of that job."""
    made = collection.create(folder, DEFAULT_CHECKPOINT, "Holiday").folder
    (made / collection.UPLOADS_NAME).mkdir()
    for number in range(30):
        light = 0.3 + 0.7 * (number % 10) / 9
        image = Image.fromarray((photo[:300, 75:375] * light).astype(np.uint8)).resize((200, 200))
        image.rotate(6 * (number % 7 - 3)).save(made / collection.UPLOADS_NAME / f"IMG_{number:04}.jpg")
    with job.working(made) as reporter:
        collection.run(
            made, job.read_request(made, collection.KIND), reporter, SimpleNamespace(asked=False, gently=False)
        )
    return made.name


def write_person(path: Path) -> Path:
    """Write ten seconds of a drawn person, and return the path."""
    size = {"width_px": 320, "height_px": 240, "face_height_px": 140}
    pictures = {label: draw_portrait(label, np.random.default_rng(6), **size)[0] for label in dict.fromkeys(ONE)}
    return write_clip(path, (np.ascontiguousarray(pictures[label]) for label in ONE for _ in range(3)))


def fill_video(folder: Path, clip: Path) -> Path:
    """Pretend that a clip was analyzed: two people, and a second box on one's face; return the folder of that job."""
    folder.mkdir(parents=True, exist_ok=True)
    request = VideoRequest(upload_path(clip.name), Path("model.safetensors"), ClipOptions())
    made = new_job(folder, request)
    shutil.copy(clip, request.annotated(made))
    seen = timeline_of({1: ONE, 2: OTHER, 3: GHOST}, name=clip.name)
    rows = seen.rows
    rows["box"][rows["person"] == 3] = rows["box"][rows["person"] == 1][0] + (4, 4, -4, -4)
    jpeg = encode_jpeg(np.full((40, 40, 3), 150, np.uint8))
    write_timeline(made / TIMELINE_NAME, replace(seen, peaks=tuple(replace(one, thumbnail=jpeg) for one in seen.peaks)))
    Reporter(made).set(FINISHED)
    return made


def fill_reports(folder: Path) -> dict[str, Evaluation]:
    """Make the runs of `RUNS`, measured on drawn faces that can be opened again."""
    fingerprint, made = open_dataset("synthetic:80").fingerprint(), {}
    for seed, name in enumerate(RUNS):
        found = make_evaluation(seed=seed, skill=1 + 2 * seed, rated=True)
        report = replace(found.report, data=replace(found.report.data, fingerprint=fingerprint))
        made[name] = Evaluation(report, replace(found.predictions, rows=found.predictions.rows % 80))
        finished_run(folder, name, made[name], "drawn-test-majority")
    return made


def fill_runs(folder: Path) -> None:
    """Make two runs that have ended with a model, and one that has failed."""
    for name, epochs in (("faces", 12), ("faces-2", 8)):
        run = open_run(folder, TrainingConfig("synthetic:800", epochs=epochs), name)
        _learn(run, epochs)
        Reporter(run.folder).set(FINISHED)
    failed = open_run(folder, TrainingConfig("synthetic:80", epochs=8), "failed")
    Reporter(failed.folder).set(FAILED, "expected pictures, found none.")


@contextmanager
def going_on(folder: Path) -> Iterator[None]:
    """Pretend that a training goes on."""
    run = open_run(folder, TrainingConfig("synthetic:800", epochs=12), "goes on")
    with job.working(run.folder) as reporter:
        _learn(run, 5)
        reporter.say("epoch 6 of 12", 5.4, 12)
        yield
    job.delete(run.folder, KIND)


def _learn(run: Run, epochs: int) -> None:
    shutil.copy(DEFAULT_CHECKPOINT, run.best_path)
    random, kinds = np.random.default_rng(epochs), len(FERPLUS)
    run.write_beginning(Beginning(640, "the shipped model", 0.62, 160, FERPLUS[:6], FERPLUS[6:]))
    for epoch in range(1, epochs + 1):
        known = 1 - 0.8**epoch
        for part in range(10):
            run.append_step(Part(epoch - 1 + (part + 1) / 10, 2.2 - 1.7 * known + random.normal(0, 0.06), 0.01))
        confusion = np.eye(kinds, dtype=int) * int(20 * known) + 20 // kinds
        run.append_metrics(
            EpochMetrics(
                epoch, known - 0.05, 2.1 - 1.4 * known, known - 0.06, tuple(map(tuple, confusion.tolist())), 48, 31.0,
                train_loss=2 - 1.6 * known, train_accuracy=known, learning_rate=0.01, faces=640,
            )
        )  # fmt: skip
