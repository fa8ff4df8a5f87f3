"""Read the sound of a video file for MP4."""

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
"""Samples per second; every browser plays it."""
_FORMAT = "fltp"
"""Floats, one plane per channel, as the AAC encoder expects."""
_SAMPLES = 1024
"""Samples in a frame of AAC."""


class Sound:
    """The first sound stream of a file from some time on, in one or two channels, without gaps, decoded on demand."""

    def __init__(self, container: "av.container.InputContainer", stream: AudioStream, starts: float) -> None:
        """Take an open file; callers use `Sound.of`."""
        self._container, self._stream, self._starts = container, stream, starts
        self.layout = "mono" if stream.codec_context.channels == 1 else "stereo"
        self.problem = ""
        """Why reading ended, if unexpectedly."""
        self._frames: Iterator[av.AudioFrame] | None = None
        self._next: av.AudioFrame | None = None

    @classmethod
    def of(cls, path: str | os.PathLike[str], starts: float) -> "Sound | None":
        """Open the sound of a file; return None if there is none that can be read.

        Args:
            path: the file.
            starts: when the first picture is shown, in seconds of the file's time (`VideoFile.starts`).
        """
        try:
            container = av.open(os.fspath(path), metadata_errors="replace")
        except (av.FFmpegError, OSError):
            return None
        known = (one for one in container.streams.audio if one.codec_context)  # None: unknown codec
        stream = next((one for one in known if one.codec_context.channels), None)
        if stream is None:
            container.close()
            return None
        return cls(container, stream, starts)

    def begin(self, seconds: float) -> None:
        """Go to a time, in seconds since the file's first picture; call this once, before `until`."""
        self._frames = self._resampled(self._starts + seconds)
        self._next = next(self._frames, None)

    def until(self, seconds: float) -> Iterator[av.AudioFrame]:
        """Yield the sound up to a time since `begin` that was not yielded before, planar float at `RATE`."""
        while self._frames and self._next is not None and (self._next.pts or 0) / RATE <= seconds:
            yield self._next
            self._next = next(self._frames, None)

    def close(self) -> None:
        """Close the file."""
        self._frames = self._next = None
        self._container.close()

    def _resampled(self, start: float) -> Iterator[av.AudioFrame]:
        """Yield frames of AAC's length, counted from `start`, in seconds of the file's time."""
        graph = Graph()
        source = graph.add_abuffer(sample_rate=RATE, format=_FORMAT, layout=self.layout, time_base=Fraction(1, RATE))
        sink = graph.add("abuffersink")
        graph.link_nodes(
            source,
            # Fill gaps with silence: otherwise all later sound would come too early.
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
        """Yield the sound from `start` in one format, whatever the file's format and however that changes."""
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
                self.problem = f"the sound was interrupted ({reason(error)})"
                return
            if packet is None:
                return
            frames: list[av.AudioFrame] = []
            with suppress(av.FFmpegError):  # damaged parts are silent
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
