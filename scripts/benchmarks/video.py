"""The speed of a video file's analysis: `python scripts/benchmark.py video`.

Clips are generated, with sound: a moving photo of an astronaut, for speed; a drawn person whose expression changes at
known times, to see how well the timeline finds them.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psutil

from fer.cli.video import annotate
from fer.datasets.drawing.clip import FRAMES_PER_SECOND, TIMELINE, known_frames, write_clip
from fer.jobs.process import available_cores
from fer.recognition.recognizer import Recognizer
from fer.video.clip import ClipAnalysis
from fer.video.io.files import VideoFile
from fer.video.io.mp4 import Mp4Writer
from fer.video.io.sound import Sound
from fer.video.settings import MAX_SIDE_PX
from fer.video.timeline import Timeline
from scripts.benchmarks.live import moving_photo


def measure(checkpoint: Path, threads: int = 1, seconds: float = 10) -> dict[str, Any]:
    """A generated file of this many seconds, including the annotated video.

    Speed relative to real time, memory, and whether changes of expression are found at the right time.
    """
    recognizer = Recognizer.load(checkpoint, threads=threads or available_cores()).for_video()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = moving_photo(1)
        clip = write_clip(folder / "photo.mp4", (photo(n) for n in range(round(seconds * FRAMES_PER_SECOND))))
        analyzed(recognizer, write_clip(folder / "warm.mp4", (photo(n) for n in range(15))), folder / "out.mp4")
        before, highest = resident_mb(), 0.0

        def watch() -> None:
            nonlocal highest
            highest = max(highest, resident_mb())

        began = time.monotonic()
        result = analyzed(recognizer, clip, folder / "out.mp4", watch)
        with_video = time.monotonic() - began
        began = time.monotonic()
        analyzed(recognizer, clip)
        without_video = time.monotonic() - began
        known = analyzed(recognizer, write_clip(folder / "known.mp4", known_frames()))
        errors = change_errors(known)
        return {
            "640×480, 30 fps, one face, writing the video (× real time)": seconds / with_video,
            "the same without writing (× real time)": seconds / without_video,
            "memory above that of the loaded model (MB)": max(highest - before, 0.0),
            "results in memory (bytes per frame)": result.rows.nbytes / max(result.frames, 1),
            "people found (1 is correct)": len(result.people),
            f"changes found of {len(TIMELINE) - 1}": sum(error < 0.3 for error in errors),
            "largest time error (ms)": 1000 * max(errors),
        }


def analyzed(
    recognizer: Recognizer,
    path: Path,
    output: Path | None = None,
    watch: Callable[[], None] = lambda: None,
) -> Timeline:
    """Analyze a whole video and return the timeline.

    Args:
        recognizer: see `ClipAnalysis`.
        path: the video.
        output: path of the annotated video, if wanted.
        watch: called regularly.
    """
    with ExitStack() as stack:
        file = stack.enter_context(closing(VideoFile(path, MAX_SIDE_PX)))
        writer = stack.enter_context(Mp4Writer(output, Sound.of(path, file.starts))) if output else None
        analysis = ClipAnalysis(file, recognizer)

        def goes_on() -> bool:
            if analysis.frames % 30 == 0:
                watch()
            return True

        annotate(analysis, writer, goes_on)
    return analysis.timeline()


def change_errors(result: Timeline, truth: Sequence[tuple[float, str]] = TIMELINE) -> list[float]:
    """Return for each true change the time difference in seconds to the nearest detected change to that expression."""
    found = result.transitions()
    return [
        min((abs(one.seconds - seconds) for one in found if one.after == label), default=float("inf"))
        for seconds, label in truth[1:]
    ]


def resident_mb() -> float:
    """Return the memory of this process in MB."""
    return psutil.Process().memory_info().rss / 2**20
