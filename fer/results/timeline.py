"""What was seen in a video file, as tables and JSON; the command line and the page write the same."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np

from fer.results.pictures import not_a_formula
from fer.video.timeline import ClipResult

_ROWS_AT_ONCE = 1000


def clip_csv(result: ClipResult) -> str:
    """Return CSV (RFC 4180) with a line for each face and frame, in the order of time."""
    return "".join(clip_csv_parts(result))


def clip_csv_parts(result: ClipResult) -> Iterator[str]:
    """Yield the same in parts, so that a long video's table need not be in memory."""
    start = ["frame", "seconds", "person", "x1", "y1", "x2", "y2", "score", "label", "confidence"]
    yield _lines([[*start, *map(not_a_formula, result.labels)]])
    for first in range(0, len(result.places), _ROWS_AT_ONCE):
        yield _lines([_row(result, row) for row in range(first, min(first + _ROWS_AT_ONCE, len(result.places)))])


def _lines(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _row(result: ClipResult, row: int) -> list[Any]:
    place, label = result.places[row], result.held[row]
    probabilities = [round(float(value), 4) for value in result.probabilities[row]]
    return [
        int(result.frame_numbers[place]),
        round(float(result.frame_seconds[place]), 3),
        int(result.persons[row]),
        *(round(float(value), 1) for value in result.boxes[row]),
        round(float(result.scores[row]), 4),
        not_a_formula(result.labels[label]),
        probabilities[label],
        *probabilities,
    ]


def clip_json(result: ClipResult) -> str:
    """Return JSON: the video, each person's times and spans, the transitions, and the frames in columns."""
    summary = result.summary()
    record = {
        "video": result.name,
        "size": list(result.size_wh),
        "from_seconds": result.starts,
        "to_seconds": round(result.ends, 3),
        "complete": result.complete,
        "problem": result.problem,
        "labels": list(result.labels),
        "frames_looked_at": len(result.frame_seconds),
        "people": [
            {
                "person": person,
                "seconds_by_expression": {label: round(seconds, 3) for label, seconds in summary[person].items()},
                "derived_tone_mean": tone if (tone := result.tone_of(person)) is None else round(tone, 4),
                "spans": [
                    {**asdict(span), "start": round(span.start, 3), "end": round(span.end, 3)}
                    for span in result.spans
                    if span.person == person
                ],
            }
            for person in result.people
        ],
        "transitions": [asdict(one) for one in result.transitions()],
        "rows": {
            "frame": result.frame_numbers[result.places].tolist(),
            "seconds": _rounded(result.frame_seconds[result.places], 3),
            "person": result.persons.tolist(),
            "label": result.held.tolist(),
            "box": _rounded(result.boxes, 1),
            "probabilities": _rounded(result.probabilities, 4),
        },
    }
    return json.dumps(record)


def _rounded(values: np.ndarray, digits: int) -> list[Any]:
    return np.round(values.astype(float), digits).tolist()
