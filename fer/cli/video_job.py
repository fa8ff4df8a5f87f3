"""Analyze a video as a background job, as `fer-studio predict --video` does, and keep the timeline in its folder."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from fer.cli.command import Stop
from fer.cli.video import annotate
from fer.errors import VideoError
from fer.files import file_errors
from fer.jobs.job import write_request
from fer.jobs.status import STOPPED, Reporter
from fer.results.timeline import read_timeline, write_timeline
from fer.video.io.files import VideoFile
from fer.video.io.mp4 import Mp4Writer
from fer.video.io.sound import Sound
from fer.video.job import (
    DRAWING,
    KIND,
    LOADING,
    LOOKING,
    PREVIEW_NAME,
    SKIPPING,
    TIMELINE_NAME,
    WAITING,
    VideoRequest,
)
from fer.video.notes import Drawn, read_drawn, read_notes, write_drawn
from fer.video.preview import Preview
from fer.video.settings import MAX_SIDE_PX, VideoSettings

if TYPE_CHECKING:
    from fer.video.clip import ClipAnalysis

__all__ = ["KIND", "run"]

AT_ONCE = 2
"""This many videos are analyzed at the same time; the next ones wait."""
_LOOK_SECONDS = 0.3
_KEEP_SECONDS = 5.0
"""How often the timeline is saved; less often if saving takes long."""


def run(folder: Path, request: VideoRequest, reporter: Reporter, stop: Stop, threads: int | None = None) -> None:
    """Analyze a video from its beginning, or draw one that was analyzed.

    Raises:
        VideoError: the file is not a video, or the annotated video cannot be written.
    """
    try:
        with _turn(folder.parent, reporter):
            (_draw if request.draws_only else _look)(folder, request, reporter, stop)
    except VideoError as error:  # do not reveal where jobs are kept
        raise VideoError(str(error).replace(f"{folder}{os.sep}", "")) from error
    except KeyboardInterrupt:  # canceling an export while it waits does not change that the job is finished
        seen = read_timeline(folder / TIMELINE_NAME) if request.draws_only else None
        if not seen or not seen.complete:
            raise


@contextmanager
def _turn(parent: Path, reporter: Reporter) -> Iterator[None]:
    """Wait until fewer than `AT_ONCE` other videos are being analyzed."""
    locks = [FileLock(parent / f".turn-{number}.lock") for number in range(AT_ONCE)]
    while True:
        for lock in locks:
            with suppress(Timeout), lock.acquire(timeout=0):
                yield
                return
        reporter.say(WAITING, 0, 0)
        time.sleep(_LOOK_SECONDS)


def _look(folder: Path, request: VideoRequest, reporter: Reporter, stop: Stop) -> None:
    reporter.say(LOADING, 0, 0)
    from fer.recognition.recognizer import Recognizer
    from fer.video.clip import ClipAnalysis

    path, output = folder / request.path, request.annotated(folder)
    with closing(VideoFile(path, MAX_SIDE_PX)) as file:
        # One thread, as for all videos: decoding, drawing and writing run beside the model.
        recognizer = Recognizer.load(request.checkpoint, faces=request.faces, threads=1).for_video()
        analysis = ClipAnalysis(file, recognizer, request.options)
        keeper = _Keeper(folder / TIMELINE_NAME, analysis, reporter, stop)
        preview = Preview(folder / PREVIEW_NAME)
        problem: Exception | None = None
        stop.gently = True  # from here on there is something to finish
        try:
            with Mp4Writer(output, Sound.of(path, file.starts), file.shown_wh) as writer:
                try:
                    annotate(analysis, writer, keeper.goes_on, preview.show)
                    keeper.goes_on()  # the last frames come after its last call
                except VideoError:  # the annotated video cannot be written
                    raise
                except Exception as error:  # keep the annotated video up to this point
                    problem = error
        finally:
            keeper.keep()
            preview.forget()
            write_drawn(folder, Drawn(threshold=analysis.settings.threshold))
        if file.note:
            reporter.note(file.note)
        if problem:
            raise problem
    if stop.asked:
        reporter.set(STOPPED)


def _draw(folder: Path, request: VideoRequest, reporter: Reporter, stop: Stop) -> None:
    """Draw the annotated video again with the notes as they are now. If it is canceled, the old one stays."""
    seen, notes = read_timeline(folder / TIMELINE_NAME), read_notes(folder)
    if seen is None:
        raise VideoError(f"expected a timeline in {folder / TIMELINE_NAME}, found none. Analyze the video again.")
    told, drawn = notes.applied(seen), replace(read_drawn(folder), notes=notes.drawn)
    path, settings = folder / request.path, VideoSettings(threshold=drawn.threshold, mirror=False)
    from fer.draw.frame import draw_live
    from fer.video.clip import told_frames

    stop.gently = True
    with suppress(_NotWanted), closing(VideoFile(path, MAX_SIDE_PX)) as file:
        with Mp4Writer(request.annotated(folder), Sound.of(path, file.starts), file.shown_wh) as writer:
            for frame, faces in told_frames(file, request.options, told):
                reporter.say(DRAWING, max(frame.seconds - told.starts, 0.0), told.seconds)
                if faces is not None:
                    writer.write(draw_live(frame.image, faces, settings, told.names), frame.seconds)
                if stop.asked:
                    raise _NotWanted
        write_drawn(folder, drawn)
    write_request(folder, KIND, replace(request, draws_only=False))  # whoever resumes it wants it analyzed
    if not seen.complete:
        reporter.set(STOPPED)


class _NotWanted(Exception):
    """Somebody has stopped it."""


class _Keeper:
    """Reports the progress of a video, and saves its timeline regularly.

    When a job was interrupted, its earlier timeline is kept until the new one is as long.
    """

    def __init__(self, path: Path, analysis: "ClipAnalysis", reporter: Reporter, stop: Stop) -> None:
        self._path, self._analysis, self._reporter, self._stop = path, analysis, reporter, stop
        before = read_timeline(path)
        self._frames_before = before.frames if before else 0
        self._began: tuple[float, float] | None = None
        self._next = time.monotonic() + _KEEP_SECONDS

    def keep(self) -> None:
        began = time.monotonic()
        seen = self._analysis.timeline()
        if seen.complete or seen.frames >= self._frames_before:
            with file_errors("the timeline cannot be saved", VideoError):
                write_timeline(self._path, seen, durable=False)
        now = time.monotonic()
        self._next = now + max(_KEEP_SECONDS, 20 * (now - began))

    def goes_on(self) -> bool:
        """Report the progress; return whether nobody has stopped it."""
        analysis, now = self._analysis, time.monotonic()
        at, start, end = analysis.seconds, analysis.options.from_seconds, analysis.end_seconds
        self._began = self._began or (now, at)
        if at < start:  # skipping is faster than analyzing, so it must not count towards the speed
            self._began = now, at
        elapsed = now - self._began[0]
        figures = {
            "video_seconds": at,
            "frames": analysis.frames,
            "people": analysis.people,
            "speed": (at - self._began[1]) / elapsed if elapsed > 0 else 0.0,
        }
        if at < start:
            self._reporter.say(SKIPPING, 0, 0, figures)
        else:
            what = DRAWING if analysis.seen_all else LOOKING
            self._reporter.say(what, at - start, max(end - start, 0.0) if end else 0.0, figures)
        if now >= self._next:
            self.keep()
        return not self._stop.asked
