"""The command `fer-studio predict --video`."""

import argparse
import math
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from fer.cli.arguments import load_recognizer
from fer.cli.command import Stop, say
from fer.errors import VideoError
from fer.files import real_path
from fer.results.subtitles import to_srt, to_vtt
from fer.results.timeline import timeline_csv, timeline_json, timeline_text
from fer.video.neutral import MEDIAN
from fer.video.settings import MAX_SIDE_PX, ClipOptions
from fer.video.timeline import Timeline

if TYPE_CHECKING:
    import numpy as np

    from fer.video.clip import ClipAnalysis
    from fer.video.io.files import TimedFrame
    from fer.video.io.mp4 import Mp4Writer
    from fer.video.tracking import TrackedFace

_SUBTITLES = {".srt": to_srt, ".vtt": to_vtt}


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the options for videos only."""
    group.add_argument("--subtitles", type=Path, metavar="FILE", help="also write the expressions as .srt or .vtt")
    group.add_argument(
        "--from", type=_moment, default=0.0, dest="begin", metavar="TIME", help="start, as 45, 1:30 or 1:02:03 (0)"
    )
    group.add_argument("--to", type=_moment, dest="end", metavar="TIME", help="end (of the video)")
    group.add_argument("--every", type=int, default=1, metavar="N", help="analyze every Nth frame (1)")
    group.add_argument("--per-second", type=float, metavar="N", help="analyze at most N frames per second (all)")
    group.add_argument(
        "--smallest-face",
        type=float,
        default=12.5,
        metavar="PERCENT",
        help="smallest face to find, in percent of the video's shorter side (12.5)",
    )
    group.add_argument(
        "--rejoin",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="recognize people who come back by the color of their hair and clothes (yes)",
    )
    add_own_neutral(group)


def add_own_neutral(group: argparse._ActionsContainer) -> None:
    """Add --own-neutral."""
    group.add_argument(
        "--own-neutral",
        choices=(MEDIAN,),
        help="subtract each person's median face in the file, their resting face, from all their readings (off)",
    )


def _moment(text: str) -> float:
    try:
        parts = [float(part) for part in text.split(":")]
        if len(parts) <= 3 and all(0 <= part < math.inf for part in parts):
            return sum(part * 60**power for power, part in enumerate(reversed(parts)))
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected a time such as 45, 1:30 or 1:02:03, got {text}")


def predict_video(options: argparse.Namespace) -> int:
    """Analyze a video, write the requested files and print a summary; return the exit code."""
    with Stop() as stop:
        timeline = _looked_at(options, stop)
        _write(options, timeline)
    if options.json:
        print(timeline_json(timeline))
    else:
        say("\n".join(timeline_text(timeline, timeline.name)))
    for written in filter(None, (options.output, options.csv, options.subtitles)):
        say(f"written to {written}", aside=True)
    return stop.code(timeline.problem)


def seconds_bar(total: float | None) -> "tqdm[Any]":
    """Return a progress bar in seconds of video; `total` is None if the length is unknown."""
    form = "{l_bar}{bar}| {n:.0f} of {total:.0f} s, {remaining} left" if total else "{n:.0f} s, {elapsed}"
    return tqdm(total=total, bar_format=form, leave=False, disable=None)


def _looked_at(options: argparse.Namespace, stop: Stop) -> Timeline:
    # Imported here, so that photos work without PyAV.
    from fer.video.clip import ClipAnalysis
    from fer.video.io.files import VideoFile
    from fer.video.io.mp4 import Mp4Writer
    from fer.video.io.sound import Sound

    chosen = ClipOptions(
        options.begin,
        options.end,
        options.every,
        options.per_second,
        options.smallest_face / 100,
        rejoin=options.rejoin,
        median_neutral=options.own_neutral == MEDIAN,
    )
    _check_places(options)
    writer = None
    with ExitStack() as stack:
        file = stack.enter_context(closing(VideoFile(options.video, MAX_SIDE_PX)))
        if options.output:
            sound = Sound.of(options.video, file.starts)
            writer = stack.enter_context(Mp4Writer(options.output, sound, file.shown_wh))
        analysis = ClipAnalysis(file, load_recognizer(options, for_video=True), chosen)
        stop.gently = True
        end = analysis.end_seconds
        bar = stack.enter_context(seconds_bar(end))

        def goes_on() -> bool:
            bar.update(min(analysis.seconds, end or math.inf) - bar.n)
            return not stop.asked

        annotate(analysis, writer, goes_on)
    if not stop.asked and not analysis.frames:
        raise VideoError(
            f"expected --from before the end of the video at {file.ends:.1f} s, got {options.begin:g} s. Start earlier."
        )
    if file.note:
        say(f"note: {file.note}", aside=True)
    return analysis.timeline()


def annotate(
    analysis: "ClipAnalysis",
    writer: "Mp4Writer | None",
    goes_on: Callable[[], bool],
    drawn: "Callable[[np.ndarray], object]" = lambda image: None,
) -> None:
    """Analyze a video, and write it with its faces marked if there is a writer, to its end or until `goes_on` is false.

    `drawn` is called with each picture that is written, RGB uint8 (H, W, 3).
    """
    from fer.draw.frame import draw_live

    def take(frame: "TimedFrame", faces: "list[TrackedFace]") -> None:
        if writer:
            image = draw_live(frame.image, faces, analysis.settings)
            writer.write(image, frame.seconds)
            drawn(image)

    analysis.run(take if writer else None, goes_on)


def _check_places(options: argparse.Namespace) -> None:
    """Reject output files that could not be written at the end.

    Raises:
        VideoError: an output is the video itself, a folder, or has the wrong suffix.
    """
    for path in filter(None, (options.output, options.csv, options.subtitles)):
        if real_path(path) == real_path(options.video):
            raise VideoError(f"expected the output to differ from the video, got {path} for both. Choose another name.")
        if path.is_dir():
            raise VideoError(f"expected a file to write to, found the folder {path}. Add a file name.")
    if options.subtitles and options.subtitles.suffix.lower() not in _SUBTITLES:
        raise VideoError(f"expected --subtitles to end with .srt or .vtt, got {options.subtitles}. Change the suffix.")


def _write(options: argparse.Namespace, timeline: Timeline) -> None:
    if options.csv:
        options.csv.parent.mkdir(parents=True, exist_ok=True)
        with options.csv.open("w", encoding="utf-8", newline="") as table:
            table.writelines(timeline_csv(timeline))
    if options.subtitles:
        options.subtitles.parent.mkdir(parents=True, exist_ok=True)
        text = _SUBTITLES[options.subtitles.suffix.lower()](timeline)
        options.subtitles.write_text(text, encoding="utf-8")
