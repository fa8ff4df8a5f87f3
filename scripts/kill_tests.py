#!/usr/bin/env python
"""Repeatedly kill the analysis of a video, a folder and a camera, and check that nothing is lost.

    python scripts/kill_tests.py --kills 20

A process starts the work as the app does. It is killed (SIGKILL) at a random moment, in half of the cases together with
the background job. Then the results are opened: everything that was stored just before must be there, except the last
seconds of a camera. The work is resumed and killed again; in the end, videos and folders must be complete.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from fer.collection import job as collections
from fer.collection.job import RESULTS_NAME
from fer.datasets.drawing import draw_portrait
from fer.datasets.drawing.clip import known_frames, write_clip
from fer.home import DATA_VARIABLE, RESULTS_VARIABLE
from fer.images import encode_jpeg
from fer.jobs import job
from fer.jobs.job import PROCESS_NAME, JobView, Kind
from fer.jobs.process import ProcessMark
from fer.jobs.status import FINISHED
from fer.model import DEFAULT_CHECKPOINT
from fer.records import read_record
from fer.results.journal import read_finished
from fer.results.recording import KEEP_SECONDS, Recording
from fer.results.result import COMPLETE, FOLDER, INTERRUPTED, PICTURES, RUNNING, VIDEO, WEBCAM, Result, Settings
from fer.results.store import SILENT_SECONDS, ResultStore
from fer.results.timeline import read_timeline
from fer.video import job as videos
from fer.video.job import TIMELINE_NAME, VideoRequest
from fer.video.settings import ClipOptions

KINDS = (VIDEO, FOLDER, WEBCAM)
PATIENCE_SECONDS = 600
LONGEST_SECONDS = 3.0
"""Longest time before a job is killed."""
PHOTOS_A_KILL, LEAST_PHOTOS = 35, 300
"""Number of photos in a folder for each kill, so that the job outlasts them: it resumes where it was killed."""
SECONDS_A_KILL, LEAST_SECONDS = 8.0, 40.0
"""Length of a video for each kill: a killed job starts again, but some jobs outlive the app several times in a row."""
LOST_SECONDS = 3 * KEEP_SECONDS
"""How much of a camera may be missing, on a busy machine: the disk is written to every `KEEP_SECONDS`."""
_JOBS: dict[str, Kind] = {VIDEO: videos.KIND, FOLDER: collections.KIND}  # type: ignore[type-arg]


class LostError(AssertionError):
    """Something that was recorded is missing."""


def check(holds: object, what: str) -> None:
    """Raise LostError if a condition does not hold."""
    if not holds:
        raise LostError(what)


# The process that is killed


def serve(kind: str, place: Path) -> None:
    """Start or resume the work, as the app does, until this process is killed."""
    from pages.parts.kept_jobs import look_after

    store = ResultStore(place / "results")
    if kind == WEBCAM:
        film(store, place)
    folder = next(path for path in (place / "data" / f"{_JOBS[kind].name}s").iterdir() if path.is_dir())  # not a lock
    key = f"{folder.parent.name}/{folder.name}"
    row = store.of_job(key) or store.add("", kind, kind, state=RUNNING, source=key, job=key)
    if row and job.view(folder, _JOBS[kind]).can_resume:
        store.update(row.id, "", state=RUNNING)
        job.start(folder, _JOBS[kind], threads=1)
    while True:
        look_after(store)
        time.sleep(0.2)


def film(store: ResultStore, place: Path) -> None:
    """Feed drawn frames to a camera's stream, and record the progress."""
    from fer.draw.frame import draw_live
    from fer.recognition.recognizer import Recognizer
    from fer.video.live import LiveAnalyzer, LiveEngine
    from fer.video.stream import LiveStream

    store.settings = Settings(PICTURES)
    analyzer = LiveAnalyzer(LiveEngine(Recognizer.load(DEFAULT_CHECKPOINT, threads=1).for_video()))
    recording = Recording(store, "", WEBCAM, analyzer)
    stream = LiveStream(analyzer, draw_live, keep=recording)
    frames = [av.VideoFrame.from_ndarray(image, format="rgb24") for image in known_frames(seconds=2.0)]
    began = None
    while True:
        for frame in frames:
            stream.on_frame(frame)
            if recording.result:
                began = began or time.monotonic()
                said = {"id": recording.result.id, "seconds": analyzer.recorder.seconds}
                (place / "film.partial").write_text(json.dumps(said))
                (place / "film.partial").replace(place / "film.json")
            time.sleep(0.03)


# The process that kills and checks


def prepare(kind: str, place: Path, kills: int) -> float:
    """Create the input, and its job; return the input's size: seconds, or pictures."""
    if kind == VIDEO:
        size = max(SECONDS_A_KILL * kills, LEAST_SECONDS)
        clip = write_clip(place / "clip.mp4", known_frames(seconds=size))
        videos.new_job(place / "data" / "videos", VideoRequest(clip, DEFAULT_CHECKPOINT, ClipOptions()))
    else:
        size = max(PHOTOS_A_KILL * kills, LEAST_PHOTOS)
        (place / "photos").mkdir()
        for number in range(size):
            portrait, _ = draw_portrait(
                "happiness", np.random.default_rng(number), width_px=320, height_px=400, face_height_px=190
            )
            (place / "photos" / f"{number:03}.jpg").write_bytes(encode_jpeg(portrait))
        collections.create(place / "data" / "collections", DEFAULT_CHECKPOINT, "photos", place / "photos")
    return size


def kept_by(kind: str, folder: Path) -> float:
    """Return how much of a job is stored: frames, or pictures."""
    if kind == FOLDER:
        return len(read_finished(folder / RESULTS_NAME))
    timeline = read_timeline(folder / TIMELINE_NAME)
    check(timeline or not (folder / TIMELINE_NAME).exists(), f"{folder / TIMELINE_NAME} cannot be read")
    return timeline.frames if timeline else 0


def kill(process: "subprocess.Popen[bytes]", folder: Path | None) -> None:
    """Kill a process, and the job in a folder."""
    process.kill()
    process.wait()
    mark = read_record(folder / PROCESS_NAME, ProcessMark) if folder else None
    if mark and (running := mark.running()):
        running.kill()
        running.wait(30)


def started(kind: str, place: Path) -> "subprocess.Popen[bytes]":
    """Start this script as the process to kill."""
    places = {DATA_VARIABLE: str(place / "data"), RESULTS_VARIABLE: str(place / "results")}
    root = str(Path(__file__).parents[1])
    environment = os.environ | places | {"PYTHONPATH": root, "OMP_NUM_THREADS": "1"}
    with (place / "log.txt").open("ab") as log:
        command = [sys.executable, __file__, "--serve", kind, "--place", str(place)]
        return subprocess.Popen(command, env=environment, stdout=log, stderr=log)


def wait_for(process: "subprocess.Popen[bytes]", place: Path, condition: Callable[[], object]) -> None:
    """Wait until a condition holds while a process lives."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"timed out: {(place / 'log.txt').read_text()[-2000:]}")
        time.sleep(0.05)


def kill_jobs(kind: str, place: Path, kills: int, moments: random.Random) -> None:
    """Kill a job and its starter, check what is there, resume; in the end everything is done."""
    size = prepare(kind, place, kills)
    (folder,) = (place / "data" / f"{_JOBS[kind].name}s").iterdir()
    store, before = ResultStore(place / "results"), 0.0
    for number in range(kills):
        process = started(kind, place)
        if number % 4:  # else it is killed while it starts
            wait_for(process, place, lambda: not job.view(folder, _JOBS[kind]).can_resume)
        if number == 1:  # from now on there is something to lose
            wait_for(process, place, lambda: kept_by(kind, folder))
        time.sleep(moments.uniform(0, LONGEST_SECONDS))
        with_job = moments.random() < 0.5 or number == kills - 1
        before = max(before, kept_by(kind, folder))
        kill(process, folder if with_job else None)
        after = kept_by(kind, folder)
        check(after >= before, f"{kind}: {after:g} of {before:g} are there")
        store = ResultStore(place / "results")
        for row in store.list("").results:
            check(row.job == f"{folder.parent.name}/{folder.name}" and store.list("").total == 1, "another row")
        say(f"{kind} {number + 1}: {after:g} kept{', job killed, too' * with_job}")
        if job.view(folder, _JOBS[kind]).state == FINISHED:
            break
    process = started(kind, place)
    wait_for(process, place, lambda: any(row.state == COMPLETE for row in store.list("").results))
    kill(process, folder)
    (row,) = store.list("").results
    seen: JobView = job.view(folder, _JOBS[kind])  # type: ignore[type-arg]
    check(seen.state == FINISHED and row.figures.expressions and store.thumbnail(row), f"{kind}: not done")
    check(row.figures.pictures == size or row.figures.seconds > size - 1, f"{kind}: {row.figures}")
    say(f"{kind}: done, {row.figures}")


def kill_recordings(place: Path, kills: int, moments: random.Random) -> None:
    """Kill the process in front of a camera; each time another recording is left."""
    left: dict[str, float] = {}
    for number in range(kills):
        (place / "film.json").unlink(missing_ok=True)
        process = started(WEBCAM, place)
        wait_for(process, place, (place / "film.json").exists)
        time.sleep(moments.uniform(0, 10))
        said = json.loads((place / "film.json").read_text())
        kill(process, None)
        left[said["id"]] = said["seconds"]
        store = ResultStore(place / "results")
        store.sweep(time.time() + 2 * SILENT_SECONDS)
        rows = {row.id: row for row in store.list("", limit=1000).results}
        for result_id, seconds in left.items():
            check(result_id in rows, f"a recording of {seconds:.1f} s has no row")
            check_recording(store, rows[result_id], seconds)
        say(f"webcam {number + 1}: {kept_seconds(store, rows[said['id']]):.1f} of {said['seconds']:.1f} s are kept")


def kept_seconds(store: ResultStore, row: Result) -> float:
    """Return how much of a recording is stored; 0 without a timeline."""
    seen = read_timeline(store.folder(row) / TIMELINE_NAME)
    return seen.ends if seen else 0.0


def check_recording(store: ResultStore, row: Result, seconds: float) -> None:
    """Check that everything but the last seconds of a recording is stored."""
    check(row.state == INTERRUPTED, f"a recording is {row.state}")
    kept = kept_seconds(store, row)
    check(kept >= seconds - LOST_SECONDS, f"{kept:.1f} of {seconds:.1f} s of a recording are stored")
    video = store.picture(row)
    if seconds > 2 * LOST_SECONDS:
        check(video, "there is no video")
        with av.open(str(video)) as container:
            last = max(frame.time or 0.0 for frame in container.decode(video=0))
        check(last >= seconds - 3 * LOST_SECONDS, f"{last:.1f} of {seconds:.1f} s of a video play")


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


def main() -> int:
    """Kill as often as requested; return 0 if nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20, help="number of kills of each kind (20)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--place", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve, options.place)
    moments = random.Random(options.seed)
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as place:
            os.environ |= {DATA_VARIABLE: f"{place}/data", RESULTS_VARIABLE: f"{place}/results"}
            if kind == WEBCAM:
                kill_recordings(Path(place), options.kills, moments)
            else:
                kill_jobs(kind, Path(place), options.kills, moments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
