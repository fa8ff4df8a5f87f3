"""Summaries of many photos, a video or a recording for lists: figures and representative faces."""

import base64
from collections import Counter
from collections.abc import Sequence

import numpy as np

from fer.images import read_image
from fer.results.content import Content
from fer.results.journal import Finished
from fer.results.result import Figures
from fer.video.timeline import Timeline

MOST_FACES = 12


def summary_of_photos(finished: Sequence[Finished], unsure_below: float) -> tuple[Figures, Content]:
    """Return the figures of many photos, and the faces with the highest confidence.

    Args:
        finished: the analyzed pictures.
        unsure_below: the confidence below which a face is called unsure, 0..1.

    Raises:
        ImageError: a thumbnail cannot be read.
    """
    faces = [
        (face, picture)
        for one in finished
        for face, picture in zip(one.result.faces, one.thumbnails, strict=False)
        if one.result.error is None
    ]
    sure = Counter(face.label for face, _ in faces if face.confidence >= unsure_below)
    surest = sorted(faces, key=lambda pair: -pair[0].confidence)[:MOST_FACES]
    pictures = [base64.b64decode(picture.partition(",")[2]) for _, picture in surest]
    count = sum(len(one.result.faces) for one in finished if one.result.error is None)
    return Figures(faces=count, pictures=len(finished), expressions=sure), _faces(pictures)


def summary_of_timeline(seen: Timeline, unsure_below: float) -> tuple[Figures, Content]:
    """Return the figures of a video or a recording, and the faces of its key moments; see `summary_of_photos`."""
    is_sure = seen.confidences >= unsure_below
    seconds = np.bincount(seen.shown["held"][is_sure], seen.rows["lasted"][is_sure], len(seen.labels))
    shown = {label: round(float(lasted), 3) for label, lasted in zip(seen.labels, seconds, strict=True) if lasted}
    moments = sorted(seen.key_moments(), key=lambda moment: -moment.confidence)[:MOST_FACES]
    figures = Figures(people=len(seen.people), seconds=seen.seconds, expressions=shown)
    return figures, _faces([moment.thumbnail for moment in moments])


def _faces(pictures: Sequence[bytes]) -> Content:
    faces = [read_image(picture) for picture in pictures]
    return Content(thumbnail=faces[0] if faces else None, faces=faces)
