"""Follow faces from frame to frame by sparse optical flow (Lucas and Kanade 1981, pyramids by Bouguet 2001).

A grid of points on each face is followed forward and back again; points that do not return are dropped (Kalal et al.
2010, "Forward-backward error"), and the rest vote for one shift, rotation and scale. This takes about 2 ms per face; a
detection takes ten times as long.
"""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from fer.faces import Box, Detection

FLOW_SIDE_PX = 320
"""Longest side of the gray pictures in which points are followed."""
MAX_RETURN_PX = 1.0
"""A point that returns farther than this from its start is dropped; in pixels of the gray picture."""
MIN_POINTS = 6
"""If fewer points return, the face counts as lost."""
MAX_SCALE = 1.5
"""If a face seems to grow or shrink by more than this between two frames, the match is wrong."""
_GRID = np.stack(np.meshgrid(np.linspace(0.2, 0.8, 4), np.linspace(0.25, 0.85, 4)), axis=-1).reshape(-1, 2)


def small_gray(image: np.ndarray) -> np.ndarray:
    """Return RGB uint8 (H, W, 3) as gray uint8 with a longest side of at most `FLOW_SIDE_PX`."""
    height, width = image.shape[:2]
    scale = min(FLOW_SIDE_PX / max(height, width), 1.0)
    size_wh = max(round(width * scale), 1), max(round(height * scale), 1)
    if size_wh != (width, height):
        image = cv2.resize(image, size_wh, interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)


def follow(
    before: np.ndarray, after: np.ndarray, faces: Sequence[Detection], picture_wh: tuple[int, int]
) -> list[Detection | None]:
    """Find faces of one frame in a later one.

    Args:
        before: the frame in which the faces were seen, as `small_gray` returns it.
        after: the later frame, of the same size.
        faces: in pixels of the original picture.
        picture_wh: width and height of the original picture.

    Returns:
        the new place of each face, or None if it was lost or left the picture.
    """
    if not faces:
        return []
    scale_xy = np.array([before.shape[1] / picture_wh[0], before.shape[0] / picture_wh[1]])
    places = [_points_on(face) for face in faces]
    alone = np.concatenate([~_on_others(own, face, faces) for own, face in zip(places, faces, strict=True)])
    points = (np.concatenate(places) * scale_xy).astype(np.float32)[:, None]
    moved, there = _flow(before, after, points)
    returned, back = _flow(after, before, moved)
    good = alone & (there & back).ravel().astype(bool) & (np.abs(returned - points).max(axis=(1, 2)) <= MAX_RETURN_PX)
    return [
        _moved(face, points[rows, 0][good[rows]] / scale_xy, moved[rows, 0][good[rows]] / scale_xy, picture_wh)
        for face, rows in zip(faces, np.arange(len(points)).reshape(len(faces), -1), strict=True)
    ]


def _flow(before: np.ndarray, after: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where points moved, float32 (n, 1, 2), and whether they were found, uint8 (n, 1)."""
    moved, there, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, winSize=(15, 15), maxLevel=3)  # type: ignore[call-overload]
    return moved, there


def _points_on(face: Detection) -> np.ndarray:
    """Return points inside the face, float (n, 2); n is constant, so that all faces are followed in one call."""
    box = face.box
    return np.array([box.x1, box.y1]) + _GRID * (box.width, box.height)


def _on_others(points: np.ndarray, face: Detection, faces: Sequence[Detection]) -> np.ndarray:
    """Return which points also lie on another face, bool (n,): if that is nearer, they would move with it."""
    boxes = [other.box for other in faces if other is not face]
    inside = [((points > (b.x1, b.y1)) & (points < (b.x2, b.y2))).all(axis=1) for b in boxes]
    return np.any(inside, axis=0) if inside else np.zeros(len(points), bool)


def _moved(face: Detection, start: np.ndarray, end: np.ndarray, picture_wh: tuple[int, int]) -> Detection | None:
    if len(start) < MIN_POINTS:
        return None
    matrix, _ = cv2.estimateAffinePartial2D(start, end, method=cv2.RANSAC, ransacReprojThreshold=3.0)
    if matrix is None:
        return None
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if not 1 / MAX_SCALE < scale < MAX_SCALE:
        return None
    places = np.array([face.box.center, *face.landmarks]) @ matrix[:, :2].T + matrix[:, 2]
    moved = placed(face, tuple(places[0].tolist()), scale, picture_wh)
    return moved and replace(moved, landmarks=tuple((x, y) for x, y in places[1:].tolist()))


def placed(face: Detection, center: tuple[float, float], scale: float, picture_wh: tuple[int, int]) -> Detection | None:
    """Return the face, with its landmarks, at another place and size; None if it is outside the picture."""
    width, height = face.box.width * scale / 2, face.box.height * scale / 2
    x1, y1 = max(center[0] - width, 0.0), max(center[1] - height, 0.0)
    x2, y2 = min(center[0] + width, picture_wh[0]), min(center[1] + height, picture_wh[1])
    if x2 - x1 < 1 or y2 - y1 < 1:
        return None
    old = face.box.center
    landmarks = tuple((center[0] + (x - old[0]) * scale, center[1] + (y - old[1]) * scale) for x, y in face.landmarks)
    return Detection(Box(x1, y1, x2, y2), landmarks, face.score)
