"""Follow the faces of a camera, a video file or a stream, and show their expressions live.

    fer-studio live                                          # the first camera, in a window
    fer-studio live --source clip.mp4 --no-window --output faces.mp4
    fer-studio live --source rtsp://192.168.1.20/live --no-window --json

A camera or stream is read at its newest frame, so the model never delays it. A lost stream is reopened, with growing
pauses, for ten minutes; the timeline has a gap there. A file is read frame by frame, with the same readings as
`fer-studio predict --video`: each uses half a second of what follows.
Close the window with its button, q or Escape.

Exit code: 0 done; 1 something could not be opened, read or written, or the camera, stream or file failed (what came
before it is kept); 130 stopped by Ctrl-C or SIGTERM, with the --output file complete up to there.
"""

import argparse
import contextlib
import json
import math
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from fer.cli.arguments import add_model_arguments, load_recognizer
from fer.cli.command import Stop, command_parser, drop_unread, say, tells_errors
from fer.cli.video import add_own_neutral, seconds_bar
from fer.cli.window import VideoWindow
from fer.errors import VideoError, without_secrets
from fer.files import real_path
from fer.model.checkpoint import read_info
from fer.model.prior import BETWEEN, EVERYDAY
from fer.names import printable
from fer.recognition.quality import concerns
from fer.results.timeline import timeline_text
from fer.video.io.files import TimedFrame, VideoFile
from fer.video.io.live import LiveSource
from fer.video.io.mp4 import Mp4Writer
from fer.video.neutral import MEDIAN
from fer.video.settings import MAX_SIDE_PX, ClipOptions, VideoSettings
from fer.video.timeline import Timeline

if TYPE_CHECKING:
    from fer.recognition.recognizer import Recognizer
    from fer.video.tracking import TrackedFace


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = command_parser("live", __doc__, arguments)
    parser.add_argument("--source", default="0", help="a camera's number, a video file, or a stream's URL (0)")
    parser.add_argument("--output", type=Path, metavar="FILE.mp4", help="also write the video with the faces drawn")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each frame")
    parser.add_argument("--no-window", dest="window", action="store_false", help="do not open a window")
    parser.add_argument("--seconds", type=_seconds, default=math.inf, metavar="N", help="stop after N seconds of video")
    parser.add_argument(
        "--mirror",
        action=argparse.BooleanOptionalAction,
        help="mirror the window and the video, but not JSON (yes for cameras, no for files and streams)",
    )
    add_model_arguments(parser, acted=True)
    add_own_neutral(parser)
    options = parser.parse_args(arguments)
    if options.own_neutral and (options.source.isdecimal() or "://" in options.source):
        parser.error("--own-neutral needs a file, whose median is known at the end. For a camera, use the webcam page.")
    return options


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (number := float(text)) < math.inf:
            return number
    raise argparse.ArgumentTypeError(f"expected a number of seconds above 0, got {text}")


@tells_errors
def main(arguments: list[str] | None = None) -> int:
    """Follow faces until the video ends; return the exit code."""
    options = parse_arguments(arguments)
    name = without_secrets(options.source)
    with Stop() as stop, ExitStack() as stack:
        writer = Mp4Writer(options.output) if options.output else None
        source = stack.enter_context(closing(_open(options.source, options.output)))
        window = None
        if options.window:
            window = stack.enter_context(closing(VideoWindow(f"{name} – faces", "Loading the model …")))
        options.faces = options.faces or usual_faces(options.checkpoint, isinstance(source, VideoFile))
        recognizer = load_recognizer(options, for_video=True)
        if writer:
            stack.enter_context(writer)
        bar = None
        if not options.json and not window:
            length = source.seconds_expected if isinstance(source, VideoFile) else None
            bar = stack.enter_context(seconds_bar(length and min(length, options.seconds)))
        mirror = options.source.isdecimal() if options.mirror is None else options.mirror
        sinks = _Sinks(options.json, mirror, writer, window, bar, stop)
        stop.gently = True
        if isinstance(source, VideoFile):
            end = None if options.seconds == math.inf else options.seconds
            clip = ClipOptions(to_seconds=end, median_neutral=options.own_neutral == MEDIAN)
            timeline = _follow_file(source, recognizer, sinks, clip)
        else:
            timeline = _follow_live(source, recognizer, sinks, options.seconds)
    if not options.json:
        say("\n".join(timeline_text(timeline, name)))
    if isinstance(source, VideoFile) and source.note:
        say(f"note: {source.note}", aside=True)
    if options.output:
        written = f"written to {options.output}" if sinks.frames else "nothing written: no frames received"
        say(written, aside=True)
    code = stop.code(source.problem)
    if code == 0 and isinstance(source, LiveSource) and source.ended:
        say(f"{source.name} has ended", aside=True)
    return code


def usual_faces(checkpoint: Path, is_file: bool) -> str:
    """Return the default for --faces: people tend to act in front of a camera, but not in a file."""
    return BETWEEN if not is_file and read_info(checkpoint).can_be_corrected else EVERYDAY


def _open(source: str, output: Path | None) -> VideoFile | LiveSource:
    if source.isdecimal():
        return LiveSource(int(source))
    if "://" in source:
        return LiveSource(source, tell=lambda line: tqdm.write(printable(line), file=sys.stderr))
    if output and real_path(output) == real_path(source):
        raise VideoError(f"expected --output to differ from the video, got {output} for both. Choose another name.")
    return VideoFile(source, MAX_SIDE_PX)


@dataclass
class _Sinks:
    """Where the results go."""

    json: bool
    mirror: bool
    writer: Mp4Writer | None
    window: VideoWindow | None
    bar: "tqdm[Any] | None"
    stop: Stop
    frames: int = 0
    broken: bool = False
    """Whether the reader of the JSON has quit."""
    _due: float = 0.0
    _last: float = 0.0

    def go_on(self) -> bool:
        """Whether to continue: nobody has stopped it."""
        if self.window:
            self.window.update()
        return not (self.stop.asked or self.broken or (self.window and not self.window.open))

    def wait_for(self, seconds: float) -> None:
        """Play a file in the window at its own speed; delays are not caught up."""
        if self.window:
            self._due = max(self._due + seconds - self._last, time.monotonic())
            self._last = seconds
            while time.monotonic() < self._due and self.go_on():
                self.window.wait(min(self._due, time.monotonic() + 0.1))

    def take(
        self,
        seconds: float,
        image: np.ndarray,
        faces: Sequence["TrackedFace"],
        settings: VideoSettings,
        said: Sequence["TrackedFace"],
    ) -> None:
        """Print and draw a frame as requested; `said` has its faces in pixels of the source, for JSON."""
        from fer.draw.frame import draw_live

        self._say(seconds, said, settings.threshold)
        if self.broken:
            return
        if self.writer or self.window:
            drawn = draw_live(image, faces, replace(settings, mirror=self.mirror))
            if self.writer:
                self.writer.write(drawn, seconds)
            if self.window and self.window.open:
                self.window.show(drawn)
        self.frames += 1
        if self.bar is not None:
            self.bar.update(seconds - self.bar.n)

    def _say(self, seconds: float, faces: Sequence["TrackedFace"], unsure_below: float) -> None:
        """Print a frame as a line of JSON."""
        if not self.json or self.broken:
            return
        said = [face.to_dict() | {"concerns": list(concerns(face, unsure_below))} for face in faces]
        record = {"frame": self.frames, "seconds": round(seconds, 6), "faces": said}
        try:
            print(json.dumps(record), flush=True)
        except BrokenPipeError:
            self.broken = drop_unread()


def _follow_file(file: VideoFile, recognizer: "Recognizer", sinks: _Sinks, options: ClipOptions) -> Timeline:
    """Analyze every frame, with hindsight, as `fer-studio predict --video` does."""
    from fer.video.clip import ClipAnalysis

    analysis = ClipAnalysis(file, recognizer, options)

    def take(frame: TimedFrame, faces: "list[TrackedFace]") -> None:
        sinks.wait_for(frame.seconds)
        sinks.take(frame.seconds, frame.image, faces, analysis.settings, analysis.in_file(frame.image, faces))

    analysis.run(take, sinks.go_on)
    return analysis.timeline()


def _follow_live(source: LiveSource, recognizer: "Recognizer", sinks: _Sinks, seconds: float) -> Timeline:
    """Analyze the newest frame each time, until the source ends or somebody stops it."""
    from fer.video.live import LiveAnalyzer, LiveEngine
    from fer.video.tracking import within

    analyzer = LiveAnalyzer(LiveEngine(recognizer), VideoSettings(threshold=recognizer.info.unsure_below))
    ends = math.inf
    for frame in source.frames():
        if not sinks.go_on() or time.monotonic() >= ends or (frame and frame.seconds >= seconds):
            break
        if frame is not None:
            ends = min(ends, time.monotonic() + seconds)  # holds even if the stream is lost
            faces = analyzer.process(frame.image, frame.seconds)
            said = within(faces, frame.image.shape[1::-1], analyzer.size_wh)
            sinks.take(frame.seconds, frame.image, faces, analyzer.settings, said)
            time.sleep(analyzer.frame_pause)
    return analyzer.recorder.timeline(unsure_below=analyzer.settings.threshold)
