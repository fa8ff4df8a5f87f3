"""What `fer-studio predict --video` does."""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from fer.cli.interrupt import Stop
from fer.errors import FerError, VideoError
from fer.results.subtitles import to_srt, to_vtt
from fer.results.timeline import clip_csv_parts, clip_json
from fer.video.io.files import VideoFile
from fer.video.io.mp4 import Mp4Writer
from fer.video.io.sound import Sound
from fer.video.timeline import ClipResult

if TYPE_CHECKING:
    from fer.video.clip import ClipAnalysis, ClipOptions

    Begin = Callable[[VideoFile, ClipOptions, Mp4Writer | None], ClipAnalysis]

STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""
PEOPLE_LISTED = 10
_SUBTITLES = {".srt": to_srt, ".vtt": to_vtt}


def add_arguments(group: argparse._ArgumentGroup) -> None:
    """Add the options that concern videos alone."""
    group.add_argument("--subtitles", type=Path, metavar="FILE", help="also write the expressions as .srt or .vtt")
    group.add_argument("--from", type=_moment, default=0.0, dest="begin", metavar="TIME", help="45, 1:30, 1:02:03 (0)")
    group.add_argument("--to", type=_moment, default=math.inf, dest="end", metavar="TIME", help="(the end)")
    group.add_argument("--every", type=int, default=1, metavar="N", help="look at every Nth frame (1)")
    group.add_argument("--per-second", type=float, metavar="N", help="look at N frames a second at most (all)")
    group.add_argument(
        "--smallest-face", type=float, default=12.5, metavar="PERCENT", help="of the picture's shorter side (12.5)"
    )
    group.add_argument(
        "--rejoin",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="people who come back keep their number where hair and clothes tell",
    )


def _moment(text: str) -> float:
    try:
        parts = [float(part) for part in text.split(":")]
        if len(parts) <= 3 and all(0 <= part < math.inf for part in parts):
            return sum(part * 60**power for power, part in enumerate(reversed(parts)))
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"expected a time such as 45, 1:30 or 1:02:03, got {text}")


def predict_video(options: argparse.Namespace, begin: "Begin") -> int:
    """Look at a video, write what is asked for and print a summary; return the exit code.

    Args:
        options: of `add_arguments`, and video, output, csv, json.
        begin: loads the model, which takes seconds, so it is called when the options are known to be right.
    """
    with Stop() as stop:
        try:
            result = _looked_at(options, begin, stop)
            _write(options, result)
        except (FerError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            return STOPPED
    print(clip_json(result) if options.json else "\n".join(_summary(result)))
    for written in filter(None, (options.output, options.csv, options.subtitles)):
        print(f"written to {written}", file=sys.stderr)
    if stop.asked:
        print("stopped: this is the part up to there", file=sys.stderr)
        return STOPPED
    if result.problem:
        print(f"error: {result.problem}", file=sys.stderr)
        return 1
    return 0


def _looked_at(options: argparse.Namespace, begin: "Begin", stop: Stop) -> ClipResult:
    from fer.video.clip import MAX_SIDE_PX, ClipOptions  # here, as it brings torch

    chosen = ClipOptions(
        options.begin,
        options.end,
        options.every,
        options.per_second,
        options.smallest_face / 100,
        rejoin=options.rejoin,
    )
    _check_places(options)
    writer = None
    with ExitStack() as stack:
        file = stack.enter_context(closing(VideoFile(options.video, MAX_SIDE_PX)))
        if file.seconds_expected and options.begin >= file.seconds_expected:
            raise VideoError(f"expected --from before the end, got {options.begin:g} of {file.seconds_expected:.1f} s.")
        if options.output:
            writer = stack.enter_context(Mp4Writer(options.output, Sound.of(options.video, file.starts)))
        analysis = begin(file, chosen, writer)
        stop.gently = True
        _follow(analysis, stop)
    return analysis.result()


def _follow(analysis: "ClipAnalysis", stop: Stop) -> None:
    end = analysis.end_seconds
    form = "{l_bar}{bar}| {n:.0f} of {total:.0f} s, {remaining} left" if end else None
    with tqdm(total=end, unit=" s", bar_format=form, leave=False, disable=None) as bar:
        for seconds in analysis.steps():
            bar.update(min(seconds, end or math.inf) - bar.n)
            if stop.asked:
                analysis.finish()
                return


def _check_places(options: argparse.Namespace) -> None:
    """Say at once what could not be written at the end.

    Raises:
        VideoError: a place is that of the video, or is none to write to.
    """
    for path in filter(None, (options.output, options.csv, options.subtitles)):
        if path.resolve() == options.video.resolve():
            raise VideoError(f"expected another file to write to than the video, got {path} for both.")
        if path.is_dir():
            raise VideoError(f"expected a file to write to, found the folder {path}.")
    if options.subtitles and options.subtitles.suffix.lower() not in _SUBTITLES:
        raise VideoError(f"expected --subtitles to end with .srt or .vtt, got {options.subtitles}.")


def _write(options: argparse.Namespace, result: ClipResult) -> None:
    if options.csv:
        options.csv.parent.mkdir(parents=True, exist_ok=True)
        with options.csv.open("w", encoding="utf-8", newline="") as table:
            table.writelines(clip_csv_parts(result))
    if options.subtitles:
        options.subtitles.parent.mkdir(parents=True, exist_ok=True)
        text = _SUBTITLES[options.subtitles.suffix.lower()](result)
        options.subtitles.write_text(text, encoding="utf-8")


def _summary(result: ClipResult) -> Iterator[str]:
    people = result.summary()
    crowd = "nobody" if not people else "1 person" if len(people) == 1 else f"{len(people)} people"
    yield f"{result.name}: {len(result.frame_seconds)} frames looked at, {result.seconds:.1f} s, {crowd} seen"
    longest = sorted(people, key=lambda person: -sum(people[person].values()))[:PEOPLE_LISTED]
    for person in sorted(longest):
        expressions = ", ".join(f"{label} {seconds:.1f} s" for label, seconds in people[person].items())
        yield f"  person {person}: {expressions}"
        for one in result.transitions():
            if one.person == person:
                yield f"    {one.seconds:8.1f} s  {one.before} → {one.after}"
    if len(people) > PEOPLE_LISTED:
        yield f"  … and {len(people) - PEOPLE_LISTED} who were there for less long"
