"""A video player with a timeline: the cursor follows the video, the chart controls it, key moments are chapters."""

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
      <p class="lost" role="status" hidden>This browser cannot play the video. The timeline still works.</p>
    </div>
    <div class="card"><h3>Now</h3><ul class="now"></ul></div>
    <div class="card">
      <h3>Chapters</h3>
      <ol class="chapters"></ol>
      <form class="mark">
        <input type="text" maxlength="200" placeholder="What happens here?" aria-label="Marker text">
        <button type="submit">Add marker</button>
      </form>
    </div>
  </div>
  <div class="chart">
    <div class="lanes"></div>
    <div class="seek" role="slider" tabindex="0" aria-label="Position in the video">
      <div class="flags" aria-hidden="true"></div>
      <div class="cursor"></div>
      <div class="tip" aria-hidden="true" hidden></div>
    </div>
  </div>
  <ul class="legend" aria-label="Colors of expressions"></ul>
  <p class="hint">Click or drag in the chart to move through the video. Keyboard: ← and → move one second, with Shift
  one frame; Space plays or pauses. Click a name to see that person's probabilities.</p>
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
    on_mark: Callable[[float, str], object] | None = None,
    on_unmark: Callable[[Marker], object] | None = None,
) -> None:
    """Show a video above its timeline.

    Args:
        seen: the timeline to show.
        video: the file to play, annotated or not; None: only the timeline is shown.
        begins: the second of the video at which the file starts.
        moment: the initial position, in seconds of the video.
        key: of the component.
        on_seek: called with the position where the player has stopped, in seconds of the video, before the page reruns.
        on_mark: called with the position and text of a new marker, likewise; None: markers cannot be added.
        on_unmark: called with a marker that was deleted, likewise; None: markers cannot be deleted.
    """

    def take_seek() -> None:
        if (seconds := st.session_state[key].seconds) is not None:
            on_seek(float(seconds))

    def take_mark() -> None:
        if on_mark and (marked := st.session_state[key].marked):
            on_mark(float(marked["seconds"]), str(marked["text"]))

    def take_unmark() -> None:
        place = st.session_state[key].unmarked
        if on_unmark and place is not None and 0 <= place < len(seen.markers):
            on_unmark(seen.markers[place])

    _component(
        data=player_data(seen, moment, key)
        | {
            "id": f"{seen.name} {seen.frames} {seen.ends}",
            "url": media_url(video, f"{key} video", guess_type(video.name)[0] or "video/mp4") if video else None,
            "alt": f"Video {seen.name}",
            "begins": begins,
            "marks": on_mark is not None,
        },
        key=key,
        on_seconds_change=take_seek,
        on_marked_change=take_mark,
        on_unmarked_change=take_unmark,
    )


def player_data(seen: Timeline, moment: float, key: str) -> dict[str, Any]:
    """Return the player's data as plain values: times in seconds of the video, probabilities in percent."""
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
    """Return rows without gaps between them: the index of the shown label, all probabilities, and valence if known."""
    rows = seen.shown[places]
    return {
        "seconds": np.round(rows["seconds"], 3).tolist(),
        "ends": round(float(rows["seconds"][-1] + rows["lasted"][-1]), 3),
        "held": rows["held"].tolist(),
        "percents": np.round(100 * rows["probabilities"].astype(float), 1).tolist(),
        "valence": None if seen.valence is None else np.round(seen.valence[places].astype(float), 3).tolist(),
    }
