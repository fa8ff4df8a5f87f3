"""The readings at the player's position, with a button to correct or confirm each."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from fer.charts.timeline import shown_people
from fer.images import shrink_to_fit
from fer.model.checkpoint import read_info
from fer.names import literal
from fer.recognition.photo import THUMBNAIL_PX
from fer.video.notes import keep_notes
from fer.video.timeline import Timeline
from fer.video.tracking import TrackedFace, within
from pages.parts.corrections import ask_label, my_corrections, offer_to_gather, say
from pages.parts.kept_photos import sha_of
from pages.parts.neutral import reading
from pages.parts.visitor import owner
from pages.parts.widgets import clock, show_not_human, show_opinions


@dataclass(frozen=True)
class Source:
    """The video and the model that a timeline was made from; either may be gone."""

    video: Path
    checkpoint: Path
    """The model file."""

    @property
    def is_there(self) -> bool:
        """Whether both still exist, so that faces can be cropped."""
        return self.video.is_file() and self.checkpoint.is_file()


def show_readings(
    folder: Path, seen: Timeline, result: Timeline, moment: float, source: Source, changed: Callable[[], object]
) -> None:
    """Show the readings at a moment, with buttons to correct or confirm them.

    Args:
        folder: the folder with the notes.
        seen: the timeline as stored in the folder.
        result: the timeline with the notes applied.
        moment: in seconds of the video.
        source: the video and the model.
        changed: called when the notes have changed.

    Raises:
        ResultsError: the corrections cannot be read.
    """
    people = shown_people(result)
    places = [place for place in result.places_at(moment) if result.rows["person"][place] in people]
    with st.container(gap="xsmall"):
        st.markdown(f"**At {clock(moment)}**")
        if not places:
            st.caption("No face is in view.")
        for place, face in zip(places, result.faces(places), strict=True):
            _show_reading(folder, seen, result, place, face, source, changed)
    if result.corrections and _may_gather() and not source.is_there:
        st.caption("The video or its model is gone. Your label is saved, but no face is added to *My corrections*.")
    offer_to_gather("video")


def _show_reading(
    folder: Path,
    seen: Timeline,
    result: Timeline,
    place: int,
    face: TrackedFace,
    source: Source,
    changed: Callable[[], object],
) -> None:
    row, now = result.rows[place], result.corrected.get(place)
    frame = int(row["frame"])
    # Notes number people as before any merge.
    is_same = (seen.rows["frame"] == frame) & (seen.rows["box"] == row["box"]).all(axis=1)
    person = int(seen.rows["person"][is_same.argmax()])

    def take(label: str | None) -> None:
        keep_notes(folder, lambda was: was.with_correction(frame, person, label), changed)
        if label is None or (_may_gather() and source.is_there):
            model = sha_of(source.checkpoint) if label else ""
            say(face.raw or face, label, lambda: _crop(source, face, float(row["seconds"]), result.size_wh), model)

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        icon = ":material/check:" if now == face.label else ":material/edit:"
        said = f" · {icon} {literal(now)}" if now else ""
        st.markdown(f"{literal(result.name_of(face.track_id or 0))}: {reading(face)}{said}", width="content")
        with st.popover("Not right?", key=f"not right {face.track_id}"):
            ask_label(face, now, f"{frame} {person}", take)
    if not face.looks_human:
        show_not_human(result.name_of(face.track_id or 0))
    show_opinions(face)


def _may_gather() -> bool:
    return owner() == "" and my_corrections().gather is not False


def _crop(source: Source, face: TrackedFace, seconds: float, size_wh: tuple[int, int]) -> np.ndarray:
    """Return the upright crop of a face, RGB uint8 (side, side, 3), at most `THUMBNAIL_PX` wide.

    Args:
        source: the video and the model.
        face: the face, in pixels of the video.
        seconds: its time in the video.
        size_wh: width and height of the video in pixels.

    Raises:
        FerError: the video or the model cannot be read.
    """
    from fer.video.io.files import picture_at  # imports PyAV, which the Results page does not need

    image = picture_at(source.video, seconds)
    (there,) = within([face], size_wh, image.shape[1::-1])
    return shrink_to_fit(read_info(source.checkpoint).preprocessing.crop(image, there), THUMBNAIL_PX)
