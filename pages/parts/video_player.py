"""A video and its timeline in one: the cursor follows the player, the chart leads it, key moments are chapters."""

from collections.abc import Callable
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from fer.charts.timeline import LIKELY, MOST_BARS, shown_people, stretches
from fer.labels import color_of
from fer.video.timeline import Marker, Timeline
from pages.parts.component import own_part
from pages.parts.picture_viewer import media_url

_HTML = """
<div class="player">
  <div class="top">
    <div class="stage">
      <video controls playsinline preload="auto"></video>
      <p class="lost" role="status" hidden>This browser cannot play the video; the timeline works without.</p>
    </div>
    <div class="card"><h3>Now</h3><ul class="now"></ul></div>
    <div class="card">
      <h3>Chapters</h3>
      <ol class="chapters"></ol>
      <form class="mark">
        <input type="text" maxlength="200" placeholder="What happens here?" aria-label="Text of a marker">
        <button type="submit">Add marker</button>
      </form>
    </div>
  </div>
  <div class="chart">
    <div class="lanes"></div>
    <div class="seek" role="slider" tabindex="0" aria-label="Moment of the video">
      <div class="flags" aria-hidden="true"></div>
      <div class="cursor"></div>
      <div class="tip" aria-hidden="true" hidden></div>
    </div>
  </div>
  <ul class="legend" aria-label="Colours of expressions"></ul>
  <p class="hint">Click or drag in the chart to go there; with the keyboard ← and → go by a second, Shift by a frame,
  the space bar plays. A name shows that person's probabilities.</p>
</div>
"""
_component = own_part("video_player", _HTML)


def video_player(
    seen: Timeline,
    video: Path | None,
    begins: float,
    moment: float,
    key: str,
    on_seek: Callable[[float], object],
    on_mark: Callable[[float, str], object],
    on_unmark: Callable[[Marker], object],
) -> None:
    """Show a video above who showed what when.

    Args:
        seen: in the video.
        video: the file to play, annotated or not; None: the timeline is shown alone.
        begins: the moment of the video that the file's first picture shows, in seconds.
        moment: where it is at first.
        key: names the player on its page.
        on_seek: is called with the moment at which it has come to rest, in seconds of the video, before the page runs
            again.
        on_mark: is called with a moment and a text that somebody has written there, likewise.
        on_unmark: is called with a marker that somebody has deleted, likewise.
    """

    def take_seek() -> None:
        if (seconds := st.session_state[key].seconds) is not None:
            on_seek(float(seconds))

    def take_mark() -> None:
        if marked := st.session_state[key].marked:
            on_mark(float(marked["seconds"]), str(marked["text"]))

    def take_unmark() -> None:
        if (place := st.session_state[key].unmarked) is not None and 0 <= place < len(seen.markers):
            on_unmark(seen.markers[place])

    _component(
        data=player_data(seen, moment, key)
        | {
            "id": f"{seen.name} {seen.frames} {seen.ends}",
            "url": media_url(video, f"{key} video", guess_type(video.name)[0] or "video/mp4") if video else None,
            "alt": f"{seen.name}, the video",
            "begins": begins,
        },
        key=key,
        on_seconds_change=take_seek,
        on_marked_change=take_mark,
        on_unmarked_change=take_unmark,
    )


def player_data(seen: Timeline, moment: float, key: str) -> dict[str, Any]:
    """Return what the player draws, as plain values: times in seconds of the video, probabilities in percent."""
    likely = seen.shown["probabilities"].max(axis=0, initial=0.0) >= LIKELY
    people, places = shown_people(seen), {label: place for place, label in enumerate(seen.labels)}
    longest = sorted((span for span in seen.spans if span.person in people), key=lambda span: -span.seconds)[:MOST_BARS]
    spans = sorted(longest, key=lambda span: span.start)
    chapters: list[dict[str, Any]] = [
        {
            "seconds": one.seconds,
            "text": one.label if len(seen.people) == 1 else f"{seen.name_of(one.person)}: {one.label}",
            "picture": media_url(one.thumbnail, f"{key} moment {number}"),
            "marker": None,
        }
        for number, one in enumerate(seen.key_moments())
    ]
    chapters += [
        {"seconds": one.seconds, "text": f"“{one.text}”", "picture": None, "marker": place}
        for place, one in enumerate(seen.markers)
    ]
    return {
        "starts": seen.starts,
        "ends": seen.ends,
        "moment": moment,
        "labels": [
            {"name": label, "color": color_of(label), "likely": bool(often)}
            for label, often in zip(seen.labels, likely, strict=True)
        ],
        "people": [
            {
                "number": person,
                "name": seen.name_of(person),
                "spans": [[span.start, span.end, places[span.label]] for span in spans if span.person == person],
                "lines": [_line(seen, own) for own in stretches(seen, person)],
                "corrected": [
                    [float(row["seconds"]), float(row["seconds"] + row["lasted"]), label]
                    for place, label in sorted(seen.corrected.items())
                    if (row := seen.rows[place])["person"] == person
                ],
            }
            for person in people
        ],
        "chapters": sorted(chapters, key=lambda one: one["seconds"]),
    }


def _line(seen: Timeline, places: np.ndarray) -> dict[str, Any]:
    """Return what some rows show, without a hole between them: the place of the label that is held, how probable each
    expression was, and the valence if known.
    """
    rows = seen.shown[places]
    return {
        "seconds": np.round(rows["seconds"], 3).tolist(),
        "ends": round(float(rows["seconds"][-1] + rows["lasted"][-1]), 3),
        "held": rows["held"].tolist(),
        "percents": np.round(100 * rows["probabilities"].astype(float), 1).tolist(),
        "valence": None if seen.valence is None else np.round(seen.valence[places].astype(float), 3).tolist(),
    }
