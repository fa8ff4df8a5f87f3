"""Faces drawn on plain gray video frames, where every other pixel is ink."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from fer.draw.frame import draw_live
from fer.draw.picture import UNSURE_COLOR
from fer.faces import HUMAN_FROM, Box
from fer.labels import COLORS, FERPLUS
from fer.video.settings import VideoSettings
from fer.video.tracking import TrackedFace

Image = npt.NDArray[np.uint8]
GRAY = 100
NOTHING = VideoSettings(mirror=False, show_boxes=False, show_labels=False, show_bars=False)
BOXES, LABELS, BARS = (replace(NOTHING, **{name: True}) for name in ("show_boxes", "show_labels", "show_bars"))
ALL = VideoSettings(mirror=False)


def gray(height: int = 360, width: int = 480) -> Image:
    return np.full((height, width, 3), GRAY, np.uint8)


def face(box: Box, *, person: int = 1, label: str = "happiness", confidence: float = 0.9) -> TrackedFace:
    rest = (1 - confidence) / (len(FERPLUS) - 1)
    probabilities = tuple(confidence if name == label else rest for name in FERPLUS)
    return TrackedFace(
        box, (), 1.0, labels=FERPLUS, probabilities=probabilities, track_id=person, held=FERPLUS.index(label)
    )


MIDDLE = Box(180, 120, 300, 240)


def ink(image: Image) -> npt.NDArray[np.bool_]:
    """Where something was drawn, bool (H, W)."""
    return np.asarray(np.any(image != GRAY, axis=-1))


def rgb(color: str) -> tuple[int, ...]:
    return tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))


def count_of(image: Image, color: str) -> int:
    return int(np.all(image == rgb(color), axis=-1).sum())


def drawn(settings: VideoSettings, *faces: TrackedFace, image: Image | None = None) -> Image:
    return np.asarray(draw_live(gray() if image is None else image, faces, settings), np.uint8)


# What is drawn


def test_a_person_has_a_name_where_pillow_can_write_it() -> None:
    def tag(names: dict[int, str] | None) -> bytes:
        return np.asarray(draw_live(gray(), [face(MIDDLE, person=2)], LABELS, names)).tobytes()

    number = tag(None)
    assert number == tag({1: "Ada"}) == tag({2: "Анна"}) != tag({2: "Ada"})
    assert tag({2: "Käthe"}) == tag({2: "Kathe"})


@pytest.mark.parametrize("settings", [NOTHING, ALL, VideoSettings()])
def test_the_frame_itself_is_unchanged(settings: VideoSettings) -> None:
    image = gray()
    image.flags.writeable = False
    shown = draw_live(image, [face(MIDDLE)], settings)
    assert np.all(image == GRAY)
    assert shown.shape == image.shape
    assert shown.dtype == np.uint8
    assert not np.shares_memory(image, shown)


def test_nothing_is_drawn_unless_requested() -> None:
    assert not ink(drawn(NOTHING, face(MIDDLE))).any()


def test_without_faces_the_frame_is_unchanged() -> None:
    assert not ink(drawn(ALL)).any()


def test_a_box_is_drawn_around_the_face_and_does_not_cover_it() -> None:
    marked = ink(drawn(BOXES, face(MIDDLE)))
    assert marked[120, 180:300].all()
    assert marked[239, 180:300].all()
    assert marked[120:240, 180].all()
    assert marked[120:240, 299].all()
    assert not marked[125:235, 185:295].any()
    assert not marked[:115].any()
    assert not marked[245:].any()


def test_a_tag_is_above_the_face() -> None:
    rows, columns = np.nonzero(ink(drawn(LABELS, face(MIDDLE))))
    assert rows.max() == 119
    assert rows.min() > 80
    assert columns.min() == 180


def test_bars_are_below_the_face_and_do_not_cover_it() -> None:
    rows, columns = np.nonzero(ink(drawn(BARS, face(MIDDLE))))
    assert rows.min() == 240
    assert columns.min() == 180
    assert columns.max() >= 299


def test_the_longest_bar_has_the_color_of_the_expression() -> None:
    for label in ("happiness", "anger"):
        shown = drawn(BARS, face(MIDDLE, label=label))
        areas = {name: count_of(shown, color) for name, color in COLORS.items()}
        assert max(areas, key=lambda name: areas[name]) == label


def test_a_bar_grows_with_the_probability() -> None:
    areas = [count_of(drawn(BARS, face(MIDDLE, confidence=share)), COLORS["happiness"]) for share in (0.3, 0.6, 0.9)]
    assert areas == sorted(set(areas))


def test_three_bars_are_drawn_even_where_a_model_knows_two_expressions() -> None:
    few = TrackedFace(MIDDLE, (), 1.0, labels=("yes", "no"), probabilities=(0.5, 0.5), track_id=1)
    heights = [np.nonzero(ink(drawn(BARS, one)))[0].max() - 239 for one in (few, face(MIDDLE))]
    assert 0 < heights[0] < heights[1]


# Words


def test_a_box_has_the_color_of_the_expression_whoever_shows_it() -> None:
    for label in ("happiness", "anger"):
        one, other = (drawn(BOXES, face(MIDDLE, person=person, label=label)) for person in (1, 9))
        assert count_of(one, COLORS[label]) > 400 and np.array_equal(one, other)
    unsure = drawn(replace(BOXES, threshold=0.5), face(MIDDLE, confidence=0.4))
    assert count_of(unsure, UNSURE_COLOR) > 400


def test_people_have_different_numbers_and_no_colors() -> None:
    one, other = (drawn(LABELS, face(MIDDLE, person=person)) for person in (1, 9))
    assert not np.array_equal(one, other)
    for shown in (one, other):
        assert np.ptp(shown.astype(int), axis=-1).max() < 20  # gray


def test_a_face_below_the_threshold_is_unsure() -> None:
    settings = replace(LABELS, threshold=0.5)
    happy, angry = (drawn(settings, face(MIDDLE, label=label, confidence=0.4)) for label in ("happiness", "anger"))
    assert np.array_equal(happy, angry)
    sure = drawn(replace(LABELS, threshold=0.4), face(MIDDLE, confidence=0.4))
    assert not np.array_equal(happy, sure)


def test_a_face_at_the_threshold_is_sure() -> None:
    at, none = (drawn(replace(LABELS, threshold=share), face(MIDDLE, confidence=0.6)) for share in (0.6, 0.0))
    assert np.array_equal(at, none)


def test_the_tag_says_what_may_not_be_a_human_face() -> None:
    plain, human, other = (
        drawn(LABELS, replace(face(MIDDLE), score_again=score)) for score in (None, HUMAN_FROM, HUMAN_FROM - 0.01)
    )
    assert np.array_equal(plain, human) and np.count_nonzero(ink(other)) > np.count_nonzero(ink(plain))


def test_the_held_label_is_written_and_not_the_one_a_little_ahead() -> None:
    held = TrackedFace(MIDDLE, (), 1.0, labels=("a", "b"), probabilities=(0.47, 0.53), track_id=1, held=0)
    assert not np.array_equal(drawn(LABELS, held), drawn(LABELS, replace(held, held=1)))


@pytest.mark.parametrize("label", ["", "Überraschung", "喜び", "a\nb", "x" * 300])
def test_labels_of_any_kind_are_no_error(label: str) -> None:
    odd = TrackedFace(MIDDLE, (), 1.0, labels=(label, "other"), probabilities=(0.9, 0.1), track_id=1)
    assert drawn(ALL, odd).shape == gray().shape


# Borders


@pytest.mark.parametrize(
    "box",
    [
        Box(0, 0, 60, 60),
        Box(420, 0, 480, 60),
        Box(0, 300, 60, 360),
        Box(420, 300, 480, 360),
        Box(0, 0, 480, 360),
        Box(-200, -150, 900, 700),
        Box(600, 500, 700, 600),
        Box(-300, -300, -200, -200),
        Box(100.2, 100.2, 100.9, 100.9),
    ],
)
@pytest.mark.parametrize("mirror", [False, True])
def test_tag_and_bars_stay_inside_the_frame_wherever_the_box_is(box: Box, mirror: bool) -> None:
    shown = drawn(replace(ALL, mirror=mirror), face(box))
    assert shown.shape == gray().shape
    whole_tag = np.count_nonzero(ink(drawn(LABELS, face(MIDDLE))))
    assert np.count_nonzero(ink(drawn(replace(LABELS, mirror=mirror), face(box)))) == whole_tag
    assert count_of(drawn(replace(BARS, mirror=mirror), face(box)), COLORS["happiness"]) > 0


@pytest.mark.parametrize("size_wh", [(1, 1), (3, 200), (200, 3), (20, 12), (40, 40)])
def test_a_frame_smaller_than_the_tag_is_no_error(size_wh: tuple[int, int]) -> None:
    image = gray(size_wh[1], size_wh[0])
    shown = drawn(VideoSettings(), face(Box(0, 0, size_wh[0], size_wh[1])), image=image)
    assert shown.shape == image.shape
    assert ink(shown).any()


def test_in_a_larger_frame_the_words_are_larger() -> None:
    heights = []
    for scale in (1, 2):
        box = Box(*(scale * value for value in MIDDLE.xyxy))
        rows = np.nonzero(ink(drawn(LABELS, face(box), image=gray(720 * scale, 1280 * scale))))[0]
        heights.append(rows.max() - rows.min() + 1)
    assert heights[1] == pytest.approx(2 * heights[0], rel=0.15)


# The mirror


def test_mirroring_flips_picture_and_positions_but_not_text() -> None:
    image = np.random.default_rng(0).integers(0, 255, (360, 480, 3), np.uint8)
    mirrored = Box(480 - 160, 120, 480 - 40, 240)
    shown = drawn(replace(ALL, mirror=True), face(Box(40, 120, 160, 240)), image=image)
    same = drawn(ALL, face(mirrored), image=np.ascontiguousarray(image[:, ::-1]))
    assert np.array_equal(shown, same)


def test_mirroring_alone_flips_the_picture() -> None:
    image = np.random.default_rng(0).integers(0, 255, (36, 48, 3), np.uint8)
    assert np.array_equal(drawn(replace(NOTHING, mirror=True), image=image), image[:, ::-1])
