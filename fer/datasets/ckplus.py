"""CK+ as released by its authors (Lucey et al. 2010): whole frames of sequences from neutral to an expression.

    cohn-kanade-images/S010/001/S010_001_00000014.png
    Emotion/S010/001/S010_001_00000014_emotion.txt           one number; only 327 of 593 sequences have one
    Landmarks/S010/001/S010_001_00000014_landmarks.txt       68 lines "x y", used to crop the face

The last three frames of each labeled sequence are used, as is usual with CK+.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fer.datasets.dataset import FaceDataset, FaceInFrame, Picture, Progress
from fer.datasets.splits import complete_splits
from fer.errors import DatasetError
from fer.faces import Box, Detection
from fer.files import visible
from fer.images import read_image
from fer.labels import FERPLUS
from fer.model.preprocessing import Preprocessing

KIND = "CK+"
EMOTIONS = ("neutral", "anger", "contempt", "disgust", "fear", "happiness", "sadness", "surprise")
"""In the order of the numbers in the emotion files."""
PEAK_FRAMES = 3
IMAGES = ("cohn-kanade-images", "extended-cohn-kanade-images")
LABELS = ("Emotion", "Emotion_labels", "Emotions")
LANDMARKS = ("Landmarks",)
EYES_APART = 0.37
"""Distance of the eyes as a share of the side of FER2013's square crops, measured on its pictures."""
EYES_HEIGHT = 0.39
"""Their height in these crops, from the top."""
_SUBJECT = re.compile(r"S\d{3}", re.IGNORECASE)


def matches(path: Path) -> bool:
    """Whether the path looks like this layout."""
    return path.is_dir() and _tree(path, IMAGES) is not None


def open_path(path: Path, progress: Progress | None = None, *, neutral: bool = False) -> FaceDataset:
    """Open the folder trees in a path; with `neutral`, the first frame of each labeled sequence counts as neutral.

    Raises:
        DatasetError: a tree is missing, or one of its files is invalid.
    """
    images, emotions, landmarks = (_tree(path, names) for names in (IMAGES, LABELS, LANDMARKS))
    if images is None or emotions is None:
        raise DatasetError(
            f"expected the folders {IMAGES[0]} and {LABELS[0]} of CK+ in {path}, each with S005, S010, …, found only "
            f"{images.name if images else 'neither'}. Unpack Emotion_labels.zip of CK+ there."
        )
    pictures: list[Picture] = []
    words: list[str] = []
    subjects: list[str] = []
    unlabeled = 0
    for sequence in sorted(filter(Path.is_dir, images.glob("[Ss]*/*"))):
        frames = [file for file in visible(sequence) if file.suffix.lower() == ".png"]
        if not frames:
            continue
        place = sequence.relative_to(images)
        emotion = _emotion(emotions / place)
        if emotion is None:
            unlabeled += 1
            continue
        chosen = [(frame, emotion) for frame in frames[-PEAK_FRAMES:]]
        if neutral and len(frames) > PEAK_FRAMES:
            chosen.insert(0, (frames[0], "neutral"))
        for frame, word in chosen:
            pictures.append(_face_in(frame, landmarks / place) if landmarks else frame)
            words.append(word)
            subjects.append(place.parts[0].upper())
    if not pictures:
        raise DatasetError(
            f"expected files like S010/001/S010_001_00000014_emotion.txt in {emotions}, found none for the "
            f"{unlabeled} sequences in {images}. Unpack Emotion_labels.zip of CK+ there."
        )
    _check_cropped(path, pictures)
    labels = tuple(label for label in FERPLUS if label in words)
    left_out = f"{unlabeled} sequences without an emotion file were left out, as CK+ recommends."
    return complete_splits(
        FaceDataset(
            name=f"CK+ ({path.name})",
            labels=labels,
            votes=np.eye(len(labels), dtype=np.float32)[[labels.index(word) for word in words]],
            splits=np.full(len(words), ""),
            pictures=pictures,
            subjects=np.array(subjects),
            notes=(left_out,) if unlabeled else (),
        ),
        progress,
    )


def _tree(path: Path, names: Sequence[str]) -> Path | None:
    """Return the folder with one of these names that has S010 and so on; unpacking often nests one in another."""
    for folder in (*(path / name for name in names), *(path / outer / name for outer in names for name in names)):
        if folder.is_dir() and any(_SUBJECT.fullmatch(entry.name) for entry in folder.iterdir()):
            return folder
    return None


def _emotion(folder: Path) -> str | None:
    """Return the expression in a sequence's emotion file, None if there is no file."""
    files = visible(folder) if folder.is_dir() else []
    file = next((file for file in files if file.name.lower().endswith("_emotion.txt")), None)
    if file is None:
        return None
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    try:
        return dict(enumerate(EMOTIONS))[float(text)]  # type: ignore[index]  # 3.0 finds 3
    except (ValueError, KeyError):
        raise DatasetError(
            f"expected a number from 0 to {len(EMOTIONS) - 1} ({', '.join(EMOTIONS)}) in {file}, found "
            f"{text[:40]!r}. Copy the file from CK+ again."
        ) from None


def _face_in(frame: Path, landmarks: Path) -> FaceInFrame:
    """Return the frame with its face, such that the crop shows as much as FER2013's pictures do."""
    file = landmarks / f"{frame.stem}_landmarks.txt"
    try:
        points = np.loadtxt(file, ndmin=2)
        if points.shape != (68, 2) or not np.isfinite(points).all():
            raise ValueError(f"found an array of {points.shape}")
        return FaceInFrame(frame, _detection(points))
    except (OSError, ValueError) as error:
        raise DatasetError(
            f"expected 68 lines with x and y of a face in {file} ({error}). Copy the file from Landmarks.zip of CK+."
        ) from error


def _detection(points: np.ndarray) -> Detection:
    """Return the face with these 68 points, float (68, 2) in pixels (iBUG's order)."""
    eyes = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    across = eyes[1] - eyes[0]
    side_px = float(np.hypot(*across)) / EYES_APART
    down = np.array([-across[1], across[0]]) / EYES_APART
    x, y = (eyes[0] + eyes[1]) / 2 + (0.5 - EYES_HEIGHT) * down
    half = side_px / Preprocessing().crop_ratio / 2
    shown = tuple((float(x), float(y)) for x, y in (*eyes, points[30], points[48], points[54]))
    return Detection(Box(*(float(value) for value in (x - half, y - half, x + half, y + half))), shown, 1.0)


def _check_cropped(path: Path, pictures: list[Picture]) -> None:
    """Refuse whole frames without landmarks, whose background a network would learn. Square ones are crops already."""
    first = pictures[0]
    if isinstance(first, Path):
        height, width = read_image(first).shape[:2]
        if height != width:
            raise DatasetError(
                f"expected the folder {LANDMARKS[0]} of CK+ in {path}, to crop the faces by, or square pictures of "
                f"faces; found neither, but whole frames of {width}x{height} pixels. Unpack "
                "Landmarks.zip of CK+ there, or use the CK+48 folders."
            )
