"""Drawn faces with the eight FER+ expressions: training, tests and pages can be tried without any data set.

An expression is a set of action units, the facial muscle movements of the Facial Action Coding System (Ekman, Friesen
and Hager 2002). They move brows, lids, nose and lips of a person who is drawn by chance. Points are in face units:
the origin is between the eyes, x to the right, y down, and 1 is the side of a FER2013 crop. The picture is painted
larger than asked for and shrunk, so that thin lines survive at 48 px.
"""

import math
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields

import cv2
import numpy as np
import numpy.typing as npt

from fer.labels import FERPLUS

_Image = npt.NDArray[np.uint8]
_Points = npt.NDArray[np.float64]
_Color = tuple[float, float, float]

_CROP_CENTER = np.array([0.0, 0.11])  # of a FER2013 crop, in face units: its eyes lie at 39 % of the height
_BOX_SIZE = np.array([1 / 1.24, 1 / 0.95])  # of the box that MTCNN finds around such a face, in face units
_LOWEST_PX, _HIGHEST_PX = 16, 1024


@dataclass(frozen=True)
class ActionUnits:
    """How far each movement goes: 0 is at rest, 1 is the full movement. "One-sided" units move one half of the face."""

    inner_brow_raiser: float = 0.0  # AU1
    outer_brow_raiser: float = 0.0  # AU2
    brow_lowerer: float = 0.0  # AU4
    upper_lid_raiser: float = 0.0  # AU5
    cheek_raiser: float = 0.0  # AU6
    lid_tightener: float = 0.0  # AU7
    nose_wrinkler: float = 0.0  # AU9
    upper_lip_raiser: float = 0.0  # AU10
    lip_corner_puller: float = 0.0  # AU12
    one_sided_corner_puller: float = 0.0  # R12A
    one_sided_dimpler: float = 0.0  # R14A
    lip_corner_depressor: float = 0.0  # AU15
    lip_stretcher: float = 0.0  # AU20
    lip_tightener: float = 0.0  # AU23
    lips_part: float = 0.0  # AU25, only of persons who show their teeth
    jaw_drop: float = 0.0  # AU26

    @property
    def is_symmetric(self) -> bool:
        """Whether both halves of the face do the same."""
        return self.one_sided_corner_puller == 0 and self.one_sided_dimpler == 0


EXPRESSIONS: dict[str, ActionUnits] = {
    "neutral": ActionUnits(),
    "happiness": ActionUnits(cheek_raiser=1, lip_corner_puller=1, lips_part=1),
    "surprise": ActionUnits(inner_brow_raiser=0.9, outer_brow_raiser=1, upper_lid_raiser=0.9, jaw_drop=1),
    "sadness": ActionUnits(inner_brow_raiser=1, brow_lowerer=0.4, lip_corner_depressor=1),
    "anger": ActionUnits(brow_lowerer=1, upper_lid_raiser=0.3, lid_tightener=0.7, lip_tightener=1, lips_part=0.8),
    "disgust": ActionUnits(
        brow_lowerer=0.5, cheek_raiser=0.4, nose_wrinkler=1, upper_lip_raiser=1, lip_corner_depressor=0.6
    ),
    "fear": ActionUnits(
        inner_brow_raiser=1,
        outer_brow_raiser=0.4,
        brow_lowerer=0.6,
        upper_lid_raiser=1,
        lip_stretcher=1,
        jaw_drop=0.3,
    ),
    "contempt": ActionUnits(one_sided_corner_puller=1, one_sided_dimpler=1, lid_tightener=0.2),
}
"""The full movement of each label of `fer.labels.FERPLUS`."""


def draw_face(expression: str, rng: np.random.Generator, *, size_px: int = 48, strength: float | None = None) -> _Image:
    """Draw the face of a random person, cropped the way FER2013 is.

    Args:
        expression: A label of `fer.labels.FERPLUS`.
        rng: Decides on person, light and noise. From the same state the same person comes, whatever the expression.
        size_px: Side of the picture, 16..1024.
        strength: 0 (neutral) .. 1 (full expression); None draws it from 0.6..1.

    Returns:
        RGB (size_px, size_px, 3) uint8.

    Raises:
        ValueError: An unknown expression, or a size or strength out of its range.
    """
    drawn_strength = rng.uniform(0.6, 1.0)  # always drawn: the person must not depend on whether it was given
    strength = drawn_strength if strength is None else strength
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must be 0..1, got {strength}")
    _check_size(size_px=size_px)
    return _draw_crop(strength * _movement({expression: 1.0}), rng, size_px)


def draw_mixed_face(distribution: Mapping[str, float], rng: np.random.Generator, *, size_px: int = 48) -> _Image:
    """Draw a face whose action units are the mean of several expressions, for instance half happy, half surprised.

    Args:
        distribution: Weight of each expression, ≥ 0; only the ratios count.
        rng: Decides on person, light and noise.
        size_px: Side of the picture, 16..1024.

    Returns:
        RGB (size_px, size_px, 3) uint8.

    Raises:
        ValueError: An unknown expression, weights that are negative or all zero, or a size out of its range.
    """
    _check_size(size_px=size_px)
    return _draw_crop(_movement(distribution), rng, size_px)


def draw_portrait(
    expression: str,
    rng: np.random.Generator,
    *,
    width_px: int = 640,
    height_px: int = 480,
    face_height_px: int = 200,
    center: tuple[float, float] | None = None,
) -> tuple[_Image, tuple[float, float, float, float]]:
    """Draw a person with head, neck and shoulders before a wall, and tell where the face is.

    Args:
        expression: A label of `fer.labels.FERPLUS`.
        rng: Decides on person, strength (0.6..1), light and noise.
        width_px: Width of the picture, 16..4096.
        height_px: Height of the picture, 16..4096.
        face_height_px: Height of the face's box as MTCNN would place it, 16..1024.
        center: (x, y) of the box's centre in pixels; None puts it in the middle, a little above half height.

    Returns:
        RGB (height_px, width_px, 3) uint8, and the box (x1, y1, x2, y2) in pixels.

    Raises:
        ValueError: An unknown expression, a size out of its range, or a box that would leave the picture.
    """
    _check_size(highest_px=4 * _HIGHEST_PX, width_px=width_px, height_px=height_px)
    _check_size(face_height_px=face_height_px)
    middle = np.array((width_px / 2, 0.47 * height_px) if center is None else center, dtype=np.float64)
    crop_px = face_height_px / _BOX_SIZE[1]
    corners = [*(middle - crop_px * _BOX_SIZE / 2), *(middle + crop_px * _BOX_SIZE / 2)]
    x1, y1, x2, y2 = (float(value) for value in corners)
    if x1 < 0 or y1 < 0 or x2 > width_px or y2 > height_px:
        raise ValueError(f"the face must lie inside {width_px} by {height_px} px, but its box is {x1, y1, x2, y2}")
    movement = rng.uniform(0.6, 1.0) * _movement({expression: 1.0})
    image = _draw(movement, rng, (width_px, height_px), middle, crop_px)
    return image, (x1, y1, x2, y2)


def _check_size(highest_px: int = _HIGHEST_PX, **sizes_px: int) -> None:
    for name, size_px in sizes_px.items():
        if not _LOWEST_PX <= size_px <= highest_px:
            raise ValueError(f"{name} must be {_LOWEST_PX}..{highest_px}, got {size_px}")


def _movement(distribution: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """Return the weighted mean of the expressions' action units, (n,) float64, in the order of the fields."""
    for name, weight in distribution.items():
        if name not in EXPRESSIONS:
            raise ValueError(f"unknown expression {name!r}; known are {', '.join(FERPLUS)}")
        if not (math.isfinite(weight) and weight >= 0):
            raise ValueError(f"weights must be finite and not negative, got {weight} for {name}")
    total = sum(distribution.values())
    if total <= 0:
        raise ValueError(f"at least one expression needs a weight above 0, got {dict(distribution)}")
    movement = np.zeros(len(fields(ActionUnits)))
    for name, weight in distribution.items():
        movement += weight / total * np.array(astuple(EXPRESSIONS[name]))
    return movement


def _draw_crop(movement: npt.NDArray[np.float64], rng: np.random.Generator, size_px: int) -> _Image:
    crop_px = size_px * rng.normal(1.0, 0.035)
    middle = size_px * (0.5 + rng.uniform(-0.03, 0.03, 2))
    return _draw(movement, rng, (size_px, size_px), middle, crop_px)


def _draw(
    movement: npt.NDArray[np.float64],
    rng: np.random.Generator,
    resolution_wh: tuple[int, int],
    middle: _Points,
    crop_px: float,
) -> _Image:
    """Paint a random person with the crop's centre at `middle` and a crop of `crop_px` pixels, and photograph them."""
    oversampling = 1 if max(resolution_wh) > 2048 else 2
    roll = math.radians(float(np.clip(rng.normal(0, 4), -10, 10)))
    rotation = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    linear = crop_px * oversampling * rotation
    width, height = (oversampling * side for side in resolution_wh)
    person = _random_person(rng)
    # Nobody moves exactly like the textbook: each muscle has its own vigour and is never quite at rest.
    vigour, unrest = rng.uniform(0.75, 1.15, movement.size), np.abs(rng.normal(0, 0.035, movement.size))
    units = ActionUnits(*(vigour * movement + unrest).tolist())
    walls = rng.uniform(70, 225) + rng.normal(0, 22, 3) + rng.normal(0, 22, (2, 1))
    ramp = np.linspace(walls[0], walls[1], height)[:, None].clip(0, 255).astype(np.uint8)
    wall = np.asarray(cv2.resize(ramp, (width, height)), dtype=np.uint8)
    canvas = _Canvas(wall, linear, oversampling * middle - linear @ _CROP_CENTER)
    _paint_person(canvas, person, units)
    image = cv2.resize(canvas.image, resolution_wh, interpolation=cv2.INTER_AREA)
    return _photograph(np.asarray(image, dtype=np.uint8), rng, crop_px)


def _photograph(image: _Image, rng: np.random.Generator, crop_px: float) -> _Image:
    """Add light from one side, contrast, the blur of a lens and the noise of a sensor."""
    height, width = image.shape[:2]
    angle, strength = rng.uniform(0, 2 * math.pi), rng.uniform(0, 0.3)
    contrast, brightness, blur_px = rng.uniform(0.8, 1.1), rng.normal(4, 10), rng.uniform(0, 0.012) * crop_px
    grain = rng.uniform(0, 4)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None, :] * math.cos(angle)
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * math.sin(angle)
    picture = image * (1 + np.float32(strength) * (x + y))[..., None]
    picture = np.float32(contrast) * (picture - 128) + np.float32(128 + brightness)
    blurred = cv2.GaussianBlur(picture, (0, 0), min(max(blur_px, 0.2), 1.2))
    noisy = blurred + np.float32(grain) * rng.standard_normal((height, width, 1), dtype=np.float32)
    return np.asarray(np.clip(noisy, 0, 255), dtype=np.uint8)


# ---------------------------------------------------------------------------------------------- the person


@dataclass(frozen=True)
class _Person:
    """What does not depend on the expression. Ratios are relative to an average face; colours are RGB, 0..255."""

    skin: _Color
    hair: _Color
    iris: _Color
    clothes: _Color
    haircut: int
    """0 shaved, 1 short, 2 parted fringe, 3 long, 4 curly."""
    eye_distance: float
    """Between the pupils, in face units."""
    eye_size: float
    gaze: float
    """Of the pupils sideways, in face units."""
    brow_thickness: float
    brow_height: float
    """Above an average brow, in face units, as the next one."""
    rest_curve: float
    """How far the mouth's corners hang at rest."""
    head_width: float
    jaw_roundness: float
    nose_width: float
    mouth_width: float
    lip_thickness: float
    age: float
    """0..1: how deep the folds of skin are."""
    beard: float
    """0 none .. 1 dense."""
    glasses: bool
    shows_teeth: float
    """0 or 1: whether the lips part in a smile or in anger."""
    one_side: float
    """-1 or 1: the half of the picture in which one-sided units move."""
    light_side: float
    """-1..1: from where the face is lit."""


_SKINS = np.array(
    [(86, 56, 44), (118, 76, 54), (152, 100, 70), (186, 128, 90), (214, 162, 124), (232, 186, 152), (246, 212, 188)]
)
_HAIRS = np.array(
    [(28, 24, 26), (40, 30, 28), (66, 44, 32), (96, 64, 42), (136, 70, 40), (190, 148, 92), (150, 148, 148)]
)
_IRISES = np.array([(52, 34, 26), (74, 48, 30), (88, 70, 40), (70, 96, 76), (74, 104, 136)])


def _random_person(rng: np.random.Generator) -> _Person:
    tone = rng.random() * (len(_SKINS) - 1)
    # Dark skin rarely goes with fair hair or blue eyes; the tables run from dark to fair.
    fairness = 0.35 + 0.65 * tone / (len(_SKINS) - 1)
    darker = int(tone)
    man = rng.random() < 0.5
    hair = _HAIRS[int(rng.random() * fairness * len(_HAIRS))] + rng.normal(0, 8)
    iris = _IRISES[int(rng.random() * fairness * len(_IRISES))]
    haircut = int(rng.choice(5, p=(0.15, 0.4, 0.25, 0.05, 0.15) if man else (0.02, 0.13, 0.2, 0.45, 0.2)))
    return _Person(
        skin=_mix(_color(_SKINS[darker]), _color(_SKINS[darker + 1]), tone - darker),
        hair=_color(hair),
        iris=_color(iris),
        clothes=_color(rng.uniform(50, 190) + rng.normal(0, 35, 3)),
        haircut=haircut,
        eye_distance=0.37 * rng.normal(1, 0.03),
        eye_size=rng.normal(1, 0.07),
        gaze=rng.normal(0, 0.008),
        brow_thickness=rng.uniform(0.8, 1.5) if man else rng.uniform(0.5, 1.0),
        brow_height=rng.normal(0, 0.01),
        rest_curve=rng.normal(-0.006, 0.005),
        head_width=rng.normal(0.415, 0.014),
        jaw_roundness=rng.uniform(0.72, 0.95),
        nose_width=rng.normal(1, 0.1),
        mouth_width=rng.normal(1, 0.06),
        lip_thickness=rng.normal(1, 0.15) * (0.9 if man else 1.15),
        age=rng.random(),
        beard=max(0.0, rng.uniform(-1.2, 1)) * man,
        glasses=rng.random() < 0.18,
        shows_teeth=float(rng.random() < 0.6),
        one_side=-1.0 if rng.random() < 0.5 else 1.0,
        light_side=rng.uniform(-1, 1),
    )


def _color(values: npt.NDArray[np.float64]) -> _Color:
    red, green, blue = np.clip(values, 0, 255).tolist()
    return (red, green, blue)


def _mix(first: _Color, second: _Color, share: float) -> _Color:
    """Return `first` with a share (0..1) of `second`."""
    rest = 1 - share
    return (
        rest * first[0] + share * second[0],
        rest * first[1] + share * second[1],
        rest * first[2] + share * second[2],
    )


# ---------------------------------------------------------------------------------------------- paper and pencil


class _Canvas:
    """A picture that is painted on in face units; pixel = linear @ point + offset."""

    def __init__(self, image: _Image, linear: _Points, offset: _Points) -> None:
        self.image = image
        self._linear_16, self._offset_16 = 16 * linear.T, 16 * offset
        self._unit_px = math.hypot(*linear[0].tolist())

    def coarse_sheet(self, color: _Color) -> "_Canvas":
        """Return an empty canvas of half the resolution: soft paint needs no more, and it costs a quarter."""
        image = np.empty_like(self.image[::2, ::2], order="C")
        cv2.rectangle(image, (0, 0), image.shape[1::-1], color, cv2.FILLED)
        return _Canvas(image, self._linear_16.T / 32, self._offset_16 / 32)

    def fill(self, points: _Points, color: _Color) -> None:
        """Fill a polygon, (n, 2) face units."""
        cv2.fillPoly(self.image, [self._fixed(points)], color, cv2.LINE_AA, 4)

    def stroke(self, points: _Points, color: _Color, width: float) -> None:
        """Draw an open line, (n, 2) face units, `width` face units wide."""
        thickness = max(1, round(width * self._unit_px))
        cv2.polylines(self.image, [self._fixed(points)], False, color, thickness, cv2.LINE_AA, 4)

    def tint(self, shapes: list[tuple[_Points, float]], color: _Color, blur: float, width: float = 0.0) -> None:
        """Lay soft shapes of (points, opacity 0..1) over the picture; with a width they are lines, not areas."""
        drawn = [(self._fixed(points), 255 * min(opacity, 1.0)) for points, opacity in shapes if opacity > 0.02]
        if not drawn:
            return
        thickness = max(1, round(width * self._unit_px))
        reach = 3 * blur * self._unit_px + thickness + 1  # only the window that changes is blurred and mixed
        corners = np.concatenate([points for points, _ in drawn]) / 16
        left, top = np.maximum(corners.min(axis=0) - reach, 0).astype(int).tolist()
        right, bottom = np.maximum(corners.max(axis=0) + reach, 0).astype(int).tolist()
        window = self.image[top:bottom, left:right]
        if not window.size:
            return
        mask = np.zeros(window.shape[:2], dtype=np.uint8)
        for points, level in drawn:
            if width:
                cv2.polylines(mask, [points - (16 * left, 16 * top)], False, level, thickness, cv2.LINE_AA, 4)
            else:
                cv2.fillPoly(mask, [points - (16 * left, 16 * top)], level, cv2.LINE_AA, 4)
        # Two box blurs are nearly a Gaussian of the same variance, 2 (n² - 1) / 12, and several times as fast.
        box = 2 * round((math.sqrt(6 * (blur * self._unit_px) ** 2 + 1) - 1) / 2) + 1
        soft = cv2.blur(cv2.blur(mask, (box, box)), (box, box))
        share = cv2.merge([soft, soft, soft])
        paint = cv2.multiply(share, np.array([*color, 0.0]), scale=1 / 255)
        window[:] = cv2.add(paint, cv2.multiply(window, 255 - share, scale=1 / 255))

    def paste(self, other: "_Canvas", outline: _Points) -> None:
        """Copy what another canvas of any resolution shows inside an outline, (n, 2) face units."""
        mask = np.zeros(self.image.shape[:2], dtype=np.uint8)
        cv2.fillPoly(mask, [self._fixed(outline)], 255, cv2.LINE_8, 4)
        cv2.copyTo(cv2.resize(other.image, mask.shape[::-1]), mask, self.image)

    def _fixed(self, points: _Points) -> npt.NDArray[np.int32]:
        """Return pixels with four binary digits after the point, as OpenCV's `shift` wants them."""
        return (points @ self._linear_16 + self._offset_16).astype(np.int32)


_T = np.linspace(0, 1, 13)[:, None]
_PARABOLA = np.hstack([(1 - _T) * (1 - 2 * _T), 4 * _T * (1 - _T), _T * (2 * _T - 1)])  # weights of three points
_FLIP = np.array([-1.0, 1.0])
_ANGLE = np.linspace(0, 2 * math.pi, 40, endpoint=False)
_CIRCLE = np.stack([np.cos(_ANGLE), np.sin(_ANGLE)], axis=1)
_ACROSS = np.linspace(-1, 1, 33)  # of the mouth, from the left corner to the right one
_BOW = np.sqrt(1 - _ACROSS**2)


def _arc(start: tuple[float, float], middle: tuple[float, float], end: tuple[float, float]) -> _Points:
    """Return the parabola through three points, (13, 2)."""
    points: _Points = _PARABOLA @ np.array((start, middle, end), dtype=np.float64)
    return points


def _ellipse(x: float, y: float, radius_x: float, radius_y: float, roundness: float = 1.0) -> _Points:
    """Return an ellipse, (40, 2); a roundness under 1 makes it squarer."""
    circle = _CIRCLE if roundness == 1 else np.sign(_CIRCLE) * np.abs(_CIRCLE) ** roundness
    points: _Points = circle * (radius_x, radius_y) + (x, y)
    return points


def _between(points: _Points, upper: _Points, lower: _Points) -> _Points:
    """Return the points moved up or down into the space between two lines that run from left to right."""
    x, y = points.T
    top, bottom = (np.interp(x, line[:, 0], line[:, 1]) for line in (upper, lower))
    return np.stack([x, np.minimum(np.maximum(y, top), bottom)], axis=1)


def _mirror(points: _Points, side: float) -> _Points:
    """Return the points for the right half of the picture (side 1) or mirrored for the left one (side -1)."""
    return points if side == 1 else points * _FLIP


# ---------------------------------------------------------------------------------------------- painting


def _paint_person(canvas: _Canvas, person: _Person, units: ActionUnits) -> None:
    head = _head_outline(person, units)
    _paint_back(canvas, person)
    _paint_skin(canvas, person, units, head)
    _paint_nose(canvas, person, units)
    for side in (-1.0, 1.0):
        _paint_eye(canvas, person, units, side)
    _paint_mouth(canvas, person, units)
    _paint_folds(canvas, person, units)
    for side in (-1.0, 1.0):
        _paint_brow(canvas, person, units, side)
    _paint_hair(canvas, person)
    if person.glasses:
        _paint_glasses(canvas, person)


def _head_outline(person: _Person, units: ActionUnits) -> _Points:
    """Return the skull and jaw, (40, 2); a dropped jaw makes it longer."""
    outline = _ellipse(0, 0.03, person.head_width, 1.0, 0.92)
    lower = _ellipse(0, 0.03, person.head_width, 1.0, person.jaw_roundness)
    is_lower = outline[:, 1] > 0.03
    outline[is_lower] = lower[is_lower]
    depth = outline[:, 1] - 0.03
    outline[:, 1] = 0.03 + np.where(is_lower, 0.565 + 0.05 * units.jaw_drop, 0.55) * depth
    outline[:, 0] *= 1 - 0.16 * np.clip(depth, 0, 1) ** 2
    return outline


def _paint_back(canvas: _Canvas, person: _Person) -> None:
    """Paint what is behind the face: hair, neck, shoulders and ears."""
    width = person.head_width
    if person.haircut == 3:
        canvas.fill(_ellipse(0, 0.22, width + 0.12, 0.82, 0.8), _mix(person.hair, (0, 0, 0), 0.25))
    elif person.haircut == 4:
        for x, y, radius in ((-1, 0.02, 0.16), (1, 0.02, 0.16), (-0.9, -0.25, 0.2), (0.9, -0.25, 0.2)):
            canvas.fill(_ellipse(x * (width + 0.02), y, radius, radius), person.hair)
        canvas.fill(_ellipse(0, -0.3, width + 0.12, 0.42), person.hair)
    shadow = _mix(person.skin, (50, 20, 20), 0.3)
    neck = 0.24 + 0.3 * (width - 0.4)
    canvas.fill(np.array([(-neck, 0.2), (neck, 0.2), (neck + 0.03, 1.0), (-neck - 0.03, 1.0)]), shadow)
    slope = [_arc((0.27, 0.70), (0.48, 0.81), (0.74, 0.88)), _arc((0.74, 0.88), (0.93, 1.05), (1.02, 1.5))]
    shoulder = np.concatenate([*slope, [[1.05, 4.0]]])
    collar = _arc((-0.27, 0.70), (0, 0.88), (0.27, 0.70))
    canvas.fill(np.concatenate([collar, shoulder, _mirror(shoulder, -1)[::-1]]), person.clothes)
    canvas.stroke(collar, _mix(person.clothes, (0, 0, 0), 0.3), 0.025)
    for side in (-1, 1):
        canvas.fill(_ellipse(side * (width + 0.01), 0.08, 0.055, 0.12), _mix(person.skin, (120, 50, 40), 0.2))


def _paint_skin(canvas: _Canvas, person: _Person, units: ActionUnits, head: _Points) -> None:
    """Paint the head with its soft light and shade, and the beard."""
    shade = _mix(person.skin, (45, 12, 12), 0.5)
    light = _mix(person.skin, (255, 240, 220), 0.45)
    skin = canvas.coarse_sheet(shade)
    skin.tint([(head * 0.9 + np.array([0.05 * person.light_side, 0.0]), 1.0)], person.skin, 0.07)
    cheek_y = 0.21 - 0.03 * units.cheek_raiser
    cheeks = [(_ellipse(side * 0.235, cheek_y, 0.09, 0.065), 0.3) for side in (-1, 1)]
    skin.tint(cheeks, _mix(person.skin, (205, 60, 60), 0.6), 0.04)
    socket = 0.3 + 0.1 * units.brow_lowerer
    sockets = [(_ellipse(side * person.eye_distance / 2, -0.01, 0.11, 0.07), socket) for side in (-1, 1)]
    side_of_nose = np.array([(0.03, -0.05), (0.06, 0.19), (0.09, 0.23), (0.02, 0.2)])
    chin = _ellipse(0, 0.475 + 0.04 * units.jaw_drop, 0.09, 0.018)
    dark = [*sockets, (_mirror(side_of_nose, -np.sign(person.light_side)), 0.35), (chin, 0.35)]
    skin.tint([*dark, (_ellipse(0, 0.255, 0.075, 0.016), 0.6)], shade, 0.022)
    bright = [(_ellipse(0.01 * person.light_side, 0.10, 0.016, 0.12), 0.4), (_ellipse(0, -0.25, 0.2, 0.06), 0.3)]
    glow = 0.25 + 0.3 * units.cheek_raiser
    bright += [(_ellipse(side * 0.25, cheek_y - 0.06, 0.05, 0.02), glow) for side in (-1, 1)]
    skin.tint([*bright, (_ellipse(0, 0.55, 0.05, 0.02), 0.2)], light, 0.022)
    if person.beard > 0.1:
        half = [(0.5, 0.05), (0.36, 0.1), (0.31, 0.3), (0.2, 0.33), (0.15, 0.285), (0.05, 0.275)]
        right = np.array([(0.5, 0.9), *half])
        area = np.concatenate([right, _mirror(right, -1)[::-1]])
        skin.tint([(area, 0.25 + 0.65 * person.beard)], _mix(person.hair, person.skin, 0.15), 0.022)
    canvas.paste(skin, head)


def _paint_nose(canvas: _Canvas, person: _Person, units: ActionUnits) -> None:
    dark = _mix(person.skin, (50, 15, 15), 0.6)
    lift, flare = 0.018 * units.nose_wrinkler, 1 + 0.12 * units.nose_wrinkler
    wing = 0.062 * person.nose_width * flare
    for side in (-1.0, 1.0):
        curve = _arc((wing * 0.9, 0.185 - lift), (wing * 1.12, 0.222 - lift), (wing * 0.72, 0.243 - lift))
        canvas.stroke(_mirror(curve, side), dark, 0.011)
        canvas.fill(_ellipse(side * wing * 0.45, 0.241 - lift, wing * 0.24, 0.009), _mix(dark, (20, 5, 5), 0.5))


def _paint_eye(canvas: _Canvas, person: _Person, units: ActionUnits, side: float) -> None:
    """Paint one eye between its lids; AU5 opens them, AU6, AU7 and AU9 narrow them."""
    size = person.eye_size
    narrow = 0.28 * units.lid_tightener + 0.15 * units.cheek_raiser + 0.35 * units.nose_wrinkler
    up = size * 0.040 * max(0.25, 1 + 0.6 * units.upper_lid_raiser - narrow)
    lower_lid = 0.55 * units.lid_tightener + 0.85 * units.cheek_raiser + 0.5 * units.nose_wrinkler
    down = max(size * 0.028 * (1 + 0.35 * units.upper_lid_raiser - lower_lid), 0.014 - up)
    slope = 0.014 * units.inner_brow_raiser * (1 - units.outer_brow_raiser) - 0.014 * units.brow_lowerer
    half = 0.08 * size
    middle = np.array([person.eye_distance / 2, 0.0])
    inner, outer = (-half, 0.008 - slope), (half, -0.006 + slope)
    upper = middle + _arc(inner, (-0.6 * slope, -up), outer)
    lower = middle + _arc(inner, (0.01, down), outer)
    canvas.fill(_mirror(np.concatenate([upper, lower[::-1]]), side), (236, 232, 228))
    x, y = middle[0] + side * person.gaze, 0.15 * (down - up)
    ink = (24.0, 16.0, 16.0)
    for radius, color in ((0.041, _mix(person.iris, ink, 0.5)), (0.035, person.iris), (0.018, ink)):
        # The lids cover a part of the iris: without this a narrow eye would look as open as a wide one.
        disc = _between(_ellipse(x, y, radius * size, radius * size), upper, lower)
        canvas.fill(_mirror(disc, side), color)
    glint = _ellipse(side * x + 0.012 * person.light_side, max(y - 0.014, 0.012 - up), 0.009, 0.009)
    canvas.fill(glint, (250, 250, 250))
    lash = np.concatenate([upper, [upper[-1] + np.array([0.012, -0.006])]])
    canvas.stroke(_mirror(lash, side), _mix(person.hair, ink, 0.7), 0.017)
    canvas.stroke(_mirror(lower, side), _mix(person.skin, (70, 25, 20), 0.55), 0.007)
    crease = upper[1:] + np.array([0.004, -0.024 + 0.012 * units.brow_lowerer])
    canvas.stroke(_mirror(crease, side), _mix(person.skin, (50, 15, 15), 0.4), 0.007)


def _paint_brow(canvas: _Canvas, person: _Person, units: ActionUnits, side: float) -> None:
    """Paint one brow; AU1 lifts its inner end, AU2 its outer half, AU4 and AU9 pull it down and inwards."""
    inner_up, outer_up, down = units.inner_brow_raiser, units.outer_brow_raiser, units.brow_lowerer
    slant = inner_up * max(0.0, 1 - outer_up)
    wrinkle = units.nose_wrinkler
    lines = _arc(
        (0.082 - 0.025 * down, -0.118 - 0.07 * inner_up - 0.01 * outer_up + 0.058 * down + 0.03 * wrinkle),
        (0.195 - 0.01 * down, -0.148 - 0.028 * inner_up - 0.055 * outer_up + 0.04 * down + 0.025 * wrinkle),
        (0.305, -0.112 - 0.05 * outer_up + 0.026 * slant - 0.004 * down),
    ) - np.array([0.0, person.brow_height])
    thickness = 0.019 * person.brow_thickness * (1 - 0.75 * _T[:, 0] ** 2) * np.minimum(1, 0.6 + 4 * _T[:, 0])
    across = np.stack([0 * thickness, thickness], axis=1)
    color = _mix(person.hair, person.skin, 0.12)
    canvas.fill(_mirror(np.concatenate([lines - across, (lines + across)[::-1]]), side), color)


def _lip_lines(person: _Person, units: ActionUnits) -> tuple[_Points, _Points]:
    """Return the lower edge of the upper lip and the upper edge of the lower lip, each (33, 2) from left to right."""
    teeth = units.lips_part * person.shows_teeth
    width = 0.142 * person.mouth_width * (1 - 0.36 * min(units.jaw_drop, 1.0) - 0.1 * units.lip_tightener)
    width *= 1 + 0.24 * units.lip_corner_puller + 0.5 * units.lip_stretcher
    pull = units.one_sided_corner_puller * (_ACROSS * person.one_side > 0)
    sink = 0.055 * units.lip_corner_depressor + 0.022 * units.lip_stretcher + person.rest_curve
    corners = (sink - 0.06 * units.lip_corner_puller - 0.08 * pull) * np.abs(_ACROSS) ** 1.7
    square = _BOW ** (1 - 0.6 * min(units.lip_tightener, 1.0))
    y = 0.385 + 0.04 * units.jaw_drop + corners + 0.014 * units.lip_corner_puller - 0.016 * units.lip_corner_depressor
    upper = y - (0.09 * units.jaw_drop + 0.024 * units.lip_tightener * teeth) * square
    upper -= 0.04 * units.upper_lip_raiser * _BOW**2
    lower = y + (0.11 * units.jaw_drop + 0.066 * teeth) * square - 0.012 * units.upper_lip_raiser * _BOW
    x = width * _ACROSS * (1 + 0.18 * pull)
    return np.stack([x, upper], axis=1), np.stack([x, np.maximum(lower, upper)], axis=1)


def _paint_mouth(canvas: _Canvas, person: _Person, units: ActionUnits) -> None:
    upper, lower = _lip_lines(person, units)
    thin = person.lip_thickness * (1 - 0.55 * min(units.lip_tightener, 1.0)) * (1 - 0.25 * units.lip_corner_puller)
    cupid = 1 - 0.3 * np.exp(-((_ACROSS / 0.16) ** 2))
    top = upper - np.stack([0 * _BOW, 0.027 * thin * _BOW * cupid], axis=1)
    bottom = lower + np.stack([0 * _BOW, 0.036 * thin * _BOW], axis=1)
    lip = _mix(person.skin, (168, 52, 66), 0.42)
    canvas.fill(np.concatenate([top, lower[::-1]]), _mix(lip, (60, 10, 20), 0.2))
    canvas.fill(np.concatenate([upper, bottom[::-1]]), lip)
    canvas.tint([(_ellipse(0, float(bottom[16, 1]) - 0.018 * thin, 0.04, 0.006), 0.35)], (255, 225, 215), 0.008)
    gap = lower[:, 1] - upper[:, 1]
    if gap.max() > 0.012:
        canvas.fill(np.concatenate([upper, lower[::-1]]), (66, 18, 24))
        tongue = _ellipse(0, float(lower[16, 1]), 0.075, 0.35 * float(gap.max()))
        canvas.fill(_between(tongue, upper, lower), (170, 76, 80))
        teeth = 0.08 * units.lips_part * person.shows_teeth + 0.022 * units.jaw_drop + 0.024 * units.lip_stretcher
        edge = upper + np.stack([0 * gap, np.minimum(gap, teeth)], axis=1)
        canvas.fill(np.concatenate([upper, edge[::-1]])[2:-2], (240, 236, 228))
    canvas.stroke(upper, _mix(person.skin, (60, 10, 20), 0.75), 0.011)


def _paint_folds(canvas: _Canvas, person: _Person, units: ActionUnits) -> None:
    """Paint the folds of skin that the movements make, deeper in older faces."""
    folds: list[tuple[_Points, float]] = []
    depth = 0.55 + 0.45 * person.age
    corner = _lip_lines(person, units)[0]
    cheek = 0.75 * units.lip_corner_puller + 0.8 * units.nose_wrinkler + 0.15 * person.age
    crow = units.cheek_raiser * depth * 0.7
    for side in (-1.0, 1.0):
        mouth_x, mouth_y = np.abs(corner[-1 if side > 0 else 0])
        fold = _arc((0.085, 0.2), (0.155, 0.265), (mouth_x + 0.035, mouth_y + 0.01))
        folds.append((_mirror(fold, side), cheek * depth))
        if side == person.one_side:
            dimple = _arc(
                (mouth_x + 0.02, mouth_y - 0.045), (mouth_x + 0.05, mouth_y), (mouth_x + 0.02, mouth_y + 0.04)
            )
            folds.append((_mirror(dimple, side), units.one_sided_dimpler))
        for y in (-0.03, 0.0, 0.03):
            folds.append((_mirror(np.array([(0.295, 0.6 * y), (0.34, 1.3 * y)]), side), crow))
        frown = np.array([(0.03, -0.1), (0.022, -0.165)])
        folds.append((_mirror(frown, side), units.brow_lowerer * depth))
        for x in (0.0, 0.028):
            crinkle = np.array([(0.012 + x, 0.03 + 1.1 * x), (0.06 + x, 0.0 + 1.1 * x)])
            folds.append((_mirror(crinkle, side), units.nose_wrinkler * (0.5 + 0.5 * depth)))
    forehead = max(0.0, units.inner_brow_raiser + units.outer_brow_raiser - 0.3) * 0.5 * depth
    for y in (-0.27, -0.315):
        folds.append((_arc((-0.2, y + 0.01), (0, y - 0.01), (0.2, y + 0.01)), forehead))
    canvas.tint(folds, _mix(person.skin, (45, 12, 12), 0.65), 0.005, 0.012)


def _paint_hair(canvas: _Canvas, person: _Person) -> None:
    """Paint the hair that lies over the forehead: everything of the head above the hairline."""
    if person.haircut == 0:
        return
    width = person.head_width
    part = 0.16 * person.one_side
    hairline = {
        1: _arc((-width, -0.12), (0, -0.42), (width, -0.12)),
        2: _parted(part, width, -0.02, -0.27),
        3: _parted(part, width, 0.25, -0.2),
        4: _arc((-width, -0.15), (0, -0.4), (width, -0.15)),
    }[person.haircut]
    swell = 0.05 if person.haircut in (2, 3) else 0.03
    crown = _ellipse(0, -0.12, width + swell, 0.46, 0.92)
    crown = crown[crown[:, 1] < -0.1]
    from_right = crown[np.argsort(-crown[:, 0])]
    canvas.fill(np.concatenate([hairline, from_right]), person.hair)
    shine = _mix(person.hair, (255, 235, 210), 0.25)
    canvas.tint([(_arc((-0.25, -0.42), (0.05 * person.light_side, -0.5), (0.25, -0.42)), 0.6)], shine, 0.015, 0.03)


def _parted(part: float, width: float, temple_y: float, middle_y: float) -> _Points:
    """Return the hairline, (26, 2), of hair that falls from a parting at x = `part` to both temples."""
    left, right = (part + 0.68 * (side * width - part) for side in (-1, 1))
    falls = (
        _arc((-width, temple_y), (left, middle_y), (part, -0.4)),
        _arc((part, -0.4), (right, middle_y), (width, temple_y)),
    )
    return np.concatenate(falls)


def _paint_glasses(canvas: _Canvas, person: _Person) -> None:
    frame = _mix(person.clothes, (20, 20, 24), 0.75)
    for side in (-1.0, 1.0):
        rim = _ellipse(side * person.eye_distance / 2, 0.012, 0.135, 0.1, 0.75)
        canvas.stroke(np.concatenate([rim, rim[:2]]), frame, 0.016)
        canvas.stroke(_mirror(np.array([(0.32, -0.01), (person.head_width, -0.03)]), side), frame, 0.016)
    bridge = person.eye_distance / 2 - 0.135
    canvas.stroke(_arc((-bridge, 0.0), (0, -0.018), (bridge, 0.0)), frame, 0.016)
