"""Paint a person with an expression; every shape is in face units."""

import numpy as np

from fer.datasets.drawing.canvas import ALONG, Canvas, Points, arc, between, ellipse, mirror, mix
from fer.datasets.drawing.person import ActionUnits, Person

_ACROSS = np.linspace(-1, 1, 33)  # of the mouth, from the left corner to the right one
_BOW = np.sqrt(1 - _ACROSS**2)


def paint_person(canvas: Canvas, person: Person, units: ActionUnits) -> None:
    """Paint a person, from the hair behind the head to the glasses."""
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


def _head_outline(person: Person, units: ActionUnits) -> Points:
    """Return the outline of skull and jaw, (40, 2); a dropped jaw makes it longer."""
    outline = ellipse(0, 0.03, person.head_width, 1.0, 0.92)
    lower = ellipse(0, 0.03, person.head_width, 1.0, person.jaw_roundness)
    is_lower = outline[:, 1] > 0.03
    outline[is_lower] = lower[is_lower]
    depth = outline[:, 1] - 0.03
    outline[:, 1] = 0.03 + np.where(is_lower, 0.565 + 0.05 * units.jaw_drop, 0.55) * depth
    outline[:, 0] *= 1 - 0.16 * np.clip(depth, 0, 1) ** 2
    return outline


def _paint_back(canvas: Canvas, person: Person) -> None:
    """Paint what is behind the face: hair, neck, shoulders and ears."""
    width = person.head_width
    if person.haircut == 3:
        canvas.fill(ellipse(0, 0.22, width + 0.12, 0.82, 0.8), mix(person.hair, (0, 0, 0), 0.25))
    elif person.haircut == 4:
        for x, y, radius in ((-1, 0.02, 0.16), (1, 0.02, 0.16), (-0.9, -0.25, 0.2), (0.9, -0.25, 0.2)):
            canvas.fill(ellipse(x * (width + 0.02), y, radius, radius), person.hair)
        canvas.fill(ellipse(0, -0.3, width + 0.12, 0.42), person.hair)
    shadow = mix(person.skin, (50, 20, 20), 0.3)
    neck = 0.24 + 0.3 * (width - 0.4)
    canvas.fill(np.array([(-neck, 0.2), (neck, 0.2), (neck + 0.03, 1.0), (-neck - 0.03, 1.0)]), shadow)
    slope = [arc((0.27, 0.70), (0.48, 0.81), (0.74, 0.88)), arc((0.74, 0.88), (0.93, 1.05), (1.02, 1.5))]
    shoulder = np.concatenate([*slope, [[1.05, 4.0]]])
    collar = arc((-0.27, 0.70), (0, 0.88), (0.27, 0.70))
    canvas.fill(np.concatenate([collar, shoulder, mirror(shoulder, -1)[::-1]]), person.clothes)
    canvas.stroke(collar, mix(person.clothes, (0, 0, 0), 0.3), 0.025)
    for side in (-1, 1):
        canvas.fill(ellipse(side * (width + 0.01), 0.08, 0.055, 0.12), mix(person.skin, (120, 50, 40), 0.2))


def _paint_skin(canvas: Canvas, person: Person, units: ActionUnits, head: Points) -> None:
    """Paint the head with soft light and shade, and the beard."""
    shade = mix(person.skin, (45, 12, 12), 0.5)
    light = mix(person.skin, (255, 240, 220), 0.45)
    skin = canvas.coarse_sheet(shade)
    skin.tint([(head * 0.9 + np.array([0.05 * person.light_side, 0.0]), 1.0)], person.skin, 0.07)
    cheek_y = 0.21 - 0.03 * units.cheek_raiser
    cheeks = [(ellipse(side * 0.235, cheek_y, 0.09, 0.065), 0.3) for side in (-1, 1)]
    skin.tint(cheeks, mix(person.skin, (205, 60, 60), 0.6), 0.04)
    socket = 0.3 + 0.1 * units.brow_lowerer
    sockets = [(ellipse(side * person.eye_distance / 2, -0.01, 0.11, 0.07), socket) for side in (-1, 1)]
    side_of_nose = np.array([(0.03, -0.05), (0.06, 0.19), (0.09, 0.23), (0.02, 0.2)])
    chin = ellipse(0, 0.475 + 0.04 * units.jaw_drop, 0.09, 0.018)
    dark = [*sockets, (mirror(side_of_nose, -np.sign(person.light_side)), 0.35), (chin, 0.35)]
    skin.tint([*dark, (ellipse(0, 0.255, 0.075, 0.016), 0.6)], shade, 0.022)
    bright = [(ellipse(0.01 * person.light_side, 0.10, 0.016, 0.12), 0.4), (ellipse(0, -0.25, 0.2, 0.06), 0.3)]
    glow = 0.25 + 0.3 * units.cheek_raiser
    bright += [(ellipse(side * 0.25, cheek_y - 0.06, 0.05, 0.02), glow) for side in (-1, 1)]
    skin.tint([*bright, (ellipse(0, 0.55, 0.05, 0.02), 0.2)], light, 0.022)
    if person.beard > 0.1:
        half = [(0.5, 0.05), (0.36, 0.1), (0.31, 0.3), (0.2, 0.33), (0.15, 0.285), (0.05, 0.275)]
        right = np.array([(0.5, 0.9), *half])
        area = np.concatenate([right, mirror(right, -1)[::-1]])
        skin.tint([(area, 0.25 + 0.65 * person.beard)], mix(person.hair, person.skin, 0.15), 0.022)
    canvas.paste(skin, head)


def _paint_nose(canvas: Canvas, person: Person, units: ActionUnits) -> None:
    dark = mix(person.skin, (50, 15, 15), 0.6)
    lift, flare = 0.018 * units.nose_wrinkler, 1 + 0.12 * units.nose_wrinkler
    wing = 0.062 * person.nose_width * flare
    for side in (-1.0, 1.0):
        curve = arc((wing * 0.9, 0.185 - lift), (wing * 1.12, 0.222 - lift), (wing * 0.72, 0.243 - lift))
        canvas.stroke(mirror(curve, side), dark, 0.011)
        canvas.fill(ellipse(side * wing * 0.45, 0.241 - lift, wing * 0.24, 0.009), mix(dark, (20, 5, 5), 0.5))


def _paint_eye(canvas: Canvas, person: Person, units: ActionUnits, side: float) -> None:
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
    upper = middle + arc(inner, (-0.6 * slope, -up), outer)
    lower = middle + arc(inner, (0.01, down), outer)
    canvas.fill(mirror(np.concatenate([upper, lower[::-1]]), side), (236, 232, 228))
    x, y = middle[0] + side * person.gaze, 0.15 * (down - up)
    ink = (24.0, 16.0, 16.0)
    for radius, color in ((0.041, mix(person.iris, ink, 0.5)), (0.035, person.iris), (0.018, ink)):
        # The lids cover a part of the iris; otherwise a narrow eye would look as open as a wide one.
        disc = between(ellipse(x, y, radius * size, radius * size), upper, lower)
        canvas.fill(mirror(disc, side), color)
    glint = ellipse(side * x + 0.012 * person.light_side, max(y - 0.014, 0.012 - up), 0.009, 0.009)
    canvas.fill(glint, (250, 250, 250))
    lash = np.concatenate([upper, [upper[-1] + np.array([0.012, -0.006])]])
    canvas.stroke(mirror(lash, side), mix(person.hair, ink, 0.7), 0.017)
    canvas.stroke(mirror(lower, side), mix(person.skin, (70, 25, 20), 0.55), 0.007)
    crease = upper[1:] + np.array([0.004, -0.024 + 0.012 * units.brow_lowerer])
    canvas.stroke(mirror(crease, side), mix(person.skin, (50, 15, 15), 0.4), 0.007)


def _paint_brow(canvas: Canvas, person: Person, units: ActionUnits, side: float) -> None:
    """Paint one brow; AU1 lifts its inner end, AU2 its outer half, AU4 and AU9 pull it down and inwards."""
    inner_up, outer_up, down = units.inner_brow_raiser, units.outer_brow_raiser, units.brow_lowerer
    slant = inner_up * max(0.0, 1 - outer_up)
    wrinkle = units.nose_wrinkler
    lines = arc(
        (0.082 - 0.025 * down, -0.118 - 0.07 * inner_up - 0.01 * outer_up + 0.058 * down + 0.03 * wrinkle),
        (0.195 - 0.01 * down, -0.148 - 0.028 * inner_up - 0.055 * outer_up + 0.04 * down + 0.025 * wrinkle),
        (0.305, -0.112 - 0.05 * outer_up + 0.026 * slant - 0.004 * down),
    ) - np.array([0.0, person.brow_height])
    thickness = 0.019 * person.brow_thickness * (1 - 0.75 * ALONG[:, 0] ** 2) * np.minimum(1, 0.6 + 4 * ALONG[:, 0])
    across = np.stack([0 * thickness, thickness], axis=1)
    color = mix(person.hair, person.skin, 0.12)
    canvas.fill(mirror(np.concatenate([lines - across, (lines + across)[::-1]]), side), color)


def _lip_lines(person: Person, units: ActionUnits) -> tuple[Points, Points]:
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


def _paint_mouth(canvas: Canvas, person: Person, units: ActionUnits) -> None:
    upper, lower = _lip_lines(person, units)
    thin = person.lip_thickness * (1 - 0.55 * min(units.lip_tightener, 1.0)) * (1 - 0.25 * units.lip_corner_puller)
    cupid = 1 - 0.3 * np.exp(-((_ACROSS / 0.16) ** 2))
    top = upper - np.stack([0 * _BOW, 0.027 * thin * _BOW * cupid], axis=1)
    bottom = lower + np.stack([0 * _BOW, 0.036 * thin * _BOW], axis=1)
    lip = mix(person.skin, (168, 52, 66), 0.42)
    canvas.fill(np.concatenate([top, lower[::-1]]), mix(lip, (60, 10, 20), 0.2))
    canvas.fill(np.concatenate([upper, bottom[::-1]]), lip)
    canvas.tint([(ellipse(0, float(bottom[16, 1]) - 0.018 * thin, 0.04, 0.006), 0.35)], (255, 225, 215), 0.008)
    gap = lower[:, 1] - upper[:, 1]
    if gap.max() > 0.012:
        canvas.fill(np.concatenate([upper, lower[::-1]]), (66, 18, 24))
        tongue = ellipse(0, float(lower[16, 1]), 0.075, 0.35 * float(gap.max()))
        canvas.fill(between(tongue, upper, lower), (170, 76, 80))
        teeth = 0.08 * units.lips_part * person.shows_teeth + 0.022 * units.jaw_drop + 0.024 * units.lip_stretcher
        edge = upper + np.stack([0 * gap, np.minimum(gap, teeth)], axis=1)
        canvas.fill(np.concatenate([upper, edge[::-1]])[2:-2], (240, 236, 228))
    canvas.stroke(upper, mix(person.skin, (60, 10, 20), 0.75), 0.011)


def _paint_folds(canvas: Canvas, person: Person, units: ActionUnits) -> None:
    """Paint the skin folds caused by the movements, deeper in older faces."""
    folds: list[tuple[Points, float]] = []
    depth = 0.55 + 0.45 * person.age
    corner = _lip_lines(person, units)[0]
    cheek = 0.75 * units.lip_corner_puller + 0.8 * units.nose_wrinkler + 0.15 * person.age
    crow = units.cheek_raiser * depth * 0.7
    for side in (-1.0, 1.0):
        mouth_x, mouth_y = np.abs(corner[-1 if side > 0 else 0])
        fold = arc((0.085, 0.2), (0.155, 0.265), (mouth_x + 0.035, mouth_y + 0.01))
        folds.append((mirror(fold, side), cheek * depth))
        if side == person.one_side:
            dimple = arc((mouth_x + 0.02, mouth_y - 0.045), (mouth_x + 0.05, mouth_y), (mouth_x + 0.02, mouth_y + 0.04))
            folds.append((mirror(dimple, side), units.one_sided_dimpler))
        for y in (-0.03, 0.0, 0.03):
            folds.append((mirror(np.array([(0.295, 0.6 * y), (0.34, 1.3 * y)]), side), crow))
        frown = np.array([(0.03, -0.1), (0.022, -0.165)])
        folds.append((mirror(frown, side), units.brow_lowerer * depth))
        for x in (0.0, 0.028):
            crinkle = np.array([(0.012 + x, 0.03 + 1.1 * x), (0.06 + x, 0.0 + 1.1 * x)])
            folds.append((mirror(crinkle, side), units.nose_wrinkler * (0.5 + 0.5 * depth)))
    forehead = max(0.0, units.inner_brow_raiser + units.outer_brow_raiser - 0.3) * 0.5 * depth
    for y in (-0.27, -0.315):
        folds.append((arc((-0.2, y + 0.01), (0, y - 0.01), (0.2, y + 0.01)), forehead))
    canvas.tint(folds, mix(person.skin, (45, 12, 12), 0.65), 0.005, 0.012)


def _paint_hair(canvas: Canvas, person: Person) -> None:
    """Paint the hair over the forehead: everything of the head above the hairline."""
    if person.haircut == 0:
        return
    width = person.head_width
    part = 0.16 * person.one_side
    hairline = {
        1: arc((-width, -0.12), (0, -0.42), (width, -0.12)),
        2: _parted(part, width, -0.02, -0.27),
        3: _parted(part, width, 0.25, -0.2),
        4: arc((-width, -0.15), (0, -0.4), (width, -0.15)),
    }[person.haircut]
    swell = 0.05 if person.haircut in (2, 3) else 0.03
    crown = ellipse(0, -0.12, width + swell, 0.46, 0.92)
    crown = crown[crown[:, 1] < -0.1]
    from_right = crown[np.argsort(-crown[:, 0])]
    canvas.fill(np.concatenate([hairline, from_right]), person.hair)
    shine = mix(person.hair, (255, 235, 210), 0.25)
    canvas.tint([(arc((-0.25, -0.42), (0.05 * person.light_side, -0.5), (0.25, -0.42)), 0.6)], shine, 0.015, 0.03)


def _parted(part: float, width: float, temple_y: float, middle_y: float) -> Points:
    """Return the hairline, (26, 2), of hair that falls from a part at x = `part` to both temples."""
    left, right = (part + 0.68 * (side * width - part) for side in (-1, 1))
    falls = (
        arc((-width, temple_y), (left, middle_y), (part, -0.4)),
        arc((part, -0.4), (right, middle_y), (width, temple_y)),
    )
    return np.concatenate(falls)


def _paint_glasses(canvas: Canvas, person: Person) -> None:
    frame = mix(person.clothes, (20, 20, 24), 0.75)
    for side in (-1.0, 1.0):
        rim = ellipse(side * person.eye_distance / 2, 0.012, 0.135, 0.1, 0.75)
        canvas.stroke(np.concatenate([rim, rim[:2]]), frame, 0.016)
        canvas.stroke(mirror(np.array([(0.32, -0.01), (person.head_width, -0.03)]), side), frame, 0.016)
    bridge = person.eye_distance / 2 - 0.135
    canvas.stroke(arc((-bridge, 0.0), (0, -0.018), (bridge, 0.0)), frame, 0.016)
