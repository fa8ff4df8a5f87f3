"""The sound of a video file, made ready for MP4."""

import os
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction

import av
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.filter import Graph

from fer.video.io.decoding import FrameClock, largest_step, reason

RATE = 48_000
"""Samples a second. Every browser plays it."""
_FORMAT = "fltp"
"""Floats, a plane for each channel: what the AAC encoder takes."""
_SAMPLES = 1024
"""A frame of AAC."""


class Sound:
    """The first sound of a file from some moment on, in one or two channels, without gaps, decoded as it is needed."""

    def __init__(self, container: "av.container.InputContainer", stream: AudioStream, starts: float) -> None:
        """Take an open file; use `Sound.of`."""
        self._container, self._stream, self._starts = container, stream, starts
        self.layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        self.problem = ""
        """Why it ended, if that was not to be expected."""
        self._frames: Iterator[av.AudioFrame] | None = None
        self._next: av.AudioFrame | None = None

    @classmethod
    def of(cls, path: str | os.PathLike[str], starts: float) -> "Sound | None":
        """Open the sound of a file; None where it has none that can be read.

        Args:
            path: the file.
            starts: when the first picture is shown in the file's own time, in seconds (`VideoFile.starts`).
        """
        try:
            container = av.open(os.fspath(path), metadata_errors="replace")
        except (av.FFmpegError, OSError):
            return None
        known = (one for one in container.streams.audio if one.codec_context)  # None: of an unknown codec
        stream = next((one for one in known if one.codec_context.channels), None)
        if stream is None:
            container.close()
            return None
        return cls(container, stream, starts)

    def begin(self, seconds: float) -> None:
        """Go to a moment, in seconds since the first picture of the file; once, before anything is asked for."""
        self._frames = self._resampled(self._starts + seconds)
        self._next = next(self._frames, None)

    def until(self, seconds: float) -> Iterator[av.AudioFrame]:
        """Yield what is heard up to a moment since `begin` and was not yielded before, float planar at `RATE`."""
        while self._frames and self._next is not None and (self._next.pts or 0) / RATE <= seconds:
            yield self._next
            self._next = next(self._frames, None)

    def close(self) -> None:
        """Close the file."""
        self._frames = self._next = None
        self._container.close()

    def _resampled(self, start: float) -> Iterator[av.AudioFrame]:
        """Yield frames of AAC's length, counted from `start`, in the file's seconds as its pictures' are."""
        graph = Graph()
        source = graph.add_abuffer(sample_rate=RATE, format=_FORMAT, layout=self.layout, time_base=Fraction(1, RATE))
        sink = graph.add("abuffersink")
        graph.link_nodes(
            source,
            # Silence where nothing is said: else all that follows would be heard too soon.
            graph.add("aresample", f"{RATE}:async=1:first_pts=0"),
            graph.add("asetnsamples", f"n={_SAMPLES}:p=0"),
            sink,
        ).configure()
        for frame in self._alike(start):
            source.push(frame)
            yield from _pulled(sink)
        source.push(None)
        yield from _pulled(sink)

    def _alike(self, start: float) -> Iterator[av.AudioFrame]:
        """Yield what is heard from `start` on in one form, whatever it has in the file and whenever that changes."""
        clock, begins = FrameClock(_SAMPLES / RATE, largest_step(self._container)), self._starts
        resampler, known = None, None
        for frame in self._decoded():
            form, lasts = (frame.format.name, frame.layout.name, frame.sample_rate), frame.samples / frame.sample_rate
            if known is None and frame.time is not None:
                begins = frame.time
            if resampler is None or form != known:
                yield from resampler.resample(None) if resampler else ()
                resampler, known = AudioResampler(_FORMAT, self.layout, RATE), form
            heard = begins - start + clock.place(frame.time, lasts)
            if heard + lasts > 0:
                frame.time_base = Fraction(1, frame.sample_rate)
                frame.pts = round(heard * frame.sample_rate)
                yield from resampler.resample(frame)
        yield from resampler.resample(None) if resampler else ()

    def _decoded(self) -> Iterator[av.AudioFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.FFmpegError as error:
                self.problem = f"the sound breaks off ({reason(error)})"
                return
            if packet is None:
                return
            frames: list[av.AudioFrame] = []
            with suppress(av.FFmpegError):  # a damaged moment is silent
                frames = self._stream.decode(packet)
            yield from frames


def _pulled(sink: "av.filter.context.FilterContext") -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = sink.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.AudioFrame)
        yield frame
