"""The timeline of a video as CSV, JSON and text, the same for the commands and the pages."""

import csv
import io
import json
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from fer.faces import NOT_HUMAN
from fer.files import read_arrays, replace_file
from fer.names import not_a_formula, printable
from fer.recognition.quality import concerns
from fer.records import to_json
from fer.results.pictures import BOX_DIGITS, CORRECTED, DIGITS, READING_COLUMNS, TOLD_COLUMNS, told_of
from fer.video.timeline import VALENCE, Marker, Timeline, row_type
from fer.video.tracking import TrackedFace

PEOPLE_LISTED = 10
_ROWS_AT_ONCE = 1000
_COLUMNS = ("frame", "seconds", "lasted", "person", *READING_COLUMNS, "valence")


def timeline_csv(timeline: Timeline) -> Iterator[str]:
    """Yield CSV (RFC 4180) with a line for each row, in parts, so that the table of a long video is never in memory.

    After the labels follow the columns that tables of photos have, too: `TOLD_COLUMNS`; the last one is `CORRECTED`. If
    an own neutral is subtracted, further columns have the original readings (raw_…) and what was subtracted. If people
    have names, there is a column for them. If there are markers, they have a column, and each has a separate line with
    only its time in seconds.
    """
    labels = list(map(not_a_formula, timeline.labels))
    raw = ["raw_label", "raw_confidence", *(f"raw_{label}" for label in timeline.labels)]
    off = [
        "neutral_how",
        "neutral_start",
        "neutral_end",
        "neutral_strength",
        *(f"neutral_shift_{label}" for label in timeline.labels),
    ]
    noted = ["name"] * bool(timeline.names) + ["marker"] * bool(timeline.markers) + [CORRECTED]
    columns = [*_COLUMNS, *labels, *TOLD_COLUMNS, *(raw + off if timeline.baselines else []), *noted]
    yield _lines([columns])
    rest = deque(timeline.markers)
    for first in range(0, len(timeline.rows), _ROWS_AT_ONCE):
        lines: list[list[Any]] = []
        places = range(first, min(first + _ROWS_AT_ONCE, len(timeline.rows)))
        for place, face in zip(places, timeline.faces(places), strict=True):
            while rest and rest[0].seconds <= timeline.rows["seconds"][place]:
                lines.append(_marked(rest.popleft(), columns, noted))
            told = [word and not_a_formula(word) for word in told_of(face, timeline.unsure_below)]
            lines.append(_line(timeline, place) + told + _raw(timeline, place) + _named(timeline, place))
        yield _lines(lines)
    if rest:
        yield _lines([_marked(marker, columns, noted) for marker in rest])


def _lines(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _line(timeline: Timeline, place: int) -> list[Any]:
    """Return `_COLUMNS` and the probability of each label."""
    row = timeline.shown[place]
    frame, person, box, score = int(row["frame"]), int(row["person"]), _rounded(row["box"], BOX_DIGITS), row["score"]
    seconds, lasted = _rounded(row["seconds"], 3), _rounded(row["lasted"], 3)
    probabilities, label = _rounded(row["probabilities"], DIGITS), not_a_formula(timeline.labels[row["held"]])
    confidence = probabilities[row["held"]]
    valence = "" if timeline.valence is None else _rounded(timeline.valence[place], DIGITS)
    return [frame, seconds, lasted, person, *box, _rounded(score, DIGITS), label, confidence, valence, *probabilities]


def _named(timeline: Timeline, place: int) -> list[str]:
    """Return the name and no marker, each only if it has a column, and the corrected label."""
    name = not_a_formula(timeline.names.get(int(timeline.rows["person"][place]), ""))
    corrected = not_a_formula(timeline.corrected.get(place, ""))
    return [name] * bool(timeline.names) + [""] * bool(timeline.markers) + [corrected]


def _marked(marker: Marker, columns: list[str], noted: list[str]) -> list[Any]:
    """Return the line of a marker in a table whose last columns are `noted`."""
    line: list[Any] = [""] * len(columns)
    line[_COLUMNS.index("seconds")] = round(marker.seconds, 3)
    line[noted.index("marker") - len(noted)] = not_a_formula(marker.text)
    return line


def _raw(timeline: Timeline, place: int) -> list[Any]:
    """Return the original reading and what is subtracted from it; nothing if no person has an own neutral."""
    if not timeline.baselines:
        return []
    row, off = timeline.rows[place], timeline.baselines.get(int(timeline.rows[place]["person"]))
    probabilities, label = _rounded(row["probabilities"], DIGITS), not_a_formula(timeline.labels[row["held"]])
    what: list[Any] = [""] * (4 + len(timeline.labels))
    if off:
        what = [off.how, round(off.starts, 3), round(off.ends, 3), off.strength, *_rounded(np.array(off.shift), DIGITS)]
    return [label, probabilities[row["held"]], *probabilities, *what]


def timeline_json(timeline: Timeline) -> str:
    """Return JSON: the video, each person's times and spans, the transitions, and all rows.

    The rows are stored by column; where these are labels of the model, they are indices. A person has `NOT_HUMAN` as a
    concern if it holds for most of the time. The rows of a camera or a stream, which are few, are also listed one by
    one ("samples"). If an own neutral is subtracted, "baselines" describes it and the rows have the original readings
    as well.
    """
    rows, summary = timeline.shown, timeline.summary()
    faces = timeline.faces(range(len(rows)))
    said = [face.said for face in faces]
    record: dict[str, Any] = {
        "video": timeline.name,
        "size": list(timeline.size_wh),
        "from_seconds": timeline.starts,
        "to_seconds": round(timeline.ends, 3),
        "seconds": round(timeline.seconds, 3),
        "complete": timeline.complete,
        "problem": timeline.problem,
        "labels": list(timeline.labels),
        "valence": VALENCE,
        "frames_looked_at": timeline.frames,
        "seconds_by_person": {str(person): seconds for person, seconds in summary.items()},
        "people": [
            {
                "person": person,
                "name": timeline.names.get(person, ""),
                "concerns": [NOT_HUMAN] * (person in timeline.doubted),
                "seconds_by_expression": {label: round(seconds, 3) for label, seconds in summary[person].items()},
                "valence_mean": (valence := timeline.valence_of(person)) and round(valence, DIGITS),
                "spans": [
                    {**asdict(span), "start": round(span.start, 3), "end": round(span.end, 3)}
                    for span in timeline.spans
                    if span.person == person
                ],
            }
            for person in timeline.people
        ],
        "transitions": [asdict(one) for one in timeline.transitions()],
        "markers": [asdict(marker) for marker in timeline.markers],
        "rows": {
            "frame": rows["frame"].tolist(),
            "seconds": _rounded(rows["seconds"], 3),
            "lasted": _rounded(rows["lasted"], 3),
            "person": rows["person"].tolist(),
            "label": rows["held"].tolist(),
            "box": _rounded(rows["box"], BOX_DIGITS),
            "probabilities": _rounded(rows["probabilities"], DIGITS),
            "valence": None if timeline.valence is None else _rounded(timeline.valence, DIGITS),
            "raters_say": [both and timeline.labels.index(both[0]) for both in said],
            "label_says": [both and timeline.labels.index(both[1]) for both in said],
            "concerns": [list(concerns(face, timeline.unsure_below)) for face in faces],
            CORRECTED: [timeline.corrected.get(place) for place in range(len(rows))],
        },
    }
    if timeline.baselines:
        record["neutral"] = dict(zip(timeline.labels, timeline.neutral, strict=True))
        record["baselines"] = [
            {"person": person, **asdict(own), "shift": dict(zip(timeline.labels, own.shift, strict=True))}
            for person, own in sorted(timeline.baselines.items())
        ]
        record["rows"] |= {
            "raw_label": timeline.rows["held"].tolist(),
            "raw_probabilities": _rounded(timeline.rows["probabilities"], DIGITS),
        }
    if not timeline.name:
        record["samples"] = [_sample(timeline, place, face) for place, face in enumerate(faces)]
    return json.dumps(record)


def _sample(timeline: Timeline, place: int, face: TrackedFace) -> dict[str, Any]:
    line, (raters, label) = _line(timeline, place), face.said or (None, None)
    known = dict(zip(_COLUMNS, line, strict=False))
    sample = {name: known[name] for name in ("seconds", "lasted", "person", "confidence")}
    probabilities = dict(zip(timeline.labels, line[len(_COLUMNS) :], strict=True))
    sample |= {"label": face.label, "probabilities": probabilities, "raters_say": raters, "label_says": label}
    sample |= {"concerns": list(concerns(face, timeline.unsure_below)), CORRECTED: timeline.corrected.get(place)}
    if timeline.baselines:
        row = timeline.rows[place]
        read = dict(zip(timeline.labels, _rounded(row["probabilities"], DIGITS), strict=True))
        sample |= {"raw_label": timeline.labels[row["held"]], "raw_probabilities": read}
    return sample


def _rounded(values: np.ndarray, digits: int) -> Any:
    return np.round(values.astype(float), digits).tolist()


def timeline_text(timeline: Timeline, name: str) -> Iterator[str]:
    """Yield lines for a terminal: each person with the seconds of each expression and, for a file, the transitions."""
    people = timeline.summary()
    crowd = "nobody" if not people else "1 person" if len(people) == 1 else f"{len(people)} people"
    yield f"{printable(name)}: {timeline.frames} frames analyzed, {timeline.seconds:.1f} s, {crowd} seen"
    longest = sorted(people, key=lambda person: -sum(people[person].values()))[:PEOPLE_LISTED]
    for person in sorted(longest):
        expressions = ", ".join(f"{label} {seconds:.1f} s" for label, seconds in people[person].items())
        doubt = f"; {NOT_HUMAN}" * (person in timeline.doubted)
        own = timeline.baselines.get(person)
        yield f"  {printable(timeline.name_of(person))}: {expressions}{doubt}" + (
            f"; own neutral subtracted ({own.how})" if own else ""
        )
        for one in timeline.transitions() if timeline.name else ():  # a camera may run for days
            if one.person == person:
                yield f"    {one.seconds:8.1f} s  {one.before} → {one.after}"
    if len(people) > PEOPLE_LISTED:
        yield f"  … and {len(people) - PEOPLE_LISTED} more, seen for a shorter time"


def write_timeline(path: Path, timeline: Timeline, durable: bool = True) -> None:
    """Write a timeline as an .npz file, as a whole or not at all, for `read_timeline`.

    Raises:
        OSError: the file cannot be written.
    """
    about = {field.name: getattr(timeline, field.name) for field in fields(timeline)} | {"rows": None}
    replace_file(path, lambda file: np.savez(file, rows=timeline.rows, about=np.array(to_json(about))), durable)


def read_timeline(path: Path) -> Timeline | None:
    """Read a file written by `write_timeline`; None if it is missing or damaged."""
    try:
        arrays = read_arrays(path)
        rows, about = arrays["rows"], str(arrays["about"])
        timeline = msgspec.json.decode(about, type=Timeline, dec_hook=lambda _kind, _value: rows)
        if rows.ndim != 1 or rows.dtype.names is None:
            return None
        kept = np.zeros(len(rows), row_type(len(timeline.labels)))
        kept["landmarks"] = kept["opinions"] = kept["score_again"] = np.nan  # earlier versions did not keep them
        for name in rows.dtype.names or ():
            kept[name] = rows[name]
        return _checked(replace(timeline, rows=kept))
    except (OSError, ValueError, TypeError, LookupError, RecursionError, msgspec.MsgspecError):
        return None


def _checked(timeline: Timeline) -> Timeline:
    """Return the timeline unchanged; raise ValueError if its parts contradict each other."""
    rows, count = timeline.rows, len(timeline.labels)
    numbers = [rows[name].ravel() for name in ("seconds", "lasted", "score", "box", "probabilities")]
    numbers += [np.array([timeline.starts, timeline.ends])]
    shifts = [timeline.neutral, *(one.shift for one in timeline.baselines.values())]
    if not all(np.isfinite(one).all() for one in numbers) or any(
        np.isinf(rows[name]).any() for name in ("landmarks", "opinions")
    ):
        raise ValueError("a number is not finite")
    if len(rows) and not (0 <= rows["held"].min() <= rows["held"].max() < count):
        raise ValueError("a row has no label")
    if not (rows["box"][:, :2] < rows["box"][:, 2:]).all():
        raise ValueError("a box is empty")
    if not all(len(shift) in (0, count) for shift in shifts) or not all(shifts[1:]):
        raise ValueError("the own neutral does not match the labels")
    return timeline
