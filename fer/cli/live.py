"""Follow the faces in a camera's picture, a video file or a stream, and name their expressions while they move.

    fer-studio live                                          # the first camera, in a window
    fer-studio live --source clip.mp4 --no-window --output faces.mp4
    fer-studio live --source rtsp://192.168.1.20/live --no-window --json

Of a camera or a stream the newest frame counts, and the model never holds it up. Of a file every frame counts.
The window is closed with its button, q or Escape.

Exit code: 0 done; 1 something cannot be opened, read or written, or the camera, the stream or the file broke off (what
came before is done all the same); 130 stopped by Ctrl-C or SIGTERM, with the --output file complete up to there.
"""

import argparse
import contextlib
import json
import math
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from fer.cli.arguments import add_model_arguments
from fer.cli.command import command_parser
from fer.cli.interrupt import Stop
from fer.cli.window import VideoWindow
from fer.errors import FerError, VideoError
from fer.video.io.files import LiveSource, TimedFrame, VideoFile
from fer.video.io.mp4 import Mp4Writer

if TYPE_CHECKING:
    from fer.video.history import History
    from fer.video.live import LiveAnalyzer
    from fer.video.tracking import TrackedFace

PEOPLE_LISTED = 10
STOPPED = 130
"""Exit code after Ctrl-C, as shells have it."""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command_parser("live", __doc__, arguments)
    parser.add_argument("--source", default="0", help="a camera's number, a video file, or a stream's URL (0)")
    parser.add_argument("--output", type=Path, metavar="FILE.mp4", help="also write the video with the faces drawn")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each frame")
    parser.add_argument("--no-window", dest="window", action="store_false", help="show no window")
    parser.add_argument("--seconds", type=_seconds, default=math.inf, metavar="N", help="end after N seconds of video")
    parser.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        help="show and write it as in a mirror; JSON is not mirrored (cameras only)",
    )
    add_model_arguments(parser)
    parser.add_argument("--device", default="cpu", help="cpu, cuda, mps (cpu)")
    return parser.parse_args(arguments)


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, got {text}")


def main(arguments: list[str] | None = None) -> int:
    """Follow faces until the video ends; return the exit code."""
    options = parse_arguments(arguments)
    with Stop() as stop:
        try:
            return _run(options, stop)
        except (FerError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("stopped", file=sys.stderr)
            return STOPPED


def _run(options: argparse.Namespace, stop: Stop) -> int:
    with ExitStack() as stack:
        writer = Mp4Writer(options.output) if options.output else None
        source = stack.enter_context(closing(_open(options.source, options.output)))
        window = None
        if options.window:
            window = stack.enter_context(closing(VideoWindow(f"{options.source} – faces", "Loading the model …")))
        analyzer = _analyzer(options, source)
        if writer:
            stack.enter_context(writer)
        bar = _bar(source, options) if not options.json and not window else None
        sinks = _Sinks(options.json, writer, window, bar)
        stop.gently = True
        _follow(source, analyzer, sinks, options.seconds, stop)
        if bar is not None:
            bar.close()
    return _conclude(options, source, analyzer.history, sinks, stop)


def _open(source: str, output: Path | None) -> VideoFile | LiveSource:
    if source.isdecimal():
        return LiveSource(int(source))
    if "://" in source:
        return LiveSource(source)
    if output and output.resolve() == Path(source).resolve():
        raise VideoError(f"expected --output to be another file than the video, got {output} for both.")
    return VideoFile(source)


def _analyzer(options: argparse.Namespace, source: VideoFile | LiveSource) -> "LiveAnalyzer":
    # After the options are known to be right, since it takes seconds.
    import torch

    from fer.model.device import choose_device
    from fer.recognition.recognizer import Recognizer
    from fer.video.clip import ClipAnalyzer
    from fer.video.live import LiveAnalyzer, LiveEngine, LiveSettings

    torch.set_num_threads(1)  # as on the page: drawing and writing go on beside the model
    recognizer = Recognizer.load(options.checkpoint, choose_device(options.device), options.faces).for_video()
    mirror = options.source.isdecimal() if options.mirror is None else options.mirror
    settings = LiveSettings(mirror=mirror, threshold=recognizer.info.unsure_below)
    if isinstance(source, VideoFile):
        return ClipAnalyzer(recognizer, settings)
    return LiveAnalyzer(LiveEngine(recognizer), settings)


@dataclass
class _Sinks:
    """Where the results go."""

    json: bool
    writer: Mp4Writer | None
    window: VideoWindow | None
    bar: "tqdm[None] | None"
    frames: int = 0

    def take(self, frame: TimedFrame, faces: Sequence["TrackedFace"], analyzer: "LiveAnalyzer") -> None:
        from fer.draw.frame import draw_live

        if self.json:
            record = {
                "frame": self.frames,
                "seconds": round(frame.seconds, 6),
                "faces": [face.to_dict() for face in faces],
            }
            print(json.dumps(record), flush=True)
        if self.writer or self.window:
            image = draw_live(frame.image, faces, analyzer.settings)
            if self.writer:
                self.writer.write(image, frame.seconds)
            if self.window:
                self.window.show(image)
        self.frames += 1
        if self.bar is not None:
            self.bar.update()


def _follow(
    source: VideoFile | LiveSource, analyzer: "LiveAnalyzer", sinks: _Sinks, seconds: float, stop: Stop
) -> None:
    """Take frame after frame until the video ends or somebody ends it."""
    frames: Iterator[TimedFrame | None] = source.frames()
    due = last = 0.0
    for frame in frames:
        if sinks.window:
            sinks.window.update()
            if frame is not None and isinstance(source, VideoFile):
                due = max(due + frame.seconds - last, time.monotonic())  # where it was slow, it does not catch up
                last = frame.seconds
                while time.monotonic() < due and sinks.window.open and not stop.asked:
                    sinks.window.wait(min(due, time.monotonic() + 0.1))
        if stop.asked or (sinks.window and not sinks.window.open) or (frame and frame.seconds >= seconds):
            return
        if frame is None:
            continue
        try:
            sinks.take(frame, analyzer.process(frame.image, frame.seconds), analyzer)
        except BrokenPipeError:  # who read the JSON has enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return
        if isinstance(source, LiveSource):
            time.sleep(analyzer.frame_pause)


def _bar(source: VideoFile | LiveSource, options: argparse.Namespace) -> "tqdm[None]":
    total = None
    if isinstance(source, VideoFile) and source.frames_expected:
        total = min(source.frames_expected, math.ceil(min(options.seconds, 1e6) * source.frames_per_second))
    return tqdm(total=total, unit=" frames", leave=False, disable=None)


def _conclude(
    options: argparse.Namespace, source: VideoFile | LiveSource, history: "History", sinks: _Sinks, stop: Stop
) -> int:
    """Say what was seen and written; return the exit code."""
    if not options.json:
        print("\n".join(_summary(options.source, sinks.frames, history)))
    if options.output:
        print(
            f"written to {options.output}" if sinks.frames else "nothing written: there was no frame to write",
            file=sys.stderr,
        )
    if stop.asked:
        print("stopped", file=sys.stderr)
        return STOPPED
    if source.problem:
        print(f"error: {source.problem}", file=sys.stderr)
        return 1
    if isinstance(source, LiveSource) and source.ended:
        print(f"{source.name} has ended", file=sys.stderr)
    return 0


def _summary(name: str, frames: int, history: "History") -> list[str]:
    people = history.summary()
    crowd = "nobody" if not people else "1 person" if len(people) == 1 else f"{len(people)} people"
    lines = [f"{name}: {frames} frames, {history.seconds:.1f} s, {crowd} seen"]
    longest = sorted(people, key=lambda person: -sum(people[person].values()))[:PEOPLE_LISTED]
    for person in sorted(longest):
        expressions = ", ".join(f"{label} {seconds:.1f} s" for label, seconds in people[person].items())
        lines.append(f"  person {person}: {expressions}")
    if len(people) > PEOPLE_LISTED:
        lines.append(f"  … and {len(people) - PEOPLE_LISTED} who were there for less long")
    return lines


if __name__ == "__main__":
    sys.exit(main())
