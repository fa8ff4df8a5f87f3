"""Notes that a visitor makes on an analyzed video: names, merges, hidden people, corrections, markers.

They are stored beside the timeline, which stays as it is, together with earlier states, so that they can be undone.
Corrections are not part of that: undoing a name keeps them.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from filelock import FileLock

from fer.errors import VideoError
from fer.faces import UNSURE_BELOW
from fer.files import MOST_BYTES, file_errors
from fer.names import printable
from fer.records import read_record, to_json, write_record
from fer.video.neutral import Baseline
from fer.video.timeline import Correction, Marker, Moment, Timeline

NOTES_NAME, DRAWN_NAME = "notes.json", "drawn.json"
_DAMAGED = "damaged-notes"
MOST_LETTERS = 200
"""Longest name or marker."""
_MOST_STATES = 100
"""How many states are kept to undo changes; fewer if they exceed half of the file's limit."""


@dataclass(frozen=True)
class Notes:
    """Names, merges, hidden people, own neutrals, markers, and corrected or confirmed readings."""

    names: dict[int, str] = field(default_factory=dict)
    merged: dict[int, int] = field(default_factory=dict)
    """Person → the same person's other number, which is not merged itself."""
    hidden: tuple[int, ...] = ()
    markers: tuple[Marker, ...] = ()
    """Ordered by time."""
    corrections: tuple[Correction, ...] = ()
    """At most one per frame and person, who is numbered as before any merge."""
    neutral: dict[int, Baseline | None] = field(default_factory=dict)
    """Person → the own neutral that replaces the one found by the analysis; None: nothing is subtracted."""

    @property
    def drawn(self) -> "Notes":
        """The notes that an annotated video shows."""
        return replace(self, markers=(), corrections=())

    def named(self, person: int, name: str) -> "Notes":
        """Return notes in which a person has this name; an empty one removes it.

        Raises:
            VideoError: another person has this name.
        """
        name = _line(name)
        others = {number: other for number, other in self.names.items() if number != person}
        if name in others.values():
            raise VideoError(
                f"expected a name that nobody else has, but another person is called {name}. Merge the two, or choose "
                "another name."
            )
        return replace(self, names=others | ({person: name} if name else {}))

    def with_merged(self, person: int, into: int) -> "Notes":
        """Return notes in which a person is merged into another, who is not merged; the name is passed on."""
        merged = {one: into if other == person else other for one, other in self.merged.items()}
        names = {one: name for one, name in self.names.items() if one != person}
        if into not in names and person in self.names:
            names[into] = self.names[person]
        return replace(self, names=names, merged=merged | {person: into})

    def split(self, person: int) -> "Notes":
        """Return notes in which a person is no longer merged."""
        return replace(self, merged={one: into for one, into in self.merged.items() if one != person})

    def with_hidden(self, person: int, hide: bool = True) -> "Notes":
        """Return notes in which a person is hidden, or no longer hidden."""
        others = tuple(one for one in self.hidden if one != person)
        return replace(self, hidden=(*others, person) if hide else others)

    def marked(self, seconds: float, text: str) -> "Notes":
        """Return notes with one more marker, at this second of the video.

        Raises:
            VideoError: the text is empty.
        """
        if not (text := _line(text)):
            raise VideoError("expected text for the marker, found none. Write what happens there.")
        markers = (*self.markers, Marker(round(seconds, 3), text))
        return replace(self, markers=tuple(sorted(markers, key=lambda marker: marker.seconds)))

    def unmarked(self, marker: Marker) -> "Notes":
        """Return notes without a marker."""
        return replace(self, markers=tuple(one for one in self.markers if one != marker))

    def with_neutral(self, seen: Timeline, person: int, own: Baseline | None) -> "Notes":
        """Return notes in which a person has this own neutral, or none, whatever the analysis found."""
        others = {one: other for one, other in self.neutral.items() if one != person}
        return replace(self, neutral=others if own == seen.baselines.get(person) else others | {person: own})

    def with_correction(self, frame: int, person: int, label: str | None) -> "Notes":
        """Return notes in which a person shows this label in a frame; None removes the correction."""
        others = tuple(one for one in self.corrections if (one.frame, one.person) != (frame, person))
        return replace(self, corrections=(*others, Correction(frame, person, label)) if label else others)

    def applied(self, seen: Timeline) -> Timeline:
        """Apply the notes to a timeline, which has none.

        If two merged people were seen in the same frame, there were two boxes on one face: the merged person's box is
        removed.
        """
        was = seen.rows["person"]
        now = was.copy()
        for person, into in self.merged.items():
            now[was == person] = into
        there = np.flatnonzero(~np.isin(now, self.hidden))
        frames = seen.rows["frame"]
        order = there[np.lexsort((now[there] != was[there], now[there], frames[there]))]  # one's own box comes first
        first = (np.diff(frames[order], prepend=-1) != 0) | (np.diff(now[order], prepend=-1) != 0)
        places = np.sort(order[first])
        rows = seen.rows[places]
        rows["person"] = now[places]
        return replace(
            seen,
            rows=rows,
            peaks=self._peaks(seen),
            baselines={
                person: own
                for person, own in (seen.baselines | self.neutral).items()
                if own and person not in self.merged
            },
            names=self.names,
            markers=self.markers,
            corrections=tuple(replace(one, person=self.merged.get(one.person, one.person)) for one in self.corrections),
        )

    def _peaks(self, seen: Timeline) -> tuple[Moment, ...]:
        best: dict[tuple[int, str], Moment] = {}
        for peak in seen.peaks:
            person = self.merged.get(peak.person, peak.person)
            before = best.get((person, peak.label))
            if person not in self.hidden and (before is None or peak.confidence > before.confidence):
                best[person, peak.label] = replace(peak, person=person)
        return tuple(best.values())


@dataclass(frozen=True)
class Drawn:
    """What an annotated video shows; stored beside it."""

    notes: Notes = field(default_factory=Notes)
    """`Notes.drawn` when it was drawn."""
    threshold: float = UNSURE_BELOW
    """Faces with a lower confidence were called unsure, 0..1."""


def read_drawn(folder: Path) -> Drawn:
    """Return what the annotated video in a job's folder shows; a video by an earlier version shows no notes."""
    return read_record(folder / DRAWN_NAME, Drawn) or Drawn()


def write_drawn(folder: Path, drawn: Drawn) -> None:
    """Save what the annotated video in a job's folder shows.

    Raises:
        VideoError: the file cannot be written.
    """
    with file_errors("how the video was drawn cannot be saved", VideoError):
        write_record(folder / DRAWN_NAME, drawn)


def is_drawn_as_noted(folder: Path) -> bool:
    """Whether the annotated video in a job's folder shows the current notes; raises like `read_notes`."""
    return read_drawn(folder).notes == read_notes(folder).drawn


@dataclass(frozen=True)
class _Kept:
    states: tuple[Notes, ...] = (Notes(),)
    """The newest is last; there is at least one."""


def read_notes(folder: Path) -> Notes:
    """Return the notes in a job's folder; empty notes if there are none.

    A damaged file is renamed, see `damaged_notes`.

    Raises:
        VideoError: a damaged file cannot be renamed.
    """
    return _states(folder)[-1]


def damaged_notes(folder: Path) -> list[str]:
    """Return the names of the damaged notes in a job's folder, oldest first."""
    return sorted(path.name for path in folder.glob(f"{_DAMAGED}-*.json"))


def can_undo(folder: Path) -> bool:
    """Whether there is a change to undo in a job's folder; raises like `read_notes`."""
    return len(_states(folder)) > 1


def keep_notes(folder: Path, change: Callable[[Notes], Notes], tell: Callable[[], object] = lambda: None) -> None:
    """Change the notes in a job's folder, and call `tell`; nothing happens if they stay the same.

    Raises:
        VideoError: the change cannot be made or saved.
    """
    with _changing(folder):
        states = _states(folder)
        changed = change(states[-1])
        if changed == states[-1]:
            return
        if replace(changed, corrections=states[-1].corrections) == states[-1]:
            states = states[:-1]
        _write(folder, (*states, changed)[-_MOST_STATES:])
    tell()


def undo_notes(folder: Path, tell: Callable[[], object] = lambda: None) -> None:
    """Undo the latest change, if there is one, and call `tell`; corrections stay.

    Raises:
        VideoError: the notes cannot be saved.
    """
    with _changing(folder):
        *before, now = _states(folder)
        if not before:
            return
        _write(folder, (*before[:-1], replace(before[-1], corrections=now.corrections)))
    tell()


def renew_notes(folder: Path) -> None:
    """Keep only the markers, for another analysis, in which people may have other numbers.

    Raises:
        VideoError: the notes cannot be saved.
    """
    with _changing(folder):
        _write(folder, (Notes(markers=read_notes(folder).markers),))


@contextmanager
def _changing(folder: Path) -> Iterator[None]:
    """Let one tab or process at a time read, change and write the notes.

    Raises:
        VideoError: the notes cannot be locked or written.
    """
    with file_errors("the notes cannot be saved", VideoError), FileLock(folder / ".notes.lock"):
        yield


def _states(folder: Path) -> tuple[Notes, ...]:
    path = folder / NOTES_NAME
    kept = read_record(path, _Kept)
    if kept is None and path.exists():
        with file_errors("damaged notes cannot be renamed", VideoError), suppress(FileNotFoundError):
            path.rename(folder / time.strftime(f"{_DAMAGED}-%Y%m%d-%H%M%S.json"))
    return (kept or _Kept()).states or (Notes(),)


def _write(folder: Path, states: tuple[Notes, ...]) -> None:
    while len(states) > 1 and len(to_json(_Kept(states)).encode()) > MOST_BYTES // 2:
        states = states[1:]
    write_record(folder / NOTES_NAME, _Kept(states))


def _line(text: str) -> str:
    """Return a text as one line that is safe in subtitles, where "-->" separates times."""
    return printable(" ".join(text.split()))[:MOST_LETTERS].replace("-->", "→")
