"""Expressions and markers as subtitles: SRT for players, WebVTT for browsers."""

import html
import math
from collections.abc import Iterator
from itertools import pairwise

from fer.video.timeline import Timeline

MARKER_SECONDS = 2.0
"""How long a marker is shown."""
SHORTEST_SECONDS = 0.2
"""Shorter cues could not be read, so they extend the cue before."""
Cue = tuple[float, float, list[str]]
"""Start and end in seconds, and a line for each person and marker."""
_Shown = tuple[float, float, float, str]
"""Start and end in seconds, the sort key among the lines, and the line."""


def cues(timeline: Timeline) -> Iterator[Cue]:
    """Yield cues that do not overlap, each with the expressions of all people in view."""
    spans = sorted(_shown(timeline))
    moments = sorted({moment for start, end, *_ in spans for moment in (start, end)})
    current: list[_Shown] = []
    waiting = 0
    pending: Cue | None = None
    for start, end in pairwise(moments):
        current = [span for span in current if span[1] > start]
        while waiting < len(spans) and spans[waiting][0] <= start:
            current.append(spans[waiting])
            waiting += 1
        lines = [line for *_, line in sorted(current, key=lambda span: span[2:])]
        if pending and (pending[2] == lines or end - start < SHORTEST_SECONDS) and pending[1] == start and lines:
            pending = pending[0], end, pending[2]
        else:
            if pending:
                yield pending
            pending = (start, end, lines) if lines else None
    if pending:
        yield pending


def _shown(timeline: Timeline) -> Iterator[_Shown]:
    alone = len(timeline.people) == 1 and not timeline.names
    for span in timeline.spans:
        line = span.label if alone else f"{timeline.name_of(span.person)}: {span.label}"
        yield span.start, span.end, span.person, line
    for marker in timeline.markers:
        yield marker.seconds, marker.seconds + MARKER_SECONDS, math.inf, f"• {marker.text}"


def to_srt(timeline: Timeline) -> str:
    """Return SubRip subtitles; times refer to the annotated video, which begins where the analysis began."""
    written = (_written(cue, timeline.starts, ",") for cue in cues(timeline))
    return "".join(f"{number}\n{cue}" for number, cue in enumerate(written, start=1))


def to_vtt(timeline: Timeline) -> str:
    """Return WebVTT subtitles, see `to_srt`."""
    escaped = ((start, end, [html.escape(line, quote=False) for line in lines]) for start, end, lines in cues(timeline))
    return "WEBVTT\n\n" + "".join(_written(cue, timeline.starts, ".") for cue in escaped)


def _written(cue: Cue, starts: float, point: str) -> str:
    """Return a cue with its times as "hh:mm:ss,mmm", where `point` is the format's decimal separator."""
    clocks = []
    for seconds in cue[:2]:
        whole, thousandths = divmod(max(round(1000 * (seconds - starts)), 0), 1000)
        clocks.append(f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{thousandths:03}")
    return "\n".join([" --> ".join(clocks), *cue[2]]) + "\n\n"
