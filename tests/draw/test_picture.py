"""Faces drawn onto plain gray pictures, where every other pixel is ink."""

import numpy as np
import numpy.typing as npt
import pytest

from fer.draw.picture import UNSURE_COLOR, draw_faces, place_tag, text_color_on
from fer.errors import ImageError
from fer.faces import Box, Face
from fer.labels import COLORS, FERPLUS

Image = npt.NDArray[np.uint8]
GRAY = 100


def gray(height: int = 300, width: int = 300) -> Image:
    return np.full((height, width, 3), GRAY, np.uint8)


def face(x1: float, y1: float, x2: float, y2: float, *, label: str = "happiness", confidence: float = 0.93) -> Face:
    others = tuple(name for name in FERPLUS if name != label)
    probabilities = (confidence, *[(1 - confidence) / len(others)] * len(others))
    return Face(Box(x1, y1, x2, y2), (), 1.0, labels=(label, *others), probabilities=probabilities)


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def has_color(image: Image, color: str) -> npt.NDArray[np.bool_]:
    """bool (H, W)."""
    return np.all(image == rgb(color), axis=-1)


def ink(image: Image) -> npt.NDArray[np.bool_]:
    """Where something was drawn, bool (H, W)."""
    return np.any(image != GRAY, axis=-1)


def test_the_picture_itself_is_unchanged() -> None:
    image = gray()
    image.flags.writeable = False
    drawn = draw_faces(image, [face(100, 100, 200, 200)])
    assert np.all(image == GRAY)
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert drawn.flags.writeable
    assert ink(drawn).sum() > 800
    assert not np.shares_memory(image, drawn)


def test_without_faces_a_plain_copy_is_returned() -> None:
    image = gray()
    drawn = draw_faces(image, [])
    assert np.array_equal(drawn, image)
    assert not np.shares_memory(image, drawn)


@pytest.mark.parametrize("label", FERPLUS)
def test_the_box_has_the_color_of_the_label_on_its_very_edge(label: str) -> None:
    colored = has_color(draw_faces(gray(), [face(100, 120, 200, 220, label=label)]), COLORS[label])
    assert colored[120:220, 100].all() and colored[120:220, 199].all()
    assert colored[120, 100:200].all() and colored[219, 100:200].all()
    assert not colored[120:, :100].any() and not colored[120:, 200:].any() and not colored[220:].any()
    assert not colored[125:215, 105:195].any()


def test_a_box_that_fills_the_picture_is_seen_on_all_sides() -> None:
    colored = has_color(draw_faces(gray(200, 200), [face(0, 0, 200, 200)]), COLORS["happiness"])
    assert colored[-1, 5:195].all() and colored[5:195, -1].all() and colored[100, :2].all() and colored[-2:, 100].all()


@pytest.mark.parametrize(
    "xyxy",
    [
        pytest.param((0, 0, 80, 80), id="top left"),
        pytest.param((220, 0, 300, 80), id="top right"),
        pytest.param((0, 220, 80, 300), id="bottom left"),
        pytest.param((220, 220, 300, 300), id="bottom right"),
        pytest.param((0, 0, 300, 300), id="everywhere"),
        pytest.param((100, 5, 200, 295), id="full height"),
        pytest.param((280, 140, 300, 160), id="tiny at the right"),
    ],
)
def test_the_whole_tag_stays_inside_the_picture(xyxy: tuple[int, int, int, int]) -> None:
    """The same letters are painted as in the middle, so none is cut off."""
    letters = text_color_on(COLORS["happiness"])
    in_the_middle = has_color(draw_faces(gray(), [face(100, 100, 180, 180)]), letters).sum()
    assert in_the_middle > 50
    assert has_color(draw_faces(gray(), [face(*xyxy)]), letters).sum() == in_the_middle


def test_the_tag_is_above_the_box_if_there_is_room_otherwise_below() -> None:
    above = ink(draw_faces(gray(), [face(100, 100, 200, 200)]))
    assert above[:100].any() and not above[201:].any()
    below = ink(draw_faces(gray(), [face(100, 3, 200, 100)]))
    assert below[101:].any() and not below[:3].any()


def test_a_picture_lower_than_two_tags_still_shows_a_whole_one() -> None:
    letters = text_color_on(COLORS["happiness"])
    whole = has_color(draw_faces(gray(), [face(100, 100, 180, 180)]), letters).sum()
    low = draw_faces(gray(30, 300), [face(100, 12, 118, 18)])
    assert has_color(low, letters).sum() == whole


def test_tags_of_close_faces_do_not_cover_each_other() -> None:
    letters = text_color_on(COLORS["happiness"])
    one = has_color(draw_faces(gray(), [face(60, 100, 160, 200)]), letters).sum()
    both = has_color(draw_faces(gray(), [face(60, 100, 160, 200), face(90, 102, 190, 202)]), letters).sum()
    assert both > 1.8 * one  # "2" and "1" have not the same number of pixels


def test_faces_are_numbered_in_their_order() -> None:
    first, second = face(20, 100, 100, 180), face(180, 100, 260, 180)
    assert not np.array_equal(draw_faces(gray(), [first, second]), draw_faces(gray(), [second, first]))


def test_a_face_below_the_threshold_is_gray() -> None:
    confident, hesitant = face(20, 100, 100, 180, confidence=0.8), face(380, 100, 460, 180, confidence=0.6)
    drawn = draw_faces(gray(300, 700), [confident, hesitant], threshold=0.7)
    happy, unsure = has_color(drawn, COLORS["happiness"]), has_color(drawn, UNSURE_COLOR)
    assert happy[:, :300].any() and not happy[:, 300:].any()
    assert unsure[:, 300:].any() and not unsure[:, :300].any()


def test_a_face_at_the_threshold_is_not() -> None:
    drawn = draw_faces(gray(), [face(100, 100, 200, 200, confidence=0.6)], threshold=0.6)
    assert has_color(drawn, COLORS["happiness"]).any()


def test_unsure_is_written_and_not_only_painted() -> None:
    tag_width = [
        ink(draw_faces(gray(300, 700), [face(10, 100, 30, 120, confidence=0.6)], threshold=threshold)).any(axis=0).sum()
        for threshold in (0.0, 0.7)
    ]
    assert tag_width[1] < tag_width[0] - 30  # "unsure" is shorter than "happiness 60 %"


def test_larger_pictures_get_thicker_lines_and_larger_letters() -> None:
    letters = text_color_on(COLORS["happiness"])
    small, large = (
        draw_faces(gray(), [face(100, 100, 200, 200)]),
        draw_faces(gray(1500, 1500), [face(500, 500, 900, 900)]),
    )
    assert has_color(large, letters).sum() > 2 * has_color(small, letters).sum()
    assert has_color(small, COLORS["happiness"])[150, :150].sum() == 2
    assert has_color(large, COLORS["happiness"])[700, :700].sum() == 5


@pytest.mark.parametrize(
    ("size_px", "xyxy"), [(1, (0, 0, 1, 1)), (2, (0, 0, 2, 1)), (10, (1, 1, 9.5, 9)), (20, (19.2, 19.2, 19.6, 19.6))]
)
def test_tiny_pictures_can_be_drawn_on(size_px: int, xyxy: tuple[float, float, float, float]) -> None:
    drawn = draw_faces(gray(size_px, size_px), [face(*xyxy)])
    assert drawn.shape == (size_px, size_px, 3)
    assert ink(drawn).any()


def test_other_arrays_are_refused() -> None:
    with pytest.raises(ImageError, match=r"RGB"):
        draw_faces(np.zeros((50, 50), np.uint8), [])


@pytest.mark.parametrize("color", [*COLORS.values(), UNSURE_COLOR, "#000000", "#FFFFFF", "#FF0000"])
def test_text_can_be_read_on_every_color(color: str) -> None:
    """WCAG 2 asks for a contrast of 4.5; the better of black and white always reaches it."""

    def luminance(hex_color: str) -> float:
        parts = [value / 255 for value in rgb(hex_color)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(color), luminance(text_color_on(color))), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


WIDE = (120.0, 20.0)


def test_a_tag_covers_no_face_where_there_is_room_anywhere_around_its_own() -> None:
    own, above, below = Box(100, 100, 200, 200), Box(90, 10, 330, 98), Box(90, 202, 330, 290)
    for faces, tags, expected in (
        ([own], [], (100, 80, 220, 100)),
        ([own, above], [], (100, 200, 220, 220)),
        ([own, above, below], [], (200, 100, 320, 120)),
        ([own, above, below], [(200, 90, 320, 110)], (200, 180, 320, 200)),
        ([own, above, below], [(200, 90, 320, 210)], (0, 100, 100, 120)),
    ):
        size_wh = (100.0, 20.0) if expected[0] == 0 else WIDE
        assert place_tag(size_wh, own, (400, 300), faces, tags) == expected


def test_a_tag_without_room_at_least_avoids_other_tags() -> None:
    own, around = Box(0, 20, 120, 60), Box(0, 0, 120, 80)
    assert place_tag(WIDE, own, (120, 80), [own, around], []) == (0, 0, 120, 20)
    assert place_tag(WIDE, own, (120, 80), [own, around], [(0, 0, 120, 20)]) == (0, 60, 120, 80)
