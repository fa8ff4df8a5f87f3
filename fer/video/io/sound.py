"""The sound of a video file, made ready for MP4."""

import os
from collections.abc import Iterator
from contextlib import suppress

import av
from av.audio.stream import AudioStream
from av.filter import Graph

from fer.video.io.decoding import reason

RATE = 48_000
"""Samples a second. Every browser plays it."""
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
            container = av.open(os.fspath(path))
        except (av.FFmpegError, OSError):
            return None
        stream = next((one for one in container.streams.audio if one.codec_context.channels), None)
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
        """Yield frames of AAC's length, counted from `start`, in the file's seconds."""
        graph = Graph()
        source = graph.add_abuffer(template=self._stream)
        sink = graph.add("abuffersink")
        graph.link_nodes(
            source,
            # Silence where nothing is said: else all that follows would be heard too soon.
            graph.add("aresample", f"{RATE}:async=1:first_pts=0"),
            graph.add("aformat", f"sample_fmts=fltp:sample_rates={RATE}:channel_layouts={self.layout}"),
            graph.add("asetnsamples", f"n={_SAMPLES}:p=0"),
            sink,
        ).configure()
        for frame in self._decoded():
            if frame.pts is None or frame.time_base is None:
                continue
            frame.pts -= round(start / frame.time_base)
            if frame.pts * frame.time_base + frame.samples / frame.sample_rate > 0:
                source.push(frame)
                yield from _pulled(sink)
        source.push(None)
        yield from _pulled(sink)

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
